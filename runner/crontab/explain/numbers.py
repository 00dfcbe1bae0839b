"""One of the five fields -> its numbers, as each cron's own C reads it, down to the overflow of an ``int``.

Debian reads the longest right beginning of each item and passes over the rest (``5.5`` is 5, ``5#2`` too);
cronie wants each item whole, and knows ``~``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from runner.crontab.explain.values import Refused
from runner.registry.schedule import FIELDS, Field

FieldParser = Callable[[bytes, int], str]

RANDOM = "<random>"
WORDS = ("bad minute", "bad hour", "bad day-of-month", "bad month", "bad day-of-week")

_WEEKDAY = 4
_SUNDAY = 1 << 0 | 1 << 7
_INT_MAX = (1 << 31) - 1
_LONG_MAX = (1 << 63) - 1
_DEBIAN_DIGITS = 999
_CRONIE_DIGITS = 131_071

_N = rb"([0-9A-Za-z]+)"
_DEBIAN = re.compile(rb"(?:(\*)|" + _N + rb"(?:-" + _N + rb")?)(?:/" + _N + rb")?")
_EVERY = re.compile(rb"\*(?:/" + _N + rb")?")
_RANGE = re.compile(_N + rb"(?:-" + _N + rb"(?:/" + _N + rb")?)?")
_RANDOM = re.compile(_N + rb"?~" + _N + rb"?")


class _Wrong(Exception):
    """An item that is refused; with whether the byte behind it has been read by then."""

    def __init__(self, *, reads_on: bool = False) -> None:
        self.reads_on = reads_on


def show_numbers(mask: int, field: Field) -> str:
    """Return ``all``, ``none`` or the numbers whose bits are set."""
    if not mask:
        return "none"
    numbers = [number for number in range(field.low, field.high + 1) if mask >> number & 1]
    return "all" if len(numbers) == field.high + 1 - field.low else ",".join(map(str, numbers))


@lru_cache(maxsize=4096)
def parse_debian_field(text: bytes, index: int) -> str:
    """Return the numbers of a field.

    Raises
    ------
    Refused
        For what Debian's cron refuses.
    """
    field = FIELDS[index]
    mask = at = 0
    while True:
        match = _DEBIAN.match(text, at)
        if match is None:
            raise Refused(WORDS[index])
        behind = text[match.end() : match.end() + 1]
        try:
            mask |= _read_debian_item(match, behind, field)
        except _Wrong:
            raise Refused(WORDS[index]) from None
        if behind != b",":
            return show_numbers(_join_sundays(mask, index), field)
        at = match.end() + 1


def _read_debian_item(match: re.Match[bytes], behind: bytes, field: Field) -> int:
    """Return the bits of an item, given the byte behind it; its functions return 0xFF as a char, which is EOF."""
    star, first, last, step = match.groups()
    single = not star and last is None
    if behind == b"\xff" or (step is None and behind == b"/") or (single and (step or behind == b"-")):
        raise _Wrong
    every = _read_number(step, None, _DEBIAN_DIGITS) if step else 1
    low = field.low if star else _read_number(first, field, _DEBIAN_DIGITS)
    high = field.high if star else low if single else _read_number(last, field, _DEBIAN_DIGITS)
    if every <= 0 or not field.low <= low <= field.high or not field.low <= high <= field.high:
        raise _Wrong
    return _fill(low, high, every, field)


@lru_cache(maxsize=4096)
def parse_cronie_field(text: bytes, index: int) -> str:
    """Return the numbers of a field, or that cronie rolls them anew at each load.

    Raises
    ------
    Refused
        For what cronie refuses, and for a ``~`` that it refuses on most rolls (``55~70``).
    """
    field = FIELDS[index]
    fixed = rolled = 0
    items = text.split(b",")
    for number, item in enumerate(items, 1):
        try:
            bits = _read_roll(item, field) if b"~" in item else _read_cronie_item(item, field)
        except _Wrong as wrong:
            raise Refused(WORDS[index], reads_on=wrong.reads_on and number == len(items)) from None
        if b"~" in item and bits.bit_count() > 1:
            rolled |= bits
        else:
            fixed |= bits
    fixed = _join_sundays(fixed, index)
    return RANDOM if rolled & ~fixed else show_numbers(fixed, field)


def _read_cronie_item(item: bytes, field: Field) -> int:
    if match := _EVERY.fullmatch(item):
        low, high, step = field.low, field.high, match[1]
    elif match := _RANGE.fullmatch(item):
        low = _read_number(match[1], field, _CRONIE_DIGITS)
        high = _read_number(match[2], field, _CRONIE_DIGITS) if match[2] else low
        step = match[3]
        if high == 0 and low > 0 and step is None:
            high = 7  # sat-sun; in every field, and not before a step (since cronie's change 200, after 1.7.2)
    else:
        raise _Wrong
    every = _read_number(step, None, _CRONIE_DIGITS) if step else 1
    if every == 0:
        raise _Wrong
    return _fill(low, high, every, field)


def _read_roll(item: bytes, field: Field) -> int:
    """Return the bits of which one will be set; a roll outside of the field is refused: here, if most are."""
    match = _RANDOM.fullmatch(item)
    if match is None:
        raise _Wrong
    low = _read_number(match[1], field, _CRONIE_DIGITS) if match[1] else field.low
    high = _read_number(match[2], field, _CRONIE_DIGITS) if match[2] else field.high
    if low > high:
        raise _Wrong(reads_on=not match[2])
    inside = range(max(low, field.low), min(high, field.high) + 1)
    if 2 * len(inside) < high - low + 1:
        raise _Wrong
    return sum(1 << number for number in inside)


def _fill(low: int, high: int, step: int, field: Field) -> int:
    """Return the bits from `low` to `high`; none if they run backwards, wrong if one is outside of the field."""
    if low > high:
        return 0
    last = low + (high - low) // step * step if step > 0 else low
    if low < field.low or last > field.high or step < 0 or last + step > _INT_MAX:
        raise _Wrong
    return sum(1 << number for number in range(low, high + 1, step))


def _join_sundays(mask: int, index: int) -> int:
    return mask | _SUNDAY if index == _WEEKDAY and mask & _SUNDAY else mask


def _read_number(text: bytes, field: Field | None, longest: int) -> int:
    """Return a number, cut to an ``int`` as C does it, or what a name of the field stands for."""
    if len(text) > longest:
        raise _Wrong
    if text.isdigit():
        return _cut_number(text)
    name = text.lower().decode()
    if field is None or name not in field.names:
        raise _Wrong
    return field.names.index(name) + field.low


def _cut_number(digits: bytes) -> int:
    significant = digits.lstrip(b"0")
    value = min(int(significant or b"0"), _LONG_MAX) if len(significant) < 20 else _LONG_MAX
    low_bits = value & 0xFFFFFFFF
    return low_bits - (1 << 32) if low_bits > _INT_MAX else low_bits
