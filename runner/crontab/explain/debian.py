"""What Debian's cron, 3.0pl1-162, makes of a crontab: the first line that it refuses makes it drop the whole file.

Where ``crontab`` and the daemon differ, a user crontab gets the answer of ``crontab``, which installs no other.
"""

from __future__ import annotations

import os

from runner.crontab.explain.assignment import parse_debian_assignment
from runner.crontab.explain.notes import Notes
from runner.crontab.explain.numbers import parse_debian_field
from runner.crontab.explain.schedule import take_schedule
from runner.crontab.explain.tape import GARBAGE, LINE, LONG_WORD, Tape
from runner.crontab.explain.values import Explanation, Refused, Table

_STRING_BYTES = 998
_LINES = 10_000
# The daemon leaves out the header that crontab puts above the lines of a user; a system crontab has none.
_HEADER_LINES = 3
# A byte 0xFF as a signed char: where a field ought to begin it is taken for the end of the file.
_EOF = b"\xff"


def read_debian(table: Table) -> Explanation:
    """Return what Debian's cron makes of a crontab."""
    tape, notes = Tape(table.text), Notes()
    while not _is_too_long(tape, table):
        line = tape.count_newlines() + 1
        try:
            if not _take_line(tape, notes, table, line):
                return notes.conclude(ignored=False)
        except Refused as refused:
            notes.refuse(line, str(refused))
            return notes.conclude(ignored=True)
    notes.refuse(0, f"crontab is too long; maximum number of lines is {_LINES}")
    return notes.conclude(ignored=True)


def _is_too_long(tape: Tape, table: Table) -> bool:
    """Whether too many lines are behind us; passes over comments, which only ``crontab`` counts at the end."""
    lines = tape.count_newlines()
    tape.take(GARBAGE)
    return lines > _LINES + _HEADER_LINES if table.system else tape.count_newlines() > _LINES


def _take_line(tape: Tape, notes: Notes, table: Table, line: int) -> bool:
    """Note an assignment or entry; False at the end."""
    start = tape.at
    text = tape.take_terminated(LINE)
    if text is None:
        if tape.at > start:
            raise Refused("missing newline before EOF")
        return False
    if assignment := parse_debian_assignment(text[:_STRING_BYTES]):
        notes.add_setting(line, *assignment)
        return True
    tape.at = start
    schedule = take_schedule(tape, parse_debian_field, _EOF)
    user = _take_user(tape, table)
    command = tape.take_terminated(LINE)
    if command is None:
        raise Refused("bad command")
    if len(command) > _STRING_BYTES:
        raise Refused("command too long")
    notes.add_entry(line, schedule, command, user)
    return True


def _take_user(tape: Tape, table: Table) -> bytes | None:
    if not table.system:
        if tape.peek() == b"*":
            raise Refused("bad command")
        return None
    user = tape.take_terminated(LONG_WORD)
    if user is None:
        raise Refused("bad command")
    if not table.is_user(os.fsdecode(user)):
        raise Refused("bad username")
    return user
