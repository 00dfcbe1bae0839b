"""The zone that cron's lines are read in, which is the host's own, and when the clocks of a zone change."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from runner.document.zones import in_zone
from runner.launch.slot import find_change, offset_at

_DAY_S = 86400

_NAMES_OF_UTC = frozenset({"", "Etc/UTC", "Etc/UCT", "Etc/Universal", "Etc/Zulu", "UCT", "Universal", "Zulu"})


@dataclass(frozen=True, slots=True)
class Span:
    """Real time, POSIX seconds, from `start` to before `stop`, in which local time is `offset_s` ahead of UTC."""

    start: int
    stop: int
    offset_s: int

    @property
    def local_start(self) -> int:
        """Local time at the start, in seconds as if the clock on the wall were UTC's."""
        return self.start + self.offset_s

    @property
    def local_stop(self) -> int:
        """What the clock would show at the stop if it did not change there."""
        return self.stop + self.offset_s


def read_spans(zone: str | None, start: int, stop: int) -> tuple[Span, ...]:
    """Return the spans of a zone, None being the host's own, from `start` to before `stop`, in order."""
    spans = []
    with in_zone(zone):
        begin, offset = start, offset_at(start)
        for day in range(start, stop, _DAY_S):
            end = min(day + _DAY_S, stop)
            change = find_change(max(day - 1, begin), end, offset)
            if change < end:
                spans.append(Span(begin, change, offset))
                begin, offset = change, offset_at(change)
        spans.append(Span(begin, stop, offset))
    return tuple(spans)


def read_host_zone() -> str:
    """Return the name of this host's time zone, ``UTC`` where it has none.

    ``/etc/localtime`` is what libc and therefore cron go by; where it is a copy and no link, Debian's
    ``/etc/timezone`` names what it is a copy of.
    """
    link = Path("/etc/localtime")
    _, mark, name = str(link.resolve()).partition("/zoneinfo/") if link.is_symlink() else ("", "", "")
    if not mark:
        named = Path("/etc/timezone")
        name = named.read_text().strip() if named.is_file() else ""
    return normalize_zone(name.removeprefix("posix/").removeprefix("right/"))


def normalize_zone(name: str) -> str:
    """Return the one name for a zone that has many: ``UTC`` for all of its names."""
    return "UTC" if name in _NAMES_OF_UTC else name


def is_same_zone(one: str, other: str) -> bool:
    """Whether two names mean the same local time: ``US/Eastern`` is another name of ``America/New_York``."""
    return normalize_zone(one) == normalize_zone(other) or (read_rules(one) or one) == (read_rules(other) or other)


def read_rules(name: str) -> bytes:
    """Return this machine's data of a zone, none if it has no such zone."""
    path = Path(os.environ.get("TZDIR", "/usr/share/zoneinfo"), name)
    return path.read_bytes() if path.is_file() else b""
