"""A small file that one process changes in place under ``flock`` while others may read it.

It is never replaced and never unlinked, so that a lock on it always means the same file (RUN-8). The last
line is ``.``: what stands behind it was left by a longer record and does not count.
"""

from __future__ import annotations

import posix

from runner.launch import lines
from runner.launch.instant import format_instant, parse_instant
from runner.launch.state import open_own

_MAX_BYTES = 65536
_END = b".\n"


def open_record(path: str) -> int:
    """Open or create a record for reading and writing, as `open_own`; return its descriptor."""
    return open_own(path, posix.O_RDWR)


def read_record(descriptor: int) -> list[tuple[str, str]]:
    """Return the pairs of an open record; none if it is new or torn."""
    return decode_record(posix.pread(descriptor, _MAX_BYTES, 0))


def decode_record(data: bytes) -> list[tuple[str, str]]:
    """Return the pairs of a record's bytes."""
    body, end, _ = data.partition(b"\n" + _END)
    return lines.decode(body + b"\n") if end else []


def write_record(descriptor: int, pairs: list[tuple[str, str]]) -> None:
    """Replace the pairs of an open record."""
    data = lines.encode(pairs) + _END
    posix.pwrite(descriptor, data, 0)
    posix.ftruncate(descriptor, len(data))


def encode_fields(thing: object, *, zero: str) -> list[tuple[str, str]]:
    """Return the ``__slots__`` of an object as pairs; a float is an instant, POSIX seconds, and 0 is written `zero`."""
    pairs = []
    for key in thing.__slots__:  # type: ignore[attr-defined]
        value = getattr(thing, key)
        if isinstance(value, list):
            pairs += [(key, item) for item in value]
        elif isinstance(value, bool):
            pairs.append((key, "yes" if value else "no"))
        elif isinstance(value, float):
            pairs.append((key, format_instant(value) if value else zero))
        else:
            pairs.append((key, str(value)))
    return pairs


def decode_fields(thing: object, pairs: list[tuple[str, str]], *, zero: str) -> None:
    """Enter what `encode_fields` wrote into an object whose defaults tell the types; ValueError if it is not that."""
    for key, value in pairs:
        if key not in thing.__slots__:  # type: ignore[attr-defined]
            raise ValueError(f"it has a line '{key}' that means nothing there")
        kind = type(getattr(thing, key))
        if kind is list:
            getattr(thing, key).append(value)
        elif kind is bool:
            setattr(thing, key, value == "yes")
        elif kind is float:
            setattr(thing, key, 0.0 if value == zero else parse_instant(value))
        else:
            setattr(thing, key, kind(value))
