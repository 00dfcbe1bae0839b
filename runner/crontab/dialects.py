"""Which cron this is, how its own check is asked for, and what it answered (CRON-45). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Dialect:
    """One cron.

    Attributes
    ----------
    name
        As ``cron:`` of a target says it.
    check_option
        What makes ``crontab`` check a file and install nothing.
    command_bytes
        The longest command it takes.
    """

    name: str
    check_option: str
    command_bytes: int


DEBIAN = Dialect("debian", "-n", 998)
CRONIE = Dialect("cronie", "-T", 131_072)
DIALECTS = {dialect.name: dialect for dialect in (DEBIAN, CRONIE)}

# Debian and cronie alike; the number is that of the line or, where the fault is inside the line, one less.
_REFUSAL = re.compile(rb'^".*":(\d+): (.+)$', re.MULTILINE)
_TOO_LONG = re.compile(rb"^crontab is too long; [ -~]+", re.MULTILINE)
_NO_SUCH_OPTION = re.compile(rb"(?:invalid|illegal|unrecognized|unknown) option|^usage:", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the daemon's check has against a crontab: about which line (see `near_lines`; 0: all), and its words."""

    number: int
    words: str

    @property
    def near_lines(self) -> tuple[int, int]:
        """The two lines, from 1, one of which is meant."""
        return self.number, self.number + 1


def choose_dialect(version: bytes) -> Dialect:
    """Return the cron whose ``crontab -V`` said `version`: cronie names itself, Debian knows no ``-V``.

    It must be asked first: ``-n`` of cronie is no check, it chooses the host of a cluster.
    """
    return CRONIE if b"cronie" in version.lower() else DEBIAN


def lists_escaped(version: bytes) -> bool:
    """Whether ``crontab -l`` may list control characters as backslash and letter: Debian's, told by its usage text."""
    return b"(dry run: checks the syntax, then bails out)" in version


def find_refusal(output: bytes) -> Refusal | None:
    """Return what a failed check says of a line, or None if it says nothing of the kind."""
    if match := _REFUSAL.search(output):
        return Refusal(int(match[1]), match[2].decode("utf-8", "backslashreplace"))
    match = _TOO_LONG.search(output)
    return Refusal(0, match[0].decode()) if match else None


def lacks_check(output: bytes) -> bool:
    """Whether a failed check means that this ``crontab`` has none."""
    return _NO_SUCH_OPTION.search(output) is not None
