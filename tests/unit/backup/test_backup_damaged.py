"""Backups that are damaged, or that somebody has made: one line, and nothing is changed."""

from __future__ import annotations

import fcntl
import gzip
import io
import json
import os
import tarfile
from pathlib import Path

import pytest
from backup_kills import digest_tree, make_manifest

from runner.backup.manifest import FORMAT, MANIFEST
from runner.backup.restore import read_backup, restore_backup
from runner.backup.write import write_backup
from runner.database.connect import connect
from runner.errors import TryLater, UserError
from runner.launch.state import DATABASE, make_state

MANIFEST_DATA = make_manifest(Path("/srv/state")).encode()


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state directory with a ledger and a file of each kind of place."""
    state = tmp_path / "state"
    make_state(str(state))
    connect(f"sqlite:///{state / DATABASE}").close()
    for name in ("journal/2026-11-26.jsonl", "health/job", "work/job/notes", "logs/job/1.log"):
        path = state / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(name.encode() * 50)
    return state


@pytest.fixture
def file(state: Path, tmp_path: Path) -> Path:
    """A backup of it."""
    file = tmp_path / "kept.tar.gz"
    write_backup(make_manifest(state), file)
    return file


def test_a_backup_that_ends_too_soon_is_refused_at_whatever_byte(file: Path, tmp_path: Path) -> None:
    data = file.read_bytes()
    for length in range(0, len(data), 17):
        file.write_bytes(data[:length])
        with pytest.raises(UserError, match=r"no whole backup of ours, .+; nothing was changed"):
            restore_backup(file, tmp_path / "new", "host")
        assert {path.name for path in tmp_path.iterdir()} == {"state", "kept.tar.gz"}


def test_a_backup_with_a_wrong_byte_is_refused_or_no_different(file: Path, tmp_path: Path) -> None:
    """The header of gzip, forty bytes at most, has a time and a name that nobody needs."""
    data = bytearray(file.read_bytes())
    restore_backup(file, tmp_path / "whole", "host")
    whole = digest_tree(tmp_path / "whole")
    refused = 0
    for position in range(0, len(data), 7):
        changed = bytearray(data)
        changed[position] ^= 0x55
        file.write_bytes(changed)
        new = tmp_path / f"new{position}"
        try:
            restore_backup(file, new, "host")
        except UserError:
            refused += 1
            assert not new.exists()
        else:
            assert position < 40
            assert digest_tree(new) == whole
    assert refused > 50


def _pack(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for member, data in members:
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def _member(name: str, **fields: object) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    for key, value in fields.items():
        setattr(member, key, value)
    return member


BEGIN = (_member(MANIFEST), MANIFEST_DATA)
PLANTED = {
    "upwards": [(_member("state/../../x"), b"x")],
    "absolute": [(_member("/tmp/x"), b"x")],
    "beside": [(_member("x"), b"x")],
    "the state itself": [(_member("state"), b"x")],
    "a link": [(_member("state/x", type=tarfile.SYMTYPE, linkname="/etc/passwd"), b"")],
    "a hard link": [(_member("state/x", type=tarfile.LNKTYPE, linkname="/etc/passwd"), b"")],
    "a fifo": [(_member("state/x", type=tarfile.FIFOTYPE), b"")],
    "a device": [(_member("state/x", type=tarfile.CHRTYPE), b"")],
    "one name twice": [(_member("state/x"), b"1"), (_member("state/x"), b"2")],
    "a file as directory": [(_member("state/x"), b"1"), (_member("state/x/y"), b"2")],
    "no directory": [(_member("state/y/x"), b"1")],
    "NUL in a name": [(_member("state/x\0y", pax_headers={"path": "state/x\0y"}), b"")],
}


@pytest.mark.parametrize("case", PLANTED)
def test_nothing_comes_to_lie_elsewhere(tmp_path: Path, case: str) -> None:
    file = _pack(tmp_path / "kept.tar.gz", BEGIN, *PLANTED[case])
    before = set(Path("/tmp").iterdir())
    with pytest.raises(UserError, match="no whole backup of ours"):
        restore_backup(file, tmp_path / "state", "host")
    assert [path.name for path in tmp_path.iterdir()] == ["kept.tar.gz"]
    assert Path("/tmp/x") not in set(Path("/tmp").iterdir()) - before


FOREIGN = {
    "no gzip": (b"PK\3\4" * 50, "Not a gzipped file"),
    "no tar": (gzip.compress(b"x" * 5000), "header"),
    "empty": (b"", "ends too soon|empty"),
    "text": (gzip.compress(b""), "empty|manifest"),
}


@pytest.mark.parametrize("case", FOREIGN)
def test_what_is_no_backup_is_told_by_its_first_bytes(tmp_path: Path, case: str) -> None:
    data, message = FOREIGN[case]
    (tmp_path / "kept.tar.gz").write_bytes(data)
    with pytest.raises(UserError, match=message):
        read_backup(tmp_path / "kept.tar.gz")


FIELDS = json.loads(MANIFEST_DATA)
MANIFESTS = {
    "newer": (json.dumps({**FIELDS, "format": FORMAT + 1}), "a newer runner has written it"),
    "another key": (json.dumps({**FIELDS, "x": 1}), "its manifest is none of ours"),
    "a key less": (json.dumps({"format": FORMAT}), "its manifest is none of ours"),
    "a list": ("[1]", "its manifest is none of ours"),
    "no JSON": ("{", "Expecting property name"),
}


@pytest.mark.parametrize("case", MANIFESTS)
def test_a_manifest_that_we_do_not_know_is_refused(tmp_path: Path, case: str) -> None:
    text, message = MANIFESTS[case]
    file = _pack(tmp_path / "kept.tar.gz", (_member(MANIFEST), text.encode()))
    with pytest.raises(UserError, match=message):
        read_backup(file)


def test_two_at_once_do_not_disturb_each_other(state: Path, file: Path, tmp_path: Path) -> None:
    with open(f"{file}.tmp", "wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(TryLater, match="another backup is being written there"):
            write_backup(make_manifest(state), file)
        assert Path(f"{file}.tmp").exists()
    room = tmp_path / "new.restoring"
    room.mkdir()
    with open(room / "x", "wb"):
        pass
    descriptor = os.open(room, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    with pytest.raises(TryLater, match="another restore goes on"):
        restore_backup(file, tmp_path / "new", "host")
    os.close(descriptor)
    restore_backup(file, tmp_path / "new", "host")
    assert not room.exists()
    assert digest_tree(tmp_path / "new").keys() == digest_tree(state).keys()


def test_a_state_that_gets_a_file_meanwhile_is_not_replaced(file: Path, tmp_path: Path) -> None:
    new = tmp_path / "new"
    new.mkdir()

    def watch(_: int) -> None:
        (new / "sweep.alive").write_text("somebody was quicker")

    with pytest.raises(OSError, match="not empty"):
        restore_backup(file, new, "host", watch)
    assert (new / "sweep.alive").read_text() == "somebody was quicker"
    assert not (tmp_path / "new.restoring").exists()


def test_names_and_sizes_of_all_kinds_come_back(state: Path, tmp_path: Path) -> None:
    work = state / "work" / "job"
    names = [b"a b", b"\xff\xfe", "é".encode(), b"x" * 250, b"-n", b"new\nline", b"*"]
    for number, name in enumerate(names):
        (work / name.decode("utf-8", "surrogateescape")).write_bytes(bytes(number) * 1000)
    deep = work
    for _ in range(60):
        deep = deep / "deep"
    deep.mkdir(parents=True)
    (deep / "end").write_bytes(b"x" * 20_000_000)
    watched: list[int] = []

    written = write_backup(make_manifest(state), tmp_path / "kept.tar.gz", watched.append)
    restored = restore_backup(tmp_path / "kept.tar.gz", tmp_path / "new", "host")

    assert digest_tree(tmp_path / "new") == digest_tree(state)
    assert (written.files, written.size_bytes) == (restored.files, restored.size_bytes)
    assert sum(watched) == written.size_bytes
