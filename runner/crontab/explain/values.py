"""What is asked about a crontab, and what a cron makes of it. Bytes throughout: a crontab has no encoding."""

from __future__ import annotations

import pwd
from collections.abc import Callable
from dataclasses import dataclass


def has_account(name: str) -> bool:
    """Whether the password database knows a login name, as a cron asks it."""
    try:
        pwd.getpwnam(name)
    except (KeyError, UnicodeEncodeError):
        return False
    return True


@dataclass(frozen=True, slots=True)
class Table:
    """A crontab, and what its reading depends on besides its text.

    Attributes
    ----------
    text
        All of it.
    system
        Whether it is /etc/crontab or a file of /etc/cron.d, with a user column.
    owned_by_root
        Whether a user crontab is root's.
    is_user
        Whether there is an account of a name.
    """

    text: bytes
    system: bool = False
    owned_by_root: bool = False
    is_user: Callable[[str], bool] = has_account


class Refused(Exception):
    """A line that a cron does not take; the text is the cron's own words.

    Attributes
    ----------
    reads_on
        Whether the cron has read the byte behind the field by then.
    """

    def __init__(self, words: str, *, reads_on: bool = False) -> None:
        super().__init__(words)
        self.reads_on = reads_on


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a line, or with it the whole file, is not taken.

    Attributes
    ----------
    line
        Counted from 1; 0 where the file as a whole is meant.
    words
        The cron's own.
    """

    line: int
    words: str


@dataclass(frozen=True, slots=True)
class Setting:
    """An assignment, as it is put into the environment of the jobs below it."""

    line: int
    name: bytes
    value: bytes

    @property
    def text(self) -> bytes:
        """``NAME=value``."""
        return self.name + b"=" + self.value


@dataclass(frozen=True, slots=True)
class Schedule:
    """When an entry fires.

    Attributes
    ----------
    numbers
        Minute, hour, day of month, month and weekday: ``all``, ``none``, ``<random>`` or numbers, of which
        weekday 0 and 7 are both Sunday.
    flags
        ``DOM_STAR`` and ``DOW_STAR``: the field begins with ``*``, a day must match both (CRON-6).
        ``MIN_STAR`` and ``HR_STAR``: a wildcard job at clock changes (CRON-30). ``REBOOT``: once, as cron starts.
    """

    numbers: tuple[str, ...]
    flags: frozenset[str]


@dataclass(frozen=True, slots=True)
class Entry:
    """A line that a cron runs.

    Attributes
    ----------
    line
        Counted from 1.
    schedule
        When.
    options
        Further flags, of cronie: ``DONT_LOG`` (``-`` before the minute), ``MAIL_WHEN_ERR`` (``-n`` before the command).
    user
        Of the user column; None in a user crontab.
    command
        As it stands in the crontab.
    settings
        The assignments in force, the last one of each name.
    """

    line: int
    schedule: Schedule
    options: frozenset[str]
    user: bytes | None
    command: bytes
    settings: tuple[Setting, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """What one cron makes of one crontab.

    Attributes
    ----------
    entries
        In the order of the file; none where the file is ignored.
    settings
        Every assignment, in the order of the file; none where the file is ignored.
    refusals
        What is not taken.
    ignored
        Whether the cron drops the whole file.
    """

    entries: tuple[Entry, ...]
    settings: tuple[Setting, ...]
    refusals: tuple[Refusal, ...]
    ignored: bool
