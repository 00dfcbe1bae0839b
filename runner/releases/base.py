"""One installation that is kept by builds: the directory with its releases, its lock, and the link to the one in use.

::

    BASE/
        cache.git             what was fetched; bare, for the builder alone
        releases/COMMIT/      a home, read-only
        environments/DIGEST/  the packages of one or more releases
        builds/               COMMIT.json and COMMIT.log of each build, refused ones too
        current               link to the release in use, replaced by rename
        switching             from which commit, while a switch goes on
        lock                  held by who builds, switches or prunes
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from runner.errors import TryLater, UserError
from runner.home.release import CURRENT, RELEASES, find_base
from runner.home.sync import sync_directory
from runner.launch.state import open_own, write_file


@dataclass(frozen=True, slots=True)
class Base:
    """The paths below one; `path` is real."""

    path: Path

    @property
    def cache(self) -> Path:
        """The bare repository that commits are fetched into."""
        return self.path / "cache.git"

    @property
    def environments(self) -> Path:
        """The directory of environments."""
        return self.path / "environments"

    @property
    def builds(self) -> Path:
        """The directory of what is known of each build."""
        return self.path / "builds"

    @property
    def current(self) -> Path:
        """The link to the release in use."""
        return self.path / CURRENT

    def release(self, commit: str) -> Path:
        """Return where the release of a commit is, or would be."""
        return self.path / RELEASES / commit

    def log(self, commit: str) -> Path:
        """Return the log of the build of a commit."""
        return self.builds / f"{commit}.log"


def find_base_of(option: Path | None, home: str | None, environ: Mapping[str, str], cwd: Path) -> Base:
    """Return the installation that a command is about.

    Parameters
    ----------
    option
        The value of ``--base``; else that counts of which the home (``--home``, else RUNNER_HOME) is a release, else
        the nearest directory upwards from `cwd` that is one.

    Raises
    ------
    UserError
        If there is none.
    """
    if option is not None:
        return Base((cwd / option).resolve())
    named = home or environ.get("RUNNER_HOME")
    if named:
        found = find_base((cwd / named).resolve())
        if found is None:
            raise UserError(f"{named} is no release; name the directory of the releases with --base")
        return Base(found)
    here = cwd.resolve()
    for directory in (here, *here.parents):
        if (directory / "cache.git").is_dir() and (directory / RELEASES).is_dir():
            return Base(directory)
    raise UserError(f"{cwd} is below no directory of releases; name one with --base")


def make_base(base: Base) -> None:
    """Make the directories of an installation; what is there stays."""
    if base.path.is_dir() and not base.cache.exists():
        others = sorted(path.name for path in base.path.iterdir() if path.name not in ("state", "lock"))
        if others and not (base.path / RELEASES).is_dir():
            raise UserError(f"{base.path} holds {others[0]} and no releases; name a new directory with --base")
    for directory in (base.path, base.path / RELEASES, base.environments, base.builds):
        directory.mkdir(mode=0o755, parents=True, exist_ok=True)


@contextmanager
def locked(base: Base) -> Iterator[int]:
    """Keep others from building, switching and pruning; yields what a started program inherits to go on doing so.

    TryLater if somebody else does: two builds at once would be one after the other anyway.
    """
    if not base.path.is_dir():
        raise UserError(f'there is no {base.path}; make it with "runner release build --base DIR --remote URL"')
    owner = base.path.stat().st_uid
    if os.geteuid() == 0 and owner != 0:
        raise UserError(
            f"{base.path} belongs to uid {owner}, who could change nothing of root's in it; do it as that user"
        )
    descriptor = open_own(f"{base.path}/lock", os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
        os.close(descriptor)
        raise TryLater(
            f"another build, switch or prune of {base.path} is going on (pid {holder or 'unknown'})"
        ) from None
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield descriptor
    finally:
        os.close(descriptor)


def read_current(base: Base) -> str:
    """Return the commit whose release is in use, empty if none is."""
    try:
        return base.current.readlink().name
    except FileNotFoundError:
        return ""


def point(base: Base, commit: str) -> None:
    """Make a release the one in use, by rename: whoever looks sees the old one or the new one. Empty: none is."""
    if not commit:
        base.current.unlink(missing_ok=True)
        return
    temporary = base.path / f".{CURRENT}"
    temporary.unlink(missing_ok=True)  # of one that was killed
    temporary.symlink_to(f"{RELEASES}/{commit}")
    temporary.rename(base.current)
    sync_directory(base.path)


def find_switching(base: Base) -> str | None:
    """Return from which commit (empty: none) a switch went that was killed; None if there is no such."""
    try:
        return (base.path / "switching").read_text("ascii").strip()
    except FileNotFoundError:
        return None


def note_switching(base: Base, commit: str | None) -> None:
    """Remember from which commit a switch goes, None when it is over."""
    path = base.path / "switching"
    if commit is None:
        path.unlink(missing_ok=True)
    else:
        write_file(str(path), f"{commit}\n".encode())
