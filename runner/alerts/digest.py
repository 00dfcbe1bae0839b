"""Which alerts go together: a storm is one mail, and so is a reboot (ALERT-16, ALERT-17). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from runner.launch.incident import RECOVERED
from runner.launch.outbox import Entry

# More alerts than these for the same people at once are one digest, and so is what comes within so long after it.
MOST_SINGLE = 3
HELD_S = 600.0
# The slots that a host was off for are known to be late five minutes after they were due, some of them after boot.
BOOT_HELD_S = 360.0

BAD, BOOT = "bad", "boot"


@dataclass(frozen=True, slots=True)
class Letter:
    """What is sent in one piece: one alert, or a digest of several.

    Attributes
    ----------
    kind
        ``bad recovered boot``: alerts of different kinds never share a digest.
    """

    recipients: tuple[str, ...]
    kind: str
    entries: tuple[Entry, ...]
    is_digest: bool

    @property
    def group(self) -> str:
        """What all alerts of its kind for its recipients are called."""
        return name_group(self.recipients, self.kind)

    @property
    def is_storm(self) -> bool:
        """Whether what comes next is better held back for a while."""
        return self.kind != BOOT and len(self.entries) > MOST_SINGLE


def gather(
    addressed: Iterable[tuple[tuple[str, ...], Entry]], held: Mapping[str, float], now: float, uptime_s: float
) -> list[Letter]:
    """Return what is to be sent now, oldest first.

    Parameters
    ----------
    addressed
        Alerts and their recipients.
    held
        Until when each group (`Letter.group`) is held back, POSIX seconds: after that it is one digest.
    uptime_s
        Seconds since the host was started.
    """
    letters = []
    for (recipients, kind), group in _group(addressed).items():
        until = held.get(name_group(recipients, kind), 0.0)
        if until > now or (kind == BOOT and uptime_s < BOOT_HELD_S):
            continue
        if kind == BOOT or len(group) > MOST_SINGLE or (until and len(group) > 1):
            letters.append(Letter(recipients, kind, tuple(group), is_digest=True))
        else:
            letters += [Letter(recipients, kind, (entry,), is_digest=False) for entry in group]
    return sorted(letters, key=lambda letter: letter.entries[0].name)


def name_group(recipients: tuple[str, ...], kind: str) -> str:
    """Return what a group of alerts is called in the memory of those that are held back."""
    return " ".join((kind, *recipients))


def _group(addressed: Iterable[tuple[tuple[str, ...], Entry]]) -> dict[tuple[tuple[str, ...], str], list[Entry]]:
    groups: dict[tuple[tuple[str, ...], str], list[Entry]] = {}
    for recipients, entry in sorted(addressed, key=lambda pair: pair[1].name):
        kind = BOOT if entry.boot else RECOVERED if entry.kind == RECOVERED else BAD
        groups.setdefault((recipients, kind), []).append(entry)
    return groups
