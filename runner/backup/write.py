"""A state directory into one file, while jobs run: what a power cut in this moment would have left on the disk.

What runner does after a power cut it does after a restore, too: runs that went on are lost, slots since then were
missed, alerts of which nobody knows whether they were sent are sent again. So no more than this has to be right: no
sweep is at work while what it writes is copied, since its lock is held; and the ledger is copied before the journal.
What is in both is drained once more, which changes nothing (`ledger.drain`); the other way round a day of the journal
could be in neither.
"""

from __future__ import annotations

import io
import os
import shutil
import sqlite3
import stat
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import BinaryIO

from runner.backup.manifest import MANIFEST, STATE, Manifest
from runner.database.connect import connect
from runner.errors import TryLater
from runner.home.sync import sync_directory
from runner.launch.lock import take_lock
from runner.launch.record import open_record
from runner.launch.state import (
    BACKUPS,
    DATABASE,
    DRAINED,
    JOURNAL,
    LATEST_LOG,
    LOGS,
    PRODUCTS,
    SWEEP_ALIVE,
    TEMPORARY,
    WORK,
    open_own,
)

# What no sweep writes, and may be large.
_LATER = (BACKUPS, PRODUCTS, WORK, LOGS)
# The ledger is copied by SQLite. How much of the journal it has it says itself: `drained` may be of a moment later.
_NOT_AS_IT_STANDS = {f"{JOURNAL}/{DRAINED}", *(DATABASE + suffix for suffix in ("", "-wal", "-shm", "-journal"))}
_IN_MEMORY_BYTES = 1 << 24
# A sweep that posts to a server which hangs gives up sooner.
_PATIENCE_S = 120.0

Watch = Callable[[int], None]


@dataclass(slots=True)
class Written:
    """What went into a backup.

    Attributes
    ----------
    left_out
        Paths below the state directory of what is neither a file nor a directory.
    unread
        Paths of what could not be read, each with the reason.
    """

    files: int = 0
    size_bytes: int = 0
    left_out: list[str] = field(default_factory=list)
    unread: list[tuple[str, str]] = field(default_factory=list)


def write_backup(manifest: Manifest, path: Path, watch: Watch | None = None) -> Written:
    """Write the backup that `manifest` tells of; `path` has it whole, or is what it was.

    Parameters
    ----------
    watch
        Is told of each file how many bytes it has had.

    Raises
    ------
    TryLater
        Another backup to that path goes on, or a sweep does not end.
    OSError
        No room, or a path that cannot be written; it is named.
    """
    state, ledger = Path(manifest.state), Path(f"{path}.db{TEMPORARY}")
    with _replacing(path, ledger) as file, tarfile.open(fileobj=file, mode="w:gz", compresslevel=6) as archive:
        backup = _Backup(archive, state, path.parent, watch)
        backup.add_manifest(manifest)
        with _without_sweep(state):
            if manifest.has_ledger:
                _copy_ledger(state / DATABASE, ledger)
            for name in sorted({path.name for path in state.iterdir()} - set(_LATER)):
                backup.add_tree(name)
        if manifest.has_ledger:
            backup.add_file(ledger, DATABASE)
        for name in _LATER:
            if name != LOGS or manifest.has_logs:
                backup.add_tree(name)
    return backup.written


def measure_state(manifest: Manifest) -> int:
    """Return about how many bytes a backup will have, before they are compressed."""
    total = 0
    for place, directories, names in os.walk(manifest.state):
        if place == manifest.state and not manifest.has_logs:
            directories[:] = [name for name in directories if name != LOGS]
        for name in names:
            with suppress(FileNotFoundError):
                total += os.lstat(f"{place}/{name}").st_size
    return total


