"""ARCH-13 to ARCH-15: killed, twice at once, on a full disk: what is there in the end is whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cutting_server import Reply, Request, cutting_server, serve_range
from fetch_kills import kill_fetch_at_random
from fetching import BODY, fetch, fetch_one, list_files
from missing import need_namespaces
from nginx import Nginx

from runner.archive.fetch.place import Part, Place
from runner.archive.fetch.results import FETCHED, PRESENT

RUNNER = [sys.executable, "-m", "runner.cli.main"]
# The destination is a file system of its own, small and soon full.
_SMALL_DISK = """
mount -t tmpfs -o size=3m tmpfs small || exit
fetch() { "$0" -m runner.cli.main fetch "$@" small; echo "code $?"; }
fetch "file:$PWD/files"
fetch "$1"
stat -c %s small/unknown.fits.part
rm small/a.fits
fetch "$1"
cp small/unknown.fits .; ls -A small
"""


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    server = Nginx(tmp_path_factory.mktemp("nginx"))
    for number in range(12):
        (server.files / f"{number}.fits").write_bytes(os.urandom(1 << 20) * (number % 3 + 1))
    yield server
    server.stop()


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def test_a_fetch_that_was_killed_at_any_moment_is_completed_by_the_next(nginx: Nginx, out: Path) -> None:
    report = kill_fetch_at_random(nginx.files, f"{nginx.url}/range/", out, seed=1, kills=15)
    assert report.untruths == []
    assert report.kills == 15
    assert report.resumed


def test_two_fetches_at_once_fetch_each_file_once(nginx: Nginx, out: Path) -> None:
    """ARCH-13."""
    command = [*RUNNER, "fetch", f"{nginx.url}/range/", str(out)]
    out.mkdir()

    fetches = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    printed = [one.communicate()[0] for one in fetches]

    assert [one.returncode for one in fetches] == [0, 0]
    assert sum(int(line.split()[0]) for line in printed) == 12, printed
    assert list_files(out) == list_files(nginx.files)


def test_what_another_brings_and_has_not_yet_recorded_is_not_brought_again(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ARCH-13: we looked before its rename, and have the name of its ``.part`` after that."""
    open_part = Place.open_part

    def come_late(place: Place) -> Part | None:
        (out / "a.fits").write_bytes(BODY)
        return open_part(place)

    monkeypatch.setattr(Place, "open_part", come_late)
    with cutting_server(lambda request: serve_range(request, BODY)) as server:
        result = fetch_one(f"{server.url}/a.fits", out)

    assert (result.result, result.size_bytes) == (PRESENT, len(BODY))
    assert list_files(out) == {"a.fits": BODY}


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_fetch_that_is_ended_says_so_and_the_next_goes_on(out: Path, number: signal.Signals, code: int) -> None:
    body = BODY * 10

    def script(request: Request) -> Reply:
        if request.first:
            return serve_range(request, body + b"end", ETag='"1"')
        # All but the end of it, for which the client waits.
        return Reply(200, body, {"ETag": '"1"', "Content-Length": str(len(body) + 3)})

    with cutting_server(script) as server:
        command = [*RUNNER, "fetch", f"{server.url}/a.fits", str(out)]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        while not (out / "a.fits.part").exists() or not (out / "a.fits.part").stat().st_size:
            time.sleep(0.02)
        process.send_signal(number)
        said = process.communicate()[1]
        assert fetch(f"{server.url}/a.fits", out).counts == {FETCHED: 1}

    assert (process.returncode, said) == (code, "runner: interrupted; the next call goes on from here\n")
    assert list_files(out) == {"a.fits": body + b"end"}
    assert server.requests[-1].first >= 1 << 20


def test_what_was_killed_before_it_got_its_name_gets_it_without_being_fetched_again(out: Path, tmp_path: Path) -> None:
    (tmp_path / "a.fits").write_bytes(BODY)
    fetch(f"file:{tmp_path}/a.fits", out)
    (out / "a.fits").rename(out / "a.fits.part")
    lines = (out / ".manifest.jsonl").read_bytes().splitlines(keepends=True)
    (out / ".manifest.jsonl").write_bytes(lines[0])

    assert fetch(f"file:{tmp_path}/a.fits", out).counts == {FETCHED: 1}
    assert list_files(out) == {"a.fits": BODY}


def test_what_was_killed_before_it_was_recorded_is_recorded(out: Path, tmp_path: Path) -> None:
    (tmp_path / "a.fits").write_bytes(BODY)
    fetch(f"file:{tmp_path}/a.fits", out)
    (out / ".manifest.jsonl").unlink()
    counts = [fetch(f"file:{tmp_path}/a.fits", out).counts for _ in range(2)]
    assert counts == [{PRESENT: 1}] * 2
    assert len((out / ".manifest.jsonl").read_bytes().splitlines()) == 1


def test_on_a_full_disk_what_fits_is_fetched_and_the_next_call_goes_on(tmp_path: Path) -> None:
    """ARCH-15."""
    need_namespaces()
    (tmp_path / "small").mkdir()
    (tmp_path / "files").mkdir()
    for name, megabytes in (("a", 2), ("b", 4), ("c", 0)):
        (tmp_path / "files" / f"{name}.fits").write_bytes(bytes(megabytes << 20) + b"end")
    body = BODY * 8

    def script(request: Request) -> Reply:  # of a size that only the end of the connection tells
        reply = serve_range(request, body, ETag='"1"')
        return Reply(reply.status, reply.body, {**reply.headers, "Content-Length": ""}, cut=len(body))

    with cutting_server(script) as server:
        words = ["unshare", "-rm", "sh", "-c", _SMALL_DISK, sys.executable, f"{server.url}/unknown.fits"]
        result = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)

    said = result.stderr.splitlines()
    assert said[0].startswith(f"runner: b.fits: no space left for it: {tmp_path}/small: ")
    assert " bytes are missing (file://" in said[0]
    assert f"runner: unknown.fits: no space left for it: {tmp_path}/small ({server.url}/unknown.fits)" in said
    printed = result.stdout.splitlines()
    assert [line for line in printed if "code" in line] == ["code 1", "code 1", "code 0"]
    assert 0 < int(printed[4]) == server.requests[-1].first
    assert printed[-3:] == [".manifest.jsonl", "c.fits", "unknown.fits"]
    assert (tmp_path / "unknown.fits").read_bytes() == body
