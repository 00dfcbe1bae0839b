"""The zone that cron's lines are read in: the host's own."""

from __future__ import annotations

import os
from pathlib import Path

_NAMES_OF_UTC = frozenset({"", "Etc/UTC", "Etc/UCT", "Etc/Universal", "Etc/Zulu", "UCT", "Universal", "Zulu"})


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
    return normalize_zone(one) == normalize_zone(other) or (_read_rules(one) or one) == (_read_rules(other) or other)


def _read_rules(name: str) -> bytes:
    path = Path(os.environ.get("TZDIR", "/usr/share/zoneinfo"), name)
    return path.read_bytes() if path.is_file() else b""
