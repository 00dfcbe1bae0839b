"""How checks tell amounts and lists to people."""

from __future__ import annotations

from collections.abc import Sequence

_UNITS_S = ((86400, "d"), (3600, "h"), (60, "min"))


def show_span(seconds: float) -> str:
    """Return a length of time in the largest unit of which it has two, ``3 d`` or ``90 min``."""
    return next((f"{seconds / size:.0f} {name}" for size, name in _UNITS_S if seconds >= 2 * size), f"{seconds:.0f} s")


def show_bytes(count: float) -> str:
    """Return a size in the largest unit of 1024 that it has one of, ``12 MiB``."""
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.0f} TiB"


def sum_up(names: Sequence[object], shown: int = 3) -> str:
    """Return the first of some names, and how many more there are."""
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(map(str, names[:shown])) + more
