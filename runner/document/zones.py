"""Names of time zones, as libc knows them: the slot decision in ``launch`` is libc's too."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runner.document.faults import Wrong, suggest
from runner.launch.slot import get_zone, use_zone

_NAME = r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*"
_NOT_LOCAL_TIME = ("posix", "right")  # the same zones again, `right` with leap seconds


def zone(value: str) -> str:
    """Return the name of a zone; Wrong with near matches if this machine has none of that name (CRON-39)."""
    root = Path(os.environ.get("TZDIR", "/usr/share/zoneinfo"))
    if value == "UTC" or (re.fullmatch(_NAME, value) and _is_zone(root / value)):
        return value
    raise Wrong(f'no time zone is called "{value}"', _suggest_zone(value, _list_zones(root)))


@contextmanager
def in_zone(name: str | None) -> Iterator[None]:
    """Have libc's local time in a zone, None being the host's own, and then again where it was."""
    before = get_zone()
    try:
        use_zone(name)
        yield
    finally:
        use_zone(before)


def _is_zone(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(4) == b"TZif"
    except OSError:
        return False


def _list_zones(root: Path) -> Iterator[str]:
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in _NOT_LOCAL_TIME]
        for name in files:
            path = Path(folder, name)
            if "." not in name and _is_zone(path):
                yield str(path.relative_to(root))


def _suggest_zone(value: str, names: Iterator[str]) -> str:
    """Return a hint whatever the case of `value`, and for a city without its continent."""
    by_lower = {name.lower(): name for name in names}
    by_lower |= {name.rpartition("/")[2]: by_lower[name] for name in list(by_lower)}
    hint = suggest(value.replace(" ", "_"), by_lower)
    near = hint.partition('"')[2].partition('"')[0]
    return hint.replace(near, by_lower[near]) if near else "write one like America/New_York"
