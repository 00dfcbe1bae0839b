"""A backup back into a state directory that has nothing yet: beside it first, then there in one step."""

from __future__ import annotations

import gzip
import os
import shutil
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from runner.backup.manifest import MANIFEST, STATE, Manifest, decode_manifest
from runner.backup.write import Watch
from runner.errors import TryLater, UserError
from runner.home.audit import Audit, record_audit
from runner.home.sync import sync_directory
from runner.launch.lock import take_lock
from runner.launch.state import make_state

_MANIFEST_BYTES = 1 << 16
_DAMAGES = (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, ValueError)
# What becomes of two members in one place, or of one without its directory.
_CLASHES = (FileExistsError, FileNotFoundError, IsADirectoryError, NotADirectoryError)


@dataclass(slots=True)
class Restored:
    """What a backup has."""

    manifest: Manifest
    files: int = 0
    size_bytes: int = 0


def restore_backup(path: Path, state: Path, host: str, watch: Watch | None = None) -> Restored:
    """Make a state directory of a backup; at any other end it is what it was: absent, or without a file.

    Parameters
    ----------
    host
        Where we are, for the audit.
    watch
        Is told of each file how many bytes it has had.

    Raises
    ------
    UserError
        The backup is damaged or none of ours, or the state directory has files.
    TryLater
        Another restore goes on.
    """
    state = state.resolve()
    check_empty(state)
    with _beside(state) as room:
        restored = read_backup(path, room, watch)
        make_state(str(room))
        record_audit(str(room), host, Audit("state restore", f"runner state restore {path}", detail=str(path)))
        for place, _, _ in os.walk(room, topdown=False):
            sync_directory(Path(place))
        _remove_directories(state)
        room.rename(state)
    sync_directory(state.parent)
    return restored


def read_backup(path: Path, room: Path | None = None, watch: Watch | None = None) -> Restored:
    """Read a backup to its last byte, into the directory `room` if there is one; UserError if it is damaged."""
    try:
        # The sum at the end of the gzip file is of all bytes: whoever has read to there has what was written.
        with gzip.open(path) as stream, tarfile.open(fileobj=stream, mode="r:") as archive:
            restored = Restored(_read_manifest(archive))
            modes: dict[Path, int] = {}
            while member := archive.next():
                _take(archive, member, room, modes)
                restored.files += member.isreg()
                restored.size_bytes += member.size
                if watch:
                    watch(member.size)
            while stream.read(1 << 20):
                pass
        # Last of all, since some of them may not be written to.
        for directory, mode in modes.items():
            directory.chmod(mode)
    except (*_DAMAGES, *_CLASHES) as error:
        raise UserError(
            f"{path}: no whole backup of ours, {error or 'it ends too soon'}; nothing was changed"
        ) from None
    return restored


def check_empty(state: Path) -> None:
    """Raise UserError if there is a file in a state directory, or it cannot be replaced."""
    if state.is_mount():
        hint = "restore while it is not mounted, and move what comes there onto it"
        raise UserError(f"{state} is a mount point, which no directory can take the place of; {hint}")
    found = next((f"{place}/{names[0]}" for place, _, names in os.walk(state) if names), None)
    if found or (state.exists() and not state.is_dir()):
        raise UserError(f"{state} holds {found or 'no directory'}; move it away first: mv {state} {state}.before")


def _read_manifest(archive: tarfile.TarFile) -> Manifest:
    member = archive.next()
    file = archive.extractfile(member) if member and member.isreg() and member.name == MANIFEST else None
    if file is None:
        raise ValueError("it does not begin with a manifest")
    return decode_manifest(file.read(_MANIFEST_BYTES))


def _take(archive: tarfile.TarFile, member: tarfile.TarInfo, room: Path | None, modes: dict[Path, int]) -> None:
    """Write one member into `room`; ValueError if it would come to lie elsewhere, or is no file and no directory.

    Which modes directories are to have is entered in `modes`.
    """
    parts = PurePosixPath(member.name).parts
    if parts[:1] != (STATE,) or len(parts) < 2 or ".." in parts or not (member.isreg() or member.isdir()):
        raise ValueError(f"it has {member.name!r}, which no backup has")
    if room is None:
        return
    path, mode = room.joinpath(*parts[1:]), member.mode & 0o777
    if member.isdir():
        path.mkdir(mode=0o700)
        modes[path] = mode
        return
    file = archive.extractfile(member)
    assert file
    with file, open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as copy:
        shutil.copyfileobj(file, copy, 1 << 20)
        copy.flush()
        os.fchmod(copy.fileno(), mode)
        os.utime(copy.fileno(), (member.mtime, member.mtime))
        os.fsync(copy.fileno())


@contextmanager
def _beside(state: Path) -> Iterator[Path]:
    """Make an empty directory beside the state directory; unless it is renamed it goes, at the latest next time."""
    room = state.with_name(f"{state.name}.restoring")
    make_state(str(room))
    descriptor = os.open(room, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if not take_lock(descriptor):
            raise TryLater(f"{room}: another restore goes on")
        try:
            _empty(room)
            yield room
        except OSError as error:
            error.filename = error.filename or str(room)
            raise
        finally:
            shutil.rmtree(room, ignore_errors=True)
    finally:
        os.close(descriptor)


def _empty(room: Path) -> None:
    """Remove what is in a directory: all that a killed restore has left, or `make_state` has made."""
    for path in room.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def _remove_directories(state: Path) -> None:
    """Make way: remove a directory that has no files; OSError if it has some by now."""
    for place, _, _ in os.walk(state, topdown=False):
        Path(place).rmdir()
