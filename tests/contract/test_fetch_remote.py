"""What ``runner fetch`` makes of objects of S3, of archives and of an index (ARCH-1, ARCH-11, SEC-15)."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from homes import Answer, Home
from packed import FILES, make_archive, make_entry, make_tar
from s3_server import Store, use_keys

from runner.database.connect import connect
from runner.database.migrate import prepare_schema
from runner.launch.journal import make_run_id

NIGHT = bytes(range(256)) * 4000


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    store = Store()
    store.client.create_bucket(Bucket="objects")
    store.put("objects", "raw/night1/a.fits", NIGHT)
    store.put("objects", "raw/night1/empty", b"", ChecksumAlgorithm="SHA256")
    store.put_in_parts("objects", "raw/night2/b.fits", [bytes(5 << 20), NIGHT])
    yield store
    store.stop()


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def _fetch(home: Home, *words: object) -> Answer:
    return home.runner("fetch", *map(str, words))


def _use(home: Home, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    use_keys(monkeypatch)
    home.write("envs/archive.yaml", f"s3: {{endpoint: '{store.address}', region: us-east-1}}\n")


def _names(directory: Path) -> set[str]:
    return {str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file()} - {".manifest.jsonl"}


def test_objects_of_s3_are_fetched_once(home: Home, store: Store, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _use(home, store, monkeypatch)
    first = _fetch(home, "s3://objects/raw/", out)
    assert (first.code, first.err) == (0, "")
    assert first.out == f"3 fetched ({2 * len(NIGHT) + (5 << 20)} bytes), 0 present, 0 failed: {out}\n"
    assert (out / "night1/a.fits").read_bytes() == NIGHT
    assert _fetch(home, "s3://objects/raw/", out).out.startswith("0 fetched (0 bytes), 3 present, 0 failed")


def test_an_object_that_was_begun_is_gone_on_with(
    home: Home, store: Store, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _use(home, store, monkeypatch)
    _fetch(home, "s3://objects/raw/night1/a.fits", out)
    manifest = (out / ".manifest.jsonl").read_text().splitlines(keepends=True)
    (out / ".manifest.jsonl").write_text("".join(line for line in manifest if '"begun"' in line))
    (out / "a.fits").rename(out / "a.fits.part")
    with (out / "a.fits.part").open("rb+") as part:
        part.truncate(len(NIGHT) - 10)
    assert _fetch(home, "s3://objects/raw/night1/a.fits", out).code == 0
    assert (out / "a.fits").read_bytes() == NIGHT


def test_an_object_that_is_not_ours_to_read_fails_for_good(
    home: Home, store: Store, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _use(home, store, monkeypatch)
    home.write("envs/archive.yaml", (home.path / "envs/archive.yaml").read_text().replace("}", ", anonymous: true}"))
    failed = _fetch(home, "s3://objects/raw/night1/a.fits", out)
    assert failed.code == 1
    assert failed.err == "runner: a.fits: 403 FORBIDDEN (s3://objects/raw/night1/a.fits)\n"


def test_members_of_an_archive_are_unpacked_and_are_products_of_the_run(
    home: Home, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home.state / "journal").mkdir(parents=True)
    monkeypatch.setenv("RUNNER_STATE", str(home.state))
    monkeypatch.setenv("RUNNER_RUN_ID", make_run_id(0.0, "ops1", 2))
    archive = make_archive(out.with_name("x.tar.gz"), FILES)
    assert _fetch(home, "--unpack", archive, out).code == 0
    names = {"x.tar.gz", "night/a.fits", "night/b c ü.fits", "empty.txt"}
    assert _names(out) == names
    (journal,) = (home.state / "journal").glob("*.jsonl")
    events = [json.loads(line) for line in journal.read_text().split("\n") if line]
    assert {event["path"]: event["digest"] for event in events if event["event"] == "product"} == {
        str(out / name): f"sha256:{hashlib.sha256((out / name).read_bytes()).hexdigest()}" for name in names
    }


def test_an_archive_that_is_refused_fails_once_and_is_not_fetched_again(home: Home, out: Path) -> None:
    archive = make_tar(out.with_name("x.tar"), make_entry("a.fits", b"photons"), make_entry("../../evil", b"evil"))
    said = 'runner: x.tar: "../../evil" is no name for a file here: it has the part . or ..; kept as x.tar.refused'
    for _ in range(2):
        answer = _fetch(home, "--unpack", archive, out)
        assert (answer.code, answer.err) == (1, f"{said} (file://{archive})\n")
        assert _names(out) == {"x.tar.refused"}
    shutil.copy(make_archive(out.with_name("y.tar"), FILES), archive)
    assert _fetch(home, "--unpack", archive, out).code == 0


def test_only_what_is_not_indexed_is_fetched(home: Home, out: Path) -> None:
    source = out.with_name("source")
    for name in ("a.fits", "b.fits"):
        home.write(str(source / name), b"photons")
    home.state.mkdir()
    with connect(f"sqlite:///{home.state}/runner.db") as database:
        prepare_schema(database)
        database.execute("INSERT INTO roots (id, path) VALUES (1, '/data')")
        columns = ("root_id", "path", "size_bytes", "mtime_ns", "inode", "hdu_count", "state", "layout",
                   "first_seen_at", "indexed_at")  # fmt: skip
        database.insert("files", columns, [(1, "2026/a.fits", 7, 0, 0, 1, "ok", "", "", "")], "")
    planned = _fetch(home, "--not-indexed", "--dry-run", source, out)
    assert [line.split()[2] for line in planned.out.splitlines()] == ["b.fits"]
    assert _fetch(home, "--not-indexed", source, out).code == 0
    assert _names(out) == {"b.fits"}


def test_without_a_home_there_is_no_index(home: Home, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(out.parent)
    answer = home.call("fetch", "--not-indexed", "file:x", str(out))
    assert answer.code == 2
    assert answer.err.startswith("--not-indexed: the index is that of a home")
