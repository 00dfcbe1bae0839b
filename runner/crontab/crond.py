"""The cron.d edge: one file of /etc/cron.d, which has a user column, and why a cron would ignore it (CRON-50).

There is no program between us and the daemon: nobody checks the text but we, by what the daemon would make of it,
and whatever is wrong with the file itself the daemon only tells the system log.
"""

from __future__ import annotations

import os
import pwd
import re
import stat
import time
from dataclasses import dataclass
from pathlib import Path

from runner.crontab.dialects import CRONIE, Dialect
from runner.crontab.explain.values import Table as Explained
from runner.crontab.tables import Verdict, find_own_refusal
from runner.errors import TryLater
from runner.launch.state import write_all

DIRECTORY = Path("/etc/cron.d")

_NAME = re.compile("[A-Za-z0-9_-]+")
_CRONIE_SKIPS = re.compile(r"[.#].*|.*~|.*\.(?:rpmsave|rpmorig|rpmnew|swp)|cron\.hostname")


@dataclass(frozen=True, slots=True)
class CronFile:
    """A file of /etc/cron.d.

    Attributes
    ----------
    path
        Where it is.
    account
        Whom its user column names.
    dialect
        Which cron reads it.
    """

    path: Path
    account: pwd.struct_passwd
    dialect: Dialect

    @property
    def name(self) -> str:
        """Its path."""
        return str(self.path)

    @property
    def system(self) -> bool:
        """Yes: any user's jobs may stand there."""
        return True

    @property
    def judge(self) -> str:
        """The daemon, since no program stands before it."""
        return "cron"

    def read(self) -> bytes | None:
        """Return its bytes, see `Table.read`."""
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise TryLater(f"cannot read the crontab; {self.path}: {error.strerror}") from error

    def write(self, text: bytes | None) -> str:
        """Replace the file by rename, or remove it, see `Table.write`."""
        try:
            if text is None:
                self.path.unlink()
            else:
                self._replace(text)
            _sync(self.path.parent)
        except OSError as error:
            return f"{self.path}: {error.strerror}"
        return ""

    def read_dialect(self) -> Dialect:
        """Return which cron reads it."""
        return self.dialect

    def check(self, dialect: Dialect, text: bytes) -> Verdict:
        """Return what the daemon would refuse, by our own reading: crontab(1) knows no user column."""
        return Verdict(asked=True, refusal=find_own_refusal(dialect, Explained(text, system=True)))

    def find_flaws(self, dialect: Dialect) -> list[str]:
        """Return why cron ignores the file, see `Table.find_flaws`."""
        try:
            seen = self.path.lstat()
        except FileNotFoundError:
            return []
        try:
            meant = self.path.stat()
        except OSError as error:
            return [f"it is a symbolic link that leads to nothing ({error.strerror})"]
        return find_file_flaws(self.path.name, seen, meant, dialect)

    def find_lasting_flaws(self, other: Path) -> list[str]:
        """Return why cron will ignore the file also after `other`, a file beside it, is replaced or removed.

        Of two hard links the one that is left is sound, and a symbolic link then leads to what we wrote.
        """
        if other.is_file() and self.path.samefile(other):
            return find_name_flaws(self.path.name, self.dialect)
        return self.find_flaws(self.dialect)

    def _replace(self, text: bytes) -> None:
        # No cron reads a name that begins with a dot; of a killed install it may still be there.
        temporary = self.path.with_name(f".{self.path.name}")
        temporary.unlink(missing_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(temporary, flags, 0o600)
        try:
            try:
                os.fchown(descriptor, 0, 0)
                os.fchmod(descriptor, 0o644)
                write_all(descriptor, text)
                changed_at = self._choose_time(time.time())
                os.utime(descriptor, (changed_at, changed_at))
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            temporary.rename(self.path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise

    def _choose_time(self, now: float) -> float:
        """Return a time of change in another second than that of the file before: Debian's cron looks at no more."""
        try:
            return max(now, int(self.path.lstat().st_mtime) + 1.0)
        except FileNotFoundError:
            return now


def find_file_flaws(name: str, seen: os.stat_result, meant: os.stat_result, dialect: Dialect) -> list[str]:
    """Return why a cron ignores a file of /etc/cron.d whatever its text is.

    Debian's as observed of 3.0pl1-162, cronie's as its source has it.

    Parameters
    ----------
    name
        Of the file in its directory.
    seen, meant
        Its status, and that of what it points to where it is a symbolic link.
    dialect
        The cron.
    """
    flaws = find_name_flaws(name, dialect)
    if not stat.S_ISREG(meant.st_mode):
        return [*flaws, "it is no regular file"]
    owners = {one.st_uid for one in (seen, meant)} - {0}
    if owners:
        flaws.append(f"its owner is uid {min(owners)}, not root")
    mode, wrong = stat.S_IMODE(meant.st_mode), 0o7133 if dialect is CRONIE else 0o022
    if mode & wrong:
        flaws.append(f"its mode is {mode:04o}, not 0644")
    if not stat.S_ISLNK(seen.st_mode) and meant.st_nlink != 1:
        flaws.append(f"it has {meant.st_nlink} hard links")
    return flaws


def find_name_flaws(name: str, dialect: Dialect) -> list[str]:
    """Return why a cron does not look at a file of /etc/cron.d of that name."""
    if dialect is CRONIE:
        return [f"its name is {name}"] if _CRONIE_SKIPS.fullmatch(name) else []
    return [] if _NAME.fullmatch(name) else [f"its name is {name}, of which only A-Z a-z 0-9 _ - may be part"]


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
