"""Pulling a replica: what is fetched, looked at, kept aside and replaced, in an order that any crash leaves whole.

All that is written passes through a private directory beside the files and is renamed from there, under a lock.
What a pull was about to do stands in ``.replica.json`` before it replaces the first file, so that the next one
takes no file of ours for an edit.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from runner.errors import TryLater, UserError
from runner.home.sync import sync_directory
from runner.launch.hosts import matches_host
from runner.launch.instant import format_instant
from runner.launch.state import make_directory, read_file, write_file
from runner.profiles.origins import Seen, fetch, look, read_own_stamp, read_plain
from runner.profiles.properties.compare import diff_masked
from runner.profiles.replicas import (
    KEPT,
    RECORD,
    Deed,
    Record,
    Step,
    begin_record,
    encode_record,
    end_record,
    is_property_file,
    is_too_few,
    parse_record,
    plan_pull,
)

_LOCK = ".replica.lock"
_STAGING = ".staging"
_MODE, _KEPT_MODE, _RECORD_MODE = 0o440, 0o600, 0o644
_NO_SIGNS = str.maketrans("", "", "-:")


@dataclass(frozen=True, slots=True)
class Mirror:
    """A replica's directory, and ``/DIRECTORY`` or ``HOST:/DIRECTORY`` that it is a copy of."""

    directory: Path
    origin: str


