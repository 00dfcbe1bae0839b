"""What an install asks of a crontab, wherever it is kept, and the crontab(1) edge (CRON-41, 42, 45).

The other kind of `Table`, a file of /etc/cron.d, is in `runner.crontab.crond`. What goes through here is bytes.
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from runner.crontab.dialects import Dialect, Refusal, choose_dialect, find_refusal, lacks_check, lists_escaped
from runner.crontab.explain.describe import explain_table
from runner.crontab.explain.values import Table as Explained
from runner.errors import TryLater, UserError
from runner.home.account import get_account

SENDMAIL = Path("/usr/sbin/sendmail")
TIMEOUT_S = 60.0

_ESCAPED = re.compile(rb"\\[br]")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check said: whether the daemon's own could be asked (else it was ours), and what is refused."""

    asked: bool
    refusal: Refusal | None = None


class Table(Protocol):
    """One crontab."""

    @property
    def account(self) -> pwd.struct_passwd:
        """Whose jobs our lines start."""

    @property
    def name(self) -> str:
        """How messages and the audit call it."""

    @property
    def system(self) -> bool:
        """Whether its lines have a user column, and only root may write it."""

    @property
    def judge(self) -> str:
        """Who refuses what `check` refuses."""

    def read(self) -> bytes | None:
        """Return the crontab, or None if there is none.

        Raises
        ------
        TryLater
            For every other failure: what could not be read must not count as empty (CRON-41).
        """

    def write(self, text: bytes | None) -> str:
        """Replace the crontab, or remove it for None; return what went wrong, or an empty text.

        Whatever it returns, only reading the crontab back tells what stands there now.
        """

    def read_dialect(self) -> Dialect:
        """Return which cron reads it."""

    def check(self, dialect: Dialect, text: bytes) -> Verdict:
        """Return what is refused of a text; nothing is installed.

        Raises
        ------
        TryLater
            If the check failed for a reason other than the text.
        """

    def find_flaws(self, dialect: Dialect) -> list[str]:
        """Return why cron ignores it whatever its text is (CRON-50); nothing of what is not there."""


@dataclass(frozen=True, slots=True)
class Crontab:
    """The program ``crontab`` for one user.

    Attributes
    ----------
    program
        Absolute path.
    account
        Whose crontab it keeps.
    options
        ``-u USER`` where the crontab is another user's.
    environment
        All that the program gets: a ``CRONTAB_NOHEADER=N`` of the caller would double header lines at each
        round trip (CRON-42).
    """

    program: str
    account: pwd.struct_passwd
    options: tuple[str, ...]
    environment: Mapping[str, str]

    @property
    def name(self) -> str:
        """The command that keeps it."""
        return " ".join([self.program, *self.options])

    @property
    def system(self) -> bool:
        """No: it is one user's."""
        return False

    @property
    def judge(self) -> str:
        """The daemon's own check."""
        return self.program

    def read(self) -> bytes | None:
        """Return what ``crontab -l`` lists, see `Table.read`."""
        done = _call(self, *self.options, "-l")
        if done.returncode == 0:
            return _read_unescaped(self, done.stdout) if _ESCAPED.search(done.stdout) else done.stdout
        if done.returncode == 1 and done.stderr.startswith(b"no crontab for"):
            return None
        raise TryLater(f"cannot read the crontab; {_describe(self, '-l', done)}")

    def write(self, text: bytes | None) -> str:
        """Have crontab(1) replace or remove it, see `Table.write`; the spool file is never touched."""
        if text is None:
            done = _call(self, *self.options, "-r")
            return _describe(self, "-r", done) if done.returncode else ""
        with _file_of(text) as file:
            done = _call(self, *self.options, file)
        return _describe(self, "FILE", done) if done.returncode else ""

    def read_dialect(self) -> Dialect:
        """Return which cron the program belongs to."""
        return choose_dialect(_read_version(self))

    def check(self, dialect: Dialect, text: bytes) -> Verdict:
        """Return what the daemon's own check says, see `Table.check`."""
        with _file_of(text) as file:
            done = _call(self, dialect.check_option, file)
        if done.returncode == 0:
            return Verdict(asked=True)
        output = done.stderr + done.stdout
        if refusal := find_refusal(output):
            return Verdict(asked=True, refusal=refusal)
        if lacks_check(output):
            own = Explained(text, owned_by_root=self.account.pw_uid == 0)
            return Verdict(asked=False, refusal=find_own_refusal(dialect, own))
        raise TryLater(f"{_describe(self, dialect.check_option + ' FILE', done)}")

    def find_flaws(self, dialect: Dialect) -> list[str]:
        """Return none: crontab(1) sees to the spool file itself."""
        return []