class _Backup:
    """A backup that is being written: what `written` says is in the archive."""

    def __init__(self, archive: tarfile.TarFile, state: Path, scratch: Path, watch: Watch | None) -> None:
        self.written = Written()
        self._archive = archive
        self._state = state
        self._scratch = scratch
        self._watch = watch

    def add_manifest(self, manifest: Manifest) -> None:
        """Add what is read first."""
        data = manifest.encode()
        member = tarfile.TarInfo(MANIFEST)
        member.size, member.mode, member.mtime = len(data), 0o600, int(time.time())
        self._archive.addfile(member, io.BytesIO(data))

    def add_tree(self, top: str) -> None:
        """Add a file or a directory with all that is in it, by its path in the state directory."""
        names = [top]
        while names:
            name = names.pop()
            if name in _NOT_AS_IT_STANDS:
                continue
            try:
                names += self._add(self._state / name, name)
            except FileNotFoundError:
                continue  # its time was over
            except PermissionError as error:
                self.written.unread.append((name, str(error.strerror)))

    def add_file(self, path: Path, name: str) -> None:
        """Add a file as it is now: a copy of it, since an archive says how long a file is before its bytes come."""
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with (
            open(os.open(path, flags), "rb") as file,
            SpooledTemporaryFile(_IN_MEMORY_BYTES, dir=str(self._scratch)) as copy,
        ):
            shutil.copyfileobj(file, copy, 1 << 20)
            member = _make_member(name, os.fstat(file.fileno()))
            member.size = copy.tell()
            copy.seek(0)
            self._archive.addfile(member, copy)
        self.written.files += 1
        self.written.size_bytes += member.size
        if self._watch:
            self._watch(member.size)

    def _add(self, path: Path, name: str) -> list[str]:
        """Add one file or directory; return what is in it, last things first."""
        status = path.lstat()
        if stat.S_ISDIR(status.st_mode):
            inside = [f"{name}/{one.name}" for one in sorted(path.iterdir(), reverse=True)]
            member = _make_member(name, status)
            member.type = tarfile.DIRTYPE
            self._archive.addfile(member)
            return inside
        if stat.S_ISREG(status.st_mode):
            self.add_file(path, name)
        elif path.name != LATEST_LOG:
            self.written.left_out.append(name)
        return []


def _make_member(name: str, status: os.stat_result) -> tarfile.TarInfo:
    member = tarfile.TarInfo(f"{STATE}/{name}")
    member.mode, member.mtime = stat.S_IMODE(status.st_mode), status.st_mtime
    return member


@contextmanager
def _replacing(path: Path, *scratch: Path) -> Iterator[BinaryIO]:
    """Open what takes the place of `path` when all is well; what a killed writer left of it is written anew."""
    temporary = Path(f"{path}{TEMPORARY}")
    try:
        with open(open_own(str(temporary), os.O_RDWR), "w+b") as file:
            if not take_lock(file.fileno()) or not _is_at(file, temporary):
                raise TryLater(f"{path}: another backup is being written there")
            try:
                file.truncate()
                yield file
                file.flush()
                os.fsync(file.fileno())
                temporary.rename(path)
            finally:
                for left in (temporary, *scratch):
                    left.unlink(missing_ok=True)
        sync_directory(path.parent)
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


def _is_at(file: BinaryIO, path: Path) -> bool:
    """Whether an open file still has that name: whoever had the lock before may have moved it to its place."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.lstat())
    except FileNotFoundError:
        return False


@contextmanager
def _without_sweep(state: Path) -> Iterator[None]:
    """Keep the sweep from working; one that is due meanwhile leaves it to the next minute's."""
    alive = open_record(f"{state}/{SWEEP_ALIVE}")
    try:
        until = time.monotonic() + _PATIENCE_S
        while not take_lock(alive):
            if time.monotonic() > until:
                raise TryLater(f"{state}/{SWEEP_ALIVE}: a sweep has been at work for {_PATIENCE_S:.0f} s")
            time.sleep(0.05)
        yield
    finally:
        os.close(alive)


def _copy_ledger(ledger: Path, copy: Path) -> None:
    """Copy a database as it is now, whoever writes to it."""
    copy.unlink(missing_ok=True)
    os.close(open_own(str(copy), os.O_RDWR))  # SQLite would create it for all to read
    with connect(f"sqlite:///{ledger}") as database, closing(database.open_connection()) as source:
        try:
            with closing(sqlite3.connect(copy)) as target:
                target.execute("PRAGMA journal_mode = OFF")
                target.execute("PRAGMA synchronous = OFF")
                source.backup(target)
        except sqlite3.Error as error:
            raise TryLater(f"{ledger}: cannot be copied to {copy}: {error}") from None