@dataclass(frozen=True, slots=True)
class Pull:
    """A pull that is decided and not done.

    Attributes
    ----------
    staging
        Where the origin's files are.
    record
        What was pulled before.
    origin
        Name to digest of its plain files.
    replica
        What is here.
    left
        Names that are no plain files at the origin.
    ignored
        Names there that no profile can have.
    """

    mirror: Mirror
    staging: Path
    record: Record
    origin: dict[str, str]
    replica: dict[str, Seen]
    left: tuple[str, ...]
    ignored: tuple[str, ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """A step that was done: where the file that was there is kept (empty: nowhere), and what was edited in it."""

    step: Step
    kept: str = ""
    diff: tuple[str, ...] = ()


@contextmanager
def prepare_pull(mirror: Mirror, host: str, *, fewer: bool, is_dry: bool) -> Iterator[Pull]:
    """Fetch what the origin has and decide what to do; unless `is_dry`, the replica is locked meanwhile.

    Raises
    ------
    UserError
        The origin is refused: it is the replica itself, or has too few files (unless `fewer`).
    TryLater
        There is no way to the origin, another pull goes on, or the disk is full.
    """
    _check_origin(mirror, host)
    with _private_directory() if is_dry else _locked(mirror) as staging:
        with _telling(mirror.directory):
            pull = _prepare(mirror, staging, fewer=fewer)
        yield pull


def _prepare(mirror: Mirror, staging: Path, *, fewer: bool) -> Pull:
    record = find_record(mirror.directory)
    replica = look(mirror.directory) if mirror.directory.is_dir() else {}
    fetch(mirror.origin, staging)
    staged = look(staging)
    origin = {name: seen.digest for name, seen in staged.items() if seen.digest}
    left = tuple(sorted(staged.keys() - origin.keys()))
    ignored = tuple(sorted(path.name for path in staging.iterdir() if not is_property_file(path.name)))
    if is_too_few(len(origin), len(replica), record) and not fewer:
        before = len(record.files) if record.pulled_at else len(replica)
        message = f"{mirror.origin} has {len(origin)} property files where {before} were before"
        raise UserError(f'{message}: nothing is changed; if that is right, pull once with "--fewer"')
    steps = plan_pull(origin, _list_digests(replica), record, left)
    return Pull(mirror, staging, record, origin, replica, left, ignored, steps)


def _check_origin(mirror: Mirror, host: str) -> None:
    """Refuse to pull a directory from itself."""
    place, _, path = mirror.origin.rpartition(":")
    is_here = not place or matches_host([place.rpartition("@")[2]], host)
    if is_here and os.path.realpath(path) == os.path.realpath(mirror.directory):
        raise UserError(f"capo.mirror: {mirror.directory} is its own origin")


def find_record(directory: Path) -> Record:
    """Return what is on record of a replica, an empty record if nothing is; UserError if it is damaged."""
    path = directory / RECORD
    data = read_file(str(path))
    try:
        return parse_record(data) if data is not None else Record()
    except ValueError:
        hint = "remove it, and the next pull keeps aside every file that is not as at the origin"
        raise UserError(f"{path}: damaged; {hint}") from None


def apply_pull(pull: Pull, clock: Callable[[], float], tell: Callable[[Done], None]) -> None:
    """Do what was decided, file by file; `tell` hears of each one at once. TryLater leaves every file whole."""
    name = pull.mirror.origin
    with _telling(pull.mirror.directory):
        if pull.steps:
            _write_record(pull, begin_record(name, pull.origin, _list_digests(pull.replica), pull.record))
            sync_directory(pull.mirror.directory)
        for step in pull.steps:
            tell(_take(step, pull, clock()))
        # The names must be on disk before the record says so.
        sync_directory(pull.mirror.directory)
        _write_record(pull, end_record(name, pull.origin, pull.left, pull.record, clock()))


def _take(step: Step, pull: Pull, now: float) -> Done:
    path, staged = pull.mirror.directory / step.name, pull.staging / step.name
    if step.deed is not Deed.MOVE:
        _finish(staged)
    done = _keep_aside(step, pull, now) if step.keeps else Done(step)
    seen = pull.replica.get(step.name)
    if read_own_stamp(path) not in (None, seen.stamp if seen else None):
        raise TryLater(f"{path}: somebody changes it just now; the next pull looks again")
    if step.deed is Deed.MOVE:
        path.unlink(missing_ok=True)
    else:
        staged.rename(path)
    return done


def _keep_aside(step: Step, pull: Pull, now: float) -> Done:
    """Copy a file to ``.local``; what cannot be read is moved there, and is missing for an instant."""
    directory = pull.mirror.directory
    path, kept = directory / step.name, _find_free_name(directory / KEPT, step.name, now)
    data = read_plain(path)
    if data is None:
        path.rename(kept)
        return Done(step, f"{KEPT}/{kept.name}")
    _put(data, pull.staging / "kept", kept, _KEPT_MODE)
    sync_directory(kept.parent)
    wanted = read_plain(pull.staging / step.name) if step.deed is Deed.OVERWRITE else None
    return Done(step, f"{KEPT}/{kept.name}", tuple(diff_masked(data, wanted)) if wanted is not None else ())


def _find_free_name(directory: Path, name: str, now: float) -> Path:
    make_directory(str(directory))
    if directory.is_symlink():
        raise UserError(f"{directory} is a link, where edited files would be kept; make it a directory")
    while os.path.lexists(kept := directory / f"{name}.{format_instant(now).translate(_NO_SIGNS)}"):
        now += 1e-6
    return kept


def _write_record(pull: Pull, record: Record) -> None:
    _put(encode_record(record), pull.staging / "record", pull.mirror.directory / RECORD, _RECORD_MODE)


def _put(data: bytes, staged: Path, path: Path, mode: int) -> None:
    write_file(str(staged), data, mode)
    staged.rename(path)


def _finish(staged: Path) -> None:
    """Give a fetched file its mode, and have it on disk."""
    descriptor = os.open(staged, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        os.fchmod(descriptor, _MODE)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _list_digests(files: Mapping[str, Seen]) -> dict[str, str]:
    return {name: seen.digest for name, seen in files.items()}


# Where a pull works


@contextmanager
def _private_directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as path:
        yield Path(path)


@contextmanager
def _locked(mirror: Mirror) -> Iterator[Path]:
    """Lock a replica, which is made if only its last directory is missing; return an empty directory of it."""
    with _telling(mirror.directory):
        make_directory(str(mirror.directory), 0o755)
        _check_account(mirror.directory)
        lock = os.open(mirror.directory / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        with _telling(mirror.directory):
            _take_lock(lock, mirror.directory)
            staging = mirror.directory / _STAGING
            if os.path.lexists(staging):  # of a pull that was killed
                shutil.rmtree(staging)
            staging.mkdir(mode=0o700)
        try:
            yield staging
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    finally:
        os.close(lock)


def _take_lock(descriptor: int, directory: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise TryLater(f"{directory}: another pull goes on") from None


def _check_account(directory: Path) -> None:
    """Refuse to leave root's files, which its own account could not read, in somebody's directory."""
    owner = directory.stat().st_uid
    if os.geteuid() == 0 and owner != 0:
        raise UserError(f"{directory} belongs to uid {owner}: pull as that user (runuser -u USER -- runner ...)")


@contextmanager
def _telling(directory: Path) -> Iterator[None]:
    """Translate what the system refuses."""
    try:
        yield
    except OSError as error:
        raise TryLater(f"{error.filename or directory}: {error.strerror or error}") from error
