"""ARCH-10, ARCH-12: copies of files of this machine, and lists of sources."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from cutting_server import Reply, Request, cutting_server
from fetching import BODY, fetch, fetch_one, list_files, make_archive

from runner.archive.fetch.fetch import fetch_all
from runner.archive.fetch.options import Options
from runner.archive.fetch.results import FAILED, FETCHED, PRESENT
from runner.archive.fetch.source import Refused
from runner.archive.fetch.sources.file import find_path
from runner.errors import UserError


@pytest.fixture
def night(tmp_path: Path) -> Path:
    (tmp_path / "night").mkdir()
    return tmp_path / "night"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


# Paths


def test_a_relative_file_is_relative_to_the_home_and_a_name_to_where_we_are(tmp_path: Path) -> None:
    assert find_path("file:data/a b%20.fits", tmp_path) == tmp_path / "data/a b%20.fits"
    assert find_path("data/a:b.fits", tmp_path) == Path.cwd() / "data/a:b.fits"
    assert find_path("file:/data/a", tmp_path) == find_path("file:///data/a", tmp_path) == Path("/data/a")
    assert find_path("file://localhost/a%20b", None) == Path("/a b")


@pytest.mark.parametrize("text", ["file:", "file://elsewhere/a"])
def test_what_names_no_file_of_this_machine_is_refused(text: str) -> None:
    with pytest.raises(UserError):
        find_path(text, None)


# Trees


def test_a_tree_is_copied_with_its_directories(night: Path, out: Path) -> None:
    (night / "raw/x").mkdir(parents=True)
    (night / "raw/x/a:b.fits").write_bytes(BODY)
    (night / "c.fits").write_bytes(b"c")
    (night / "d.fits.part").write_bytes(b"growing")
    assert fetch(f"file:{night}", out).counts == {FETCHED: 2}
    assert list_files(out) == {"raw/x/a:b.fits": BODY, "c.fits": b"c"}
    assert (out / "c.fits").stat().st_ino != (night / "c.fits").stat().st_ino
    assert (out / "c.fits").stat().st_mtime_ns // 1000 == (night / "c.fits").stat().st_mtime_ns // 1000


def test_links_are_followed_within_a_tree_only(night: Path, out: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (night / "a").mkdir()
    (night / "a/a.fits").write_bytes(b"a")
    (night / "link.fits").symlink_to("a/a.fits")
    (night / "b").symlink_to("a")
    (night / "circle").symlink_to(".")
    (night / "out.fits").symlink_to(tmp_path / "secret")
    (night / "broken.fits").symlink_to("nowhere")
    os.mkfifo(night / "pipe.fits")
    fetch(f"file:{night}", out)
    assert list_files(out) == {"a/a.fits": b"a", "link.fits": b"a"}


def test_a_name_that_is_no_utf8_is_refused_and_the_others_are_copied(night: Path, out: Path) -> None:
    Path(os.fsdecode(os.fsencode(night) + b"/a\xff.fits")).write_bytes(b"a")
    (night / "b.fits").write_bytes(b"b")
    summary = fetch(f"file:{night}", out)
    assert summary.counts == {FAILED: 1, FETCHED: 1}
    assert all(str(value).isprintable() for one in summary.results for value in one.describe().values())


def test_two_files_of_one_name_are_not_written_over_each_other(night: Path, out: Path) -> None:
    for name in ("x", "y"):
        (night / name).mkdir()
        (night / name / "a.fits").write_text(name)
    summary = fetch([f"file:{night}/x", f"file:{night}/y", f"file:{night}/x/a.fits"], out)
    reasons = [one.reason for one in summary.results if one.result == FAILED]
    assert summary.counts[FETCHED] == 1
    assert reasons
    assert all("has the same name" in reason for reason in reasons)


def test_a_source_that_is_not_there_is_a_result_and_stops_no_other(night: Path, out: Path) -> None:
    (night / "a.fits").write_bytes(b"a")
    summary = fetch([f"file:{night}/no", f"file:{night}/a.fits"], out)
    assert sorted((one.name, one.result, one.is_permanent) for one in summary.results) == [
        ("", FAILED, True),
        ("a.fits", FETCHED, False),
    ]


def test_only_the_last_directory_of_a_destination_is_made(night: Path, tmp_path: Path) -> None:
    """A disk that is not mounted is not written to."""
    with pytest.raises(FileNotFoundError):
        fetch(f"file:{night}", tmp_path / "disk/archive")


def test_a_directory_that_is_a_link_leads_nowhere(night: Path, out: Path, tmp_path: Path) -> None:
    """ARCH-12."""
    (night / "raw").mkdir()
    (night / "raw/a.fits").write_bytes(b"a")
    (tmp_path / "elsewhere").mkdir()
    out.mkdir()
    (out / "raw").symlink_to(tmp_path / "elsewhere")
    assert fetch(f"file:{night}", out).counts == {FAILED: 1}
    assert list_files(tmp_path / "elsewhere") == {}


def test_a_part_with_a_second_name_is_not_written_to(night: Path, out: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    (night / "a.fits").write_bytes(b"a")
    out.mkdir()
    (out / "a.fits.part").hardlink_to(precious)
    assert fetch(f"file:{night}", out).counts == {FAILED: 1}
    assert precious.read_text() == "precious"


# Lists


def test_a_list_is_relative_to_where_it_stands(night: Path, out: Path) -> None:
    (night / "a b.fits").write_bytes(BODY)
    (night / "list").write_text("a b.fits\n")
    assert fetch(f"list:{night}/list", out).counts == {FETCHED: 1}
    assert list_files(out) == {"a b.fits": BODY}


def test_the_checksum_of_a_list_is_verified(night: Path, out: Path) -> None:
    """ARCH-5."""
    (night / "a.fits").write_bytes(BODY)
    right, wrong = hashlib.sha256(BODY).hexdigest(), hashlib.sha256(b"x").hexdigest()
    table = night / "table"
    table.write_text(f"name,sha256\na.fits,{wrong}\n")
    assert "its sha256 is" in fetch_one(f"@{table}", out).reason
    table.write_text(f"name,sha256\na.fits,{right}\n")
    assert [fetch_one(f"@{table}", out).result for _ in range(2)] == [FETCHED, PRESENT]


def test_the_size_of_a_list_is_checked(night: Path, out: Path) -> None:
    """ARCH-3."""
    (night / "a.fits").write_bytes(BODY)
    (night / "table").write_text("name,size\na.fits,5\n")
    assert fetch_one(f"@{night}/table", out).reason == f"it has {len(BODY)} bytes, and 5 were announced"
    assert list_files(out) == {}


@pytest.mark.parametrize("line", ["file:/etc/passwd", "file:///etc/passwd", "list:other", "htp://x/a"])
def test_a_list_of_the_web_names_no_file_of_this_machine(out: Path, line: str) -> None:
    with cutting_server(lambda _: Reply(200, line.encode())) as server:
        result = fetch_one(f"list:{server.url}/list", out)
    assert (result.result, result.name, result.is_permanent) == (FAILED, "", True)
    assert result.reason.startswith("line 1: ")


def test_a_list_with_a_password_passes_it_on_to_its_own_server_only(out: Path) -> None:
    def script(request: Request) -> Reply:
        if "authorization" not in request.headers:
            return Reply(401)
        return Reply(200, b"name\na.fits\n" if request.path == "/d/list" else b"a")

    with cutting_server(script) as server:
        address = server.url.replace("//", "//me:secret@")
        assert fetch(f"list:{address}/d/list", out).counts == {FETCHED: 1}
    assert list_files(out) == {"a.fits": b"a"}


# What a caller adds


def test_a_caller_chooses_of_what_a_source_has(night: Path, out: Path) -> None:
    for name in ("a", "b"):
        (night / name).write_text(name)
    options = Options(choose=lambda remotes: [remote for remote in remotes if remote.name == "b"])
    fetch_all([f"file:{night}"], out, options, archive=make_archive())
    assert list_files(out) == {"b": b"b"}


def test_a_caller_acts_on_each_file_and_may_refuse_it(night: Path, out: Path) -> None:
    for name in ("good", "evil"):
        (night / name).write_text(name)
    seen = []

    def act(path: Path) -> None:
        seen.append(path.name)
        if path.name == "evil":
            raise Refused("evil", is_permanent=True)

    counts = [fetch(f"file:{night}", out, Options(act=act)).counts for _ in range(2)]
    assert counts == [{FETCHED: 1, FAILED: 1}, {PRESENT: 1, FAILED: 1}]
    assert sorted(seen) == ["evil", "good"]


def test_what_an_errand_raises_is_raised_by_the_call(night: Path, out: Path) -> None:
    (night / "a").write_text("a")

    def act(_: Path) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fetch(f"file:{night}", out, Options(act=act))
