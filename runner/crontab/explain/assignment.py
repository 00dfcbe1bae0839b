"""``NAME = value``: which lines the crons take for an assignment, and what the value is then.

Not imitated: behind a quote that ends the line both go on reading what an earlier line left in their memory,
and may by chance find the closing quote there. Here such a line is no assignment, as on a fresh memory.
"""

from __future__ import annotations

import re

_SPACE = b" \t\n\v\f\r"
_NAME = rb"""(?:'([^'=]*)'|"([^"=]*)"|(?!['"])([^\s=]*))\s*=\s*"""
_VALUE = rb"""(?:'([^']*)'\s*|"([^"]*)"\s*|([^\s'"].*))"""
_DEBIAN = re.compile(_NAME + _VALUE, re.DOTALL)
_CRONIE = re.compile(_NAME + _VALUE + b"?", re.DOTALL)


def parse_debian_assignment(line: bytes) -> tuple[bytes, bytes] | None:
    """Return name and value; None if Debian's cron takes the line for an entry (as it does ``MAILTO=``).

    It trims a quoted value at its end too, and takes off a second pair of quotes.
    """
    if not (match := _DEBIAN.fullmatch(line)):
        return None
    name, value = _choose(match)
    value = value.rstrip(_SPACE)
    if len(value) >= 2 and value[0] in b"'\"" and value[0] == value[-1]:
        value = value[1:-1]
    return name, value


def parse_cronie_assignment(line: bytes) -> tuple[bytes, bytes] | None:
    """Return name and value; None if cronie takes the line for an entry."""
    match = _CRONIE.fullmatch(line)
    return _choose(match) if match else None


def _choose(match: re.Match[bytes]) -> tuple[bytes, bytes]:
    """Return name and value, whichever way they are quoted; only a value without quotes is trimmed."""
    *names, single, double, plain = match.groups()
    name = next(group for group in names if group is not None)
    quoted = single if single is not None else double
    return name, quoted if quoted is not None else (plain or b"").rstrip(_SPACE)
