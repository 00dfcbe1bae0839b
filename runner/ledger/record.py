"""A line of the journal: is it an event, whole and of the right types? (RUN-14, RUN-16).

The kinds and their fields stand in ``runner.launch.journal``. Of kinds that are not drained into a table of
their own only what every event has is checked, so that a newer wrapper's event is kept and not refused.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any

from runner.launch.journal import MAX_BYTES

Event = dict[str, Any]

_DECODER = json.JSONDecoder()
_MONTH, _DAY, _HOUR, _SIXTY = "(?:0[1-9]|1[0-2])", "(?:0[1-9]|[12][0-9]|3[01])", "(?:[01][0-9]|2[0-3])", "[0-5][0-9]"
_YEAR, _MICROS = "[0-9]{4}", "[0-9]{6}"
RUN_ID = re.compile(rf"{_YEAR}{_MONTH}{_DAY}T{_HOUR}{_SIXTY}{_SIXTY}\.{_MICROS}Z-[a-z0-9-]{{1,32}}-[0-9]{{1,10}}")
_INSTANT = re.compile(rf"{_YEAR}-{_MONTH}-{_DAY}T{_HOUR}:{_SIXTY}:{_SIXTY}(?:\.{_MICROS})?Z")
_INSTANTS = ("at", "slot", "started_at", "ended_at")
# The integers that both databases have.
_BIGGEST = 2**63 - 1

_NONE = type(None)
_COMMON: dict[str, tuple[type, ...]] = {"event": (str,), "at": (str,), "run_id": (str,), "seq": (int,)}
_NAMES = dict.fromkeys(("plan", "job", "profile", "slot", "host", "trigger", "release"), (str,))
_START = {
    "started_at": (str,),
    **dict.fromkeys(("boot_id", "plan_digest", "log", "account", "command", "profile_rule"), (str, _NONE)),
    "pid": (int, _NONE),
    "timeout_s": (int, float, _NONE),
    "mailto": (list, _NONE),
}
_END = {
    **dict.fromkeys(("started_at", "ended_at", "outcome"), (str,)),
    **dict.fromkeys(("log", "reason", "alerted", "environment_digest", "packages_digest"), (str, _NONE)),
    **dict.fromkeys(("exit_code", "signal", "attempts", "max_rss_bytes", "stdout_bytes"), (int, _NONE)),
    **dict.fromkeys(("stderr_bytes",), (int, _NONE)),
    **dict.fromkeys(("duration_s", "cpu_s"), (int, float, _NONE)),
}
_SKIP = {"reason": (str,), "detail": (str, _NONE), "alerted": (str, _NONE)}


class _Kind:
    """The fields of a kind of event: their names, the types that each may have, and which are numbers."""

    def __init__(self, types: dict[str, tuple[type, ...]]) -> None:
        types = {**_COMMON, **types}
        self.names = tuple(types)
        self.allowed = tuple(types.values())
        self.numbers = tuple(name for name, kinds in types.items() if int in kinds)


_KINDS = {"start": _Kind({**_NAMES, **_START}), "end": _Kind({**_NAMES, **_END}), "skip": _Kind({**_NAMES, **_SKIP})}
_OTHER = _Kind({})
# The fields that were checked of the kinds that make a run; what a newer wrapper adds may be of any type.
CHECKED = {name: frozenset(kind.names) for name, kind in _KINDS.items()}


def parse_event(line: bytes) -> Event:
    """Return the event of one line; ValueError says why it is none."""
    if len(line) > MAX_BYTES:
        raise ValueError(f"it is longer than {MAX_BYTES} bytes")
    event = _parse_object(line.decode())
    _check_types(event, _KINDS.get(str(event.get("event")), _OTHER))
    if not RUN_ID.fullmatch(event["run_id"]):
        raise ValueError(f"run_id is {event['run_id']!r}")
    for name in _INSTANTS:
        if name in event and not _INSTANT.fullmatch(str(event[name])):
            raise ValueError(f"{name} is {event[name]!r}")
    return _show_odd_characters(event) if b"\\u" in line else event


def _parse_object(text: str) -> dict[str, Any]:
    try:
        value, end = _DECODER.raw_decode(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(value, dict) or end != len(text):
        raise ValueError("it is no JSON object")
    return value


def _check_types(event: Event, kind: _Kind) -> None:
    wrong = _find_wrong(kind, tuple(map(type, map(event.get, kind.names))))
    if wrong:
        raise ValueError(f"{wrong} is {event[wrong]!r}" if wrong in event else f"it has no {wrong}")
    for name in kind.numbers:
        value = event.get(name)
        if value is not None and not -_BIGGEST <= value <= _BIGGEST:
            raise ValueError(f"{name} is {value}")


@lru_cache
def _find_wrong(kind: _Kind, types: tuple[type, ...]) -> str:
    """Return the first field whose type is not allowed, empty if all are.

    A journal has few combinations of types: remembering them makes the check four times faster.
    """
    named = zip(kind.names, kind.allowed, types, strict=True)
    return next((name for name, allowed, found in named if found not in allowed), "")


def _show_odd_characters(event: Event) -> Event:
    """Return the event as every database takes it: PostgreSQL has no NUL in a text, UTF-8 no lone surrogate."""

    def show(value: object) -> object:
        if not isinstance(value, str):
            return value
        return value.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")

    return {
        name: [show(item) for item in value] if isinstance(value, list) else show(value)
        for name, value in event.items()
    }
