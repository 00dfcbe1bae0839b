"""What comes out of an archive (ARCH-1, ARCH-12)."""

from __future__ import annotations

import hashlib
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packed import ENDINGS, FILES, MODIFIED_AT, make_archive, make_entry, make_tar

from runner.archive.fetch.archives import is_archive
from runner.archive.fetch.members import unpack_archive
from runner.archive.fetch.source import Refused

LARGE = 1 << 40
PLAIN = {name.removeprefix("./"): content for name, content in FILES.items()}


def _read(directory: Path) -> dict[str, bytes]:
    """Return all files below a directory."""
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


@pytest.mark.parametrize("ending", ENDINGS)
def test_members_come_to_stand_beside_the_archive_with_their_digests(tmp_path: Path, ending: str) -> None:
    archive = make_archive(tmp_path / f"x{ending}", FILES)
    unpacked = unpack_archive(archive, LARGE)
    assert {str(Path(one.path).relative_to(tmp_path)): one.digest for one in unpacked} == {
        name: f"sha256:{hashlib.sha256(content).hexdigest()}" for name, content in PLAIN.items()
    }
    assert _read(tmp_path) == {**PLAIN, archive.name: archive.read_bytes()}
    assert (tmp_path / "night/a.fits").stat().st_mtime == MODIFIED_AT


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_archive_of_another_kind_than_its_name_says_is_read_as_what_it_is(tmp_path: Path, ending: str) -> None:
    make_archive(tmp_path / f"x{ending}", FILES).rename(tmp_path / "y.zip")
    assert len(unpack_archive(tmp_path / "y.zip", LARGE)) == len(FILES)


def test_unpacking_again_changes_nothing(tmp_path: Path) -> None:
    archive = make_archive(tmp_path / "x.tar.gz", FILES)
    first = unpack_archive(archive, LARGE)
    before = _read(tmp_path)
    assert unpack_archive(archive, LARGE) == first
    assert _read(tmp_path) == before


def test_what_was_begun_is_begun_again(tmp_path: Path) -> None:
    (tmp_path / "empty.txt.part").write_bytes(b"something else, and longer")
    unpack_archive(make_archive(tmp_path / "x.zip", FILES), LARGE)
    assert (tmp_path / "empty.txt").read_bytes() == b""
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize("name", ["x.tar", "x.TAR.GZ", "x.tgz", "x.tar.bz2", "x.tbz", "x.tar.xz", "x.txz", "x.zip"])
def test_archives_are_known_by_their_names(name: str) -> None:
    assert is_archive(name)
    assert not is_archive(f"{name}.md5")


@pytest.mark.parametrize("name", ["x.fits.gz", "x.fits", "tar", "zip", "xtar", "x.gz", "x.tar.part", "x.zip\n"])
def test_other_files_are_none(name: str) -> None:
    assert not is_archive(name)


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_archive_that_is_cut_or_damaged_is_kept_aside_and_nothing_of_it_unpacked(
    tmp_path: Path, ending: str
) -> None:
    archive = make_archive(tmp_path / f"x{ending}", {"a": random.Random(1).randbytes(50_000), **FILES})
    archive.write_bytes(archive.read_bytes()[:-12_000])
    with pytest.raises(Refused, match="kept as x") as refused:
        unpack_archive(archive, LARGE)
    assert refused.value.is_permanent
    assert [path.name for path in tmp_path.iterdir()] == [f"x{ending}.refused"]


def test_a_name_that_is_too_long_for_more_is_shortened_when_it_is_kept_aside(tmp_path: Path) -> None:
    archive = tmp_path / f"{'ü' * 123}.zip"
    archive.write_bytes(b"nonsense")
    with pytest.raises(Refused, match="cannot be read"):
        unpack_archive(archive, LARGE)
    assert [path.suffix for path in tmp_path.iterdir()] == [".refused"]


def test_a_time_that_no_file_has_is_left_out(tmp_path: Path) -> None:
    entries = (make_entry(f"{at}", b"x", mtime=at) for at in (-1, 1e300))
    assert len(unpack_archive(make_tar(tmp_path / "x.tar", *entries), LARGE)) == 2


def test_killed_at_any_moment_it_leaves_whole_files_and_the_next_call_the_rest(tmp_path: Path) -> None:
    files = {f"{number}.fits": random.Random(number).randbytes(400_000) for number in range(20)}
    archive = make_archive(tmp_path / "x.tar", files)
    call = f"unpack_archive(Path({str(archive)!r}), 1 << 40)"
    program = f"from pathlib import Path; from runner.archive.fetch.members import unpack_archive; {call}"
    for number in (3, 14):
        process = subprocess.Popen([sys.executable, "-c", program])
        while process.poll() is None and not (tmp_path / f"{number}.fits.part").exists():
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        process.wait()
        whole = {name: content for name, content in _read(tmp_path).items() if name.endswith(".fits")}
        assert whole.items() <= files.items()
    unpack_archive(archive, LARGE)
    assert _read(tmp_path) == {**files, archive.name: archive.read_bytes()}


@given(st.sampled_from(ENDINGS), st.data())
def test_nonsense_is_refused_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, ending: str, data: st.DataObject
) -> None:
    directory = tmp_path_factory.mktemp("nonsense")
    archive = make_archive(directory / f"x{ending}", {"a": b"photons" * 40, "b/c": b"x"})
    content = bytearray(archive.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    archive.write_bytes(content[: data.draw(st.integers(0, len(content)))] if data.draw(st.booleans()) else content)
    try:
        unpack_archive(archive, LARGE)
    except Refused:
        assert not list(directory.rglob("*.part"))