def find_crontab(user: str, environ: Mapping[str, str]) -> Crontab:
    """Return the first ``crontab`` on the caller's PATH, for the crontab of `user`.

    Raises
    ------
    UserError
        If there is no such user, or it is another one and we are not root.
    TryLater
        If there is no such program.
    """
    account = get_account(user)
    path = environ.get("PATH", os.defpath)
    program = shutil.which("crontab", path=path)
    if program is None:
        raise TryLater(f"no program crontab in {path}; is a cron installed?")
    caller = os.geteuid()
    if caller not in (0, account.pw_uid):
        raise UserError(f"only root may keep the crontab of another user ({user})")
    options = () if caller == account.pw_uid else ("-u", user)
    return Crontab(str(Path(program).absolute()), account, options, {"PATH": path, "LC_ALL": "C"})


def find_own_refusal(dialect: Dialect, table: Explained) -> Refusal | None:
    """Return what the daemon would refuse first, by our own reading, where it cannot be asked (CRON-45)."""
    refusals = explain_table(dialect, table).refusals
    return Refusal(refusals[0].line, refusals[0].words) if refusals else None


def find_mail_warnings(sendmail: Path = SENDMAIL) -> list[str]:
    """Return what is missing for the daemon to mail anybody (CRON-27)."""
    if sendmail.exists():
        return []
    return [f"this host has no {sendmail}: cron throws away what jobs have to say"]


def _read_unescaped(crontab: Crontab, listing: bytes) -> bytes:
    """Return the bytes behind a listing in which ``\\r`` may stand for a carriage return, ``\\b`` for a backspace.

    Debian's ``crontab -l`` writes them so (observed, 3.0pl1-162): a round trip would make the end of each CRLF
    line a part of its command (CRON-43). What ``-e`` hands to an editor is the text itself; ``cat`` shows it
    and changes nothing.
    """
    if not lists_escaped(_read_version(crontab)):
        return listing
    editing = replace(crontab, environment={**crontab.environment, "VISUAL": "cat", "EDITOR": "cat"})
    done = _call(editing, *crontab.options, "-e")
    if done.returncode == 0 and done.stdout.replace(b"\r", rb"\r").replace(b"\b", rb"\b") == listing:
        return done.stdout
    raise TryLater(f"cannot tell the control characters of the crontab; {_describe(crontab, '-e', done)}")


def _read_version(crontab: Crontab) -> bytes:
    done = _call(crontab, "-V")
    return done.stdout + done.stderr


@contextmanager
def _file_of(text: bytes) -> Iterator[str]:
    """Have `text` in a file that only we can read, outside every directory that a cron looks into."""
    try:
        with tempfile.TemporaryDirectory(prefix="runner-") as directory:
            file = Path(directory, "crontab")
            file.write_bytes(text)
            yield str(file)
    except OSError as error:
        raise TryLater(f"cannot write a temporary file: {error.filename}: {error.strerror}") from error


def _call(crontab: Crontab, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = [crontab.program, *arguments]
    try:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=crontab.environment,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise TryLater(f"{crontab.program} did not end within {TIMEOUT_S:g} s") from None
    except OSError as error:
        raise TryLater(f"cannot start {crontab.program}: {error.strerror}") from error


def _describe(crontab: Crontab, arguments: str, done: subprocess.CompletedProcess[bytes]) -> str:
    words = " ".join((done.stderr or done.stdout).decode("utf-8", "backslashreplace").split())
    return f"{crontab.program} {arguments}: exit {done.returncode}: {words[:500] or 'no message'}"
