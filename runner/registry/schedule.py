"""``when`` -> schedules: the grammar on which our parser, Debian's cron and cronie agree (CRON-1 to CRON-10)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from runner.document.faults import Faults, Wrong, suggest
from runner.document.fields import duration_or_none, list_of
from runner.document.tree import Node, Scalar
from runner.document.zones import in_zone
from runner.launch.instant import format_slot
from runner.launch.slot import Schedule, has_slot, slots_after

NICKNAMES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
WIDEST_SPREAD_S = 3600

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FORM = "five fields: minute hour day-of-month month weekday"
_STEPPED = r"(\*|[^-/]+-[^-/]+)/([0-9]{1,9})"
_NUMBER = r"[-+]?(0x[\da-f_]+|\.\d+|\d[\d_]*(:[0-5]?\d)*(\.\d*)?(e[-+]?\d+)?)"
_YAML_TYPES = (
    ("a number", _NUMBER),
    ("a date", r"\d{4}-\d\d?-\d\d?(t.*)?"),
    ("a truth value", "true|false|yes|no|on|off"),
)


@dataclass(frozen=True, slots=True)
class When:
    """One element of ``when``.

    Attributes
    ----------
    text
        The five fields as they are compiled: numbers without leading zeros, nicknames expanded (CRON-7).
    schedule
        What they mean; equal texts share one, so it is never changed.
    """

    text: str
    schedule: Schedule


@dataclass(frozen=True, slots=True)
class Field:
    """One of the five fields of the grammar: its name, range, how many values come round, and their names."""

    name: str
    low: int
    high: int
    count: int
    names: tuple[str, ...] = ()


FIELDS = (
    Field("minute", 0, 59, 60),
    Field("hour", 0, 23, 24),
    Field("day of month", 1, 31, 31),
    Field("month", 1, 12, 12, _MONTHS),
    Field("weekday", 0, 7, 7, _WEEKDAYS),
)
_WEEKDAY = FIELDS[4]


def read_when(node: Node, faults: Faults) -> tuple[When, ...]:
    """Return the elements of ``when``, one or a list, each right in itself."""
    return list_of(_read_element)(node, faults)


def _read_element(node: Node, faults: Faults) -> When:
    if not isinstance(node, Scalar):
        raise Wrong("a schedule is needed here", _FORM)
    if node.plain:
        for kind, form in _YAML_TYPES:
            if re.fullmatch(form, node.text, re.IGNORECASE):
                raise Wrong(f"YAML reads {node.text} as {kind}", f'quote the {_FORM}, like "0 11 * * *"')
    return parse_when(node.text)


@lru_cache(maxsize=8192)
def parse_when(text: str) -> When:
    """Return the meaning of five fields or a nickname.

    Raises
    ------
    Wrong
        For everything on which the two crons might differ, and for what never fires (CRON-3 to CRON-5).
    """
    parts = split_fields(text)
    parsed = []
    mistakes = []
    for part, field in zip(parts, FIELDS, strict=True):
        try:
            parsed.append(_parse_field(part, field))
        except Wrong as wrong:
            mistakes.append(wrong)
    if mistakes:
        raise Wrong(mistakes[0].message, mistakes[0].hint, mistakes[1:])
    schedule = _make_schedule(parsed)
    if not has_slot(schedule):
        raise Wrong("no day of 28 years matches, it never fires")
    return When(" ".join([compiled for compiled, _ in parsed]), schedule)


def split_fields(text: str) -> list[str]:
    """Return the five fields of a schedule or nickname, not yet looked into."""
    if text.startswith("@"):
        return _expand(text).split(" ")
    parts = [part for part in text.split(" ") if part]
    joined = re.sub(", +", ",", text)
    if joined != text and len(joined.split(" ")) == len(FIELDS):
        raise Wrong("a blank after a comma", f'did you mean "{joined}"?')
    if len(parts) != len(FIELDS):
        many = "cron has no seconds and no years" if len(parts) > len(FIELDS) else _FORM
        raise Wrong(f"{len(parts)} field{'s' * (len(parts) != 1)} where five are needed", many)
    return parts


def _expand(nickname: str) -> str:
    if nickname in NICKNAMES:
        return NICKNAMES[nickname]
    if nickname.lower() == "@reboot":
        raise Wrong("@reboot has no slot", "did you mean five fields and missed: once?")
    raise Wrong(f'no schedule is called "{nickname}"', suggest(nickname, NICKNAMES))


def _make_schedule(parsed: list[tuple[str, int]]) -> Schedule:
    schedule = Schedule()
    schedule.minutes, schedule.hours, schedule.days, schedule.months, weekdays = [mask for _, mask in parsed]
    schedule.weekdays = (weekdays | weekdays >> 7) & 0x7F  # 7 is Sunday too
    stars = [compiled.startswith("*") for compiled, _ in parsed]
    schedule.minute_star, schedule.hour_star, schedule.day_star, _, schedule.weekday_star = stars
    return schedule


@lru_cache(maxsize=8192)
def _parse_field(text: str, field: Field) -> tuple[str, int]:
    """Return the field as it is compiled, and the bit mask of its values."""
    items = text.split(",")
    if len(items) > 1 and "*" in items:
        raise Wrong(f'{field.name} "{text}" has * beside other items', 'did you mean "*"?')
    if "" in items:
        kept = ",".join([item for item in items if item])
        raise Wrong(f'{field.name} "{text}" has nothing at one side of a comma', kept and f'did you mean "{kept}"?')
    parsed = [_parse_item(item, field) for item in items]
    mask = 0
    for _, item_mask in parsed:
        mask |= item_mask
    return ",".join([compiled for compiled, _ in parsed]), mask


def _parse_item(item: str, field: Field) -> tuple[str, int]:
    """Return ``*``, ``*/n``, ``v``, ``a-b`` or ``a-b/n`` as it is compiled, and the bit mask of its values."""
    stepped = re.fullmatch(_STEPPED, item)
    body, step = (stepped[1], int(stepped[2])) if stepped else (item, 1)
    if step == 0:
        raise Wrong(f'{field.name} "{item}" has a step of 0')
    suffix = f"/{step}" if stepped else ""
    if body == "*":
        if step > field.high:
            raise Wrong(f'{field.name} "{item}" means {field.low} only, its step is more than {field.high}')
        return f"*{suffix}", _mask(field.low, field.high, step)
    first, dash, last = body.partition("-")
    if not dash:
        value = _parse_value(first, item, field)
        return str(value), 1 << value
    low, high = _parse_value(first, item, field), _parse_value(last, item, field)
    _check_range(low, high, last, field)
    return f"{low}-{high}{suffix}", _mask(low, high, step)


def _mask(low: int, high: int, step: int) -> int:
    mask = 0
    for value in range(low, high + 1, step):
        mask |= 1 << value
    return mask


def _parse_value(text: str, item: str, field: Field) -> int:
    if text.lower() in field.names:
        return field.names.index(text.lower()) + field.low
    if not text.isdecimal() or not text.isascii():
        raise Wrong(f'{field.name} "{item}" is nothing that every cron reads alike', _suggest_item(item, field))
    if len(text) > 2 or not field.low <= int(text) <= field.high:
        raise Wrong(f"{field.name} {text} is not in {field.low}-{field.high}")
    return int(text)


def _check_range(low: int, high: int, last: str, field: Field) -> None:
    """Refuse a range that one of the crons never runs (CRON-4)."""
    if field is _WEEKDAY and high == 0 and not last.isdecimal():
        whole = f"{low}-7" if low else "0"
        raise Wrong("weekday range ends in sun, which Debian's cron takes for 0", f'did you mean "{whole}"?')
    if low > high:
        hint = f'did you mean "{_wrap_range(low, high, field)}"?'
        raise Wrong(f"{field.name} range runs backwards, never fires", hint)


def _wrap_range(low: int, high: int, field: Field) -> str:
    """Return the two ranges that one over the end stands for: ``5-7,1`` for Friday to Monday."""
    start = 1 if field is _WEEKDAY else field.low  # Sunday is in the first part, as 7
    parts = [(low, field.high), (start, high)]
    return ",".join([f"{a}-{b}" if a < b else f"{a}" for a, b in parts if a <= b])


def _suggest_item(item: str, field: Field) -> str:
    """Return the hint for an item outside the grammar: what other crons call so, or the nearest right one."""
    shorter = re.sub("[A-Za-z]{4,}", lambda found: found[0][:3].lower(), item)
    if shorter != item and all(name in field.names for name in re.findall("[a-z]+", shorter)):
        return f'did you mean "{shorter}"?'
    if any(sign in item for sign in "~Hh") and not field.names:
        return "write a number, and spread: 30m to let the job id choose the minute"
    if any(sign in item for sign in "LW#"):
        return "let the script look at the date"
    if item == "?":
        return 'did you mean "*"?'
    value, slash, step = item.partition("/")
    if slash and value.isdecimal() and step.isdecimal():
        return f'did you mean "{value}-{field.high}/{step}"?'
    return "numbers, a-b, a-b/n, * or */n" + (f", {field.names[0]} to {field.names[-1]}" if field.names else "")


def find_uneven_steps(when: When) -> list[str]:
    """Return a sentence for each ``*/n`` whose n does not divide its range (CRON-5)."""
    sentences: list[str] = []
    if "*/" not in when.text:
        return sentences
    for text, field in zip(when.text.split(" "), FIELDS, strict=True):
        for item in text.split(","):
            step = int(item[2:]) if item.startswith("*/") else 1
            if field.count % step:
                values = ",".join([str(value) for value in range(field.low, field.high + 1, step)])
                sentences.append(f'{field.name} "{item}" is not every {step}: it means {values}')
    return sentences


def explain_days(when: When, now: float, zone: str) -> str:
    """Return what two restricted day fields mean, with the next five slots; empty if not both are (CRON-6)."""
    fields = when.text.split(" ")
    if fields[2] == "*" or fields[4] == "*":
        return ""
    both = when.schedule.day_star or when.schedule.weekday_star
    rule = "both" if both else "either"
    with in_zone(zone or None):
        slots = [format_slot(slot) for slot in islice(slots_after([when.schedule], now), 5)]
    return f"day of month and weekday are given: a day must match {rule}; next {', '.join(slots)}"


def window(value: str) -> float:
    """Return the seconds of a ``spread``, whole minutes from 2 to 60; 0 stands for ``none``."""
    seconds = duration_or_none(value)
    if seconds % 60 or (seconds and not 2 * 60 <= seconds <= WIDEST_SPREAD_S):
        raise Wrong(f'"{value}" is not a number of whole minutes from 2m to 60m')
    return seconds


def spread(when: When, job_id: str, window_s: float) -> When:
    """Return `when` shifted by the minutes that the job id chooses from the window (CRON-10)."""
    minute, hour, *days = when.text.split(" ")
    if not minute.isdecimal():
        raise Wrong(f'spread needs one minute to start from, not "{minute}"')
    carry, shifted = divmod(int(minute) + choose_shift(job_id, int(window_s) // 60), 60)
    if carry and (not hour.isdecimal() or hour == "23"):
        limit = "midnight" if hour.isdecimal() else f'the hours "{hour}"'
        raise Wrong(f"spread would carry minute {minute} past {limit}", "choose an earlier minute or a smaller window")
    return parse_when(" ".join([str(shifted), str(int(hour) + carry) if carry else hour, *days]))


def choose_shift(job_id: str, window_m: int) -> int:
    """Return the minutes, fewer than `window_m`, by which a job is shifted."""
    from hashlib import sha256  # few registries spread

    return int.from_bytes(sha256(job_id.encode()).digest()[:8], "big") % window_m
