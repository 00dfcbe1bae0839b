"""The difference of two property files as it may be mailed: keys are shown, values never (CAPO-36, PROF-91)."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher

from runner.launch.scrub import MASK
from runner.profiles.properties.pycapo import find_delimiter

# Of longer ones the rest is counted.
_SHOWN_LINES = 100


def diff_masked(old: bytes, new: bytes) -> list[str]:
    """Return the lines that differ, as ``-3: db.host=***`` of `old` and ``+3: ...`` of `new`."""
    before, after = _split(old), _split(new)
    found = []
    for tag, i, i_end, j, j_end in SequenceMatcher(None, before, after, autojunk=True).get_opcodes():
        if tag != "equal":
            found += [f"-{number + 1}: {_mask(before, number)}" for number in range(i, i_end)]
            found += [f"+{number + 1}: {_mask(after, number)}" for number in range(j, j_end)]
    more = len(found) - _SHOWN_LINES
    return [*found[:_SHOWN_LINES], *([f"and {more} lines more"] if more > 0 else [])]


def _split(data: bytes) -> list[str]:
    return data.decode("utf-8", "backslashreplace").split("\n")


def _mask(lines: list[str], number: int) -> str:
    """Return a line with its key, and everything else masked: whatever some program might take for a value.

    The line behind a backslash goes on with a value for Java, an indented one for pycapo.
    """
    line = lines[number]
    if not line.strip():
        return ""
    if line[0].isspace() or (number and lines[number - 1].rstrip("\r").endswith("\\")):
        return MASK
    return "".join(_mask_property(line))


def _mask_property(line: str) -> Iterator[str]:
    comment = line[: len(line) - len(line.lstrip("#;! "))]
    rest = line[len(comment) :]
    yield comment
    at = find_delimiter(rest)
    key = rest[: max(at, 0)].rstrip()
    # For Java a blank ends the key.
    if key and not any(sign.isspace() for sign in key):
        yield f"{key}{rest[at]}"
    yield MASK
