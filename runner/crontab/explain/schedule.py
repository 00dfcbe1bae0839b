"""The beginning of an entry: five fields or a nickname."""

from __future__ import annotations

from runner.crontab.explain.numbers import WORDS, FieldParser, parse_debian_field
from runner.crontab.explain.tape import BLANKS, FIELD, WORD, Tape
from runner.crontab.explain.values import Refused, Schedule
from runner.registry.schedule import FIELDS, NICKNAMES

_STARS = ("MIN_STAR", "HR_STAR", "DOM_STAR", None, "DOW_STAR")
# Each sets its own flags, whatever five fields would: @daily none, @hourly no DOM_STAR (observed, D and C).
_NICKNAME_FLAGS = {
    "@hourly": {"HR_STAR"},
    "@weekly": {"DOM_STAR"},
    "@monthly": {"DOW_STAR"},
    "@yearly": {"DOW_STAR"},
    "@annually": {"DOW_STAR"},
}
_REBOOT = Schedule(("none",) * len(FIELDS), frozenset({"REBOOT"}))


def _expand(nickname: str) -> Schedule:
    numbers = [parse_debian_field(text.encode(), index) for index, text in enumerate(NICKNAMES[nickname].split(" "))]
    return Schedule(tuple(numbers), frozenset(_NICKNAME_FLAGS.get(nickname, ())))


_SCHEDULES = {b"@reboot": _REBOOT} | {name.encode(): _expand(name) for name in NICKNAMES}


def take_schedule(tape: Tape, parse_field: FieldParser, ends: bytes = b"") -> Schedule:
    """Return the schedule here and be at what follows its blanks.

    Parameters
    ----------
    tape
        At the first byte of the schedule.
    parse_field
        The cron's own.
    ends
        Bytes that the cron takes for the end of the file where a field ought to begin.

    Raises
    ------
    Refused
        For what is no schedule; the tape is where the cron gave up.
    """
    if tape.peek() == b"@":
        return _take_nickname(tape)
    numbers = []
    flags = set()
    for index, star in enumerate(_STARS):
        text = tape.take(FIELD)
        try:
            numbers.append(parse_field(text, index))
        except Refused as refused:
            tape.at += refused.reads_on
            raise
        if star and text.startswith(b"*"):
            flags.add(star)
        tape.take(BLANKS)
        if not tape.peek() or tape.peek() in ends:
            raise Refused(WORDS[index])
    return Schedule(tuple(numbers), frozenset(flags))


def _take_nickname(tape: Tape) -> Schedule:
    schedule = _SCHEDULES.get(tape.take(WORD))
    if schedule is None:
        raise Refused("bad time specifier")
    tape.take(BLANKS)
    return schedule
