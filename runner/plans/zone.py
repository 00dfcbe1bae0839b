"""The zone that cron's lines are read in: the host's own."""

from __future__ import annotations

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
    name = name.removeprefix("posix/").removeprefix("right/")
    return "UTC" if name in _NAMES_OF_UTC else name
