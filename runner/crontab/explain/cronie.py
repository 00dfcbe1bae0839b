"""What cronie, as of 2025-11 (after 1.7.2), makes of a crontab: it drops the lines that it refuses.

A whole user crontab is dropped for too many lines only.
"""

from __future__ import annotations

from runner.crontab.explain.assignment import parse_cronie_assignment
from runner.crontab.explain.notes import Notes
from runner.crontab.explain.numbers import parse_cronie_field
from runner.crontab.explain.schedule import take_schedule
from runner.crontab.explain.tape import BLANKS, GARBAGE, LINE, WORD, Tape
from runner.crontab.explain.values import Explanation, Refused, Table

_STRING_BYTES = 131_071
_REFUSED_BYTES = 131_072
_GARBAGE_BYTES = 32_768
_ENTRIES = 10_000
_SETTINGS = 1_000


class _Dropped(Exception):
    """The whole file is not taken; the text is cronie's own words."""


def read_cronie(table: Table) -> Explanation:
    """Return what cronie makes of a crontab."""
    tape, notes = Tape(table.text), Notes()
    try:
        while True:
            line = tape.count_newlines() + 1
            _skip_garbage(tape, table)
            line = tape.count_newlines() + 1
            if not _take_line(tape, notes, table, line):
                return notes.conclude(ignored=False)
    except _Dropped as dropped:
        notes.refuse(line, str(dropped))
        return notes.conclude(ignored=True)


def _skip_garbage(tape: Tape, table: Table) -> None:
    """Pass over blanks and comments; a system crontab goes on as a line in the middle of too many of them."""
    passed = len(tape.take(GARBAGE, _GARBAGE_BYTES + 1))
    at_line_end = not tape.peek() and tape.text.endswith(b"\n")
    if passed + (not at_line_end) > _GARBAGE_BYTES and not table.system:
        raise _Dropped("too many garbage characters")
    if passed == _GARBAGE_BYTES:
        tape.at += len(tape.peek())  # counted, and so lost


def _take_line(tape: Tape, notes: Notes, table: Table, line: int) -> bool:
    """Note an assignment, an entry or a refusal; False at the end."""
    start = tape.at
    text = tape.take_terminated(LINE)
    if text is None:
        if tape.at > start:
            notes.refuse(line, "missing newline before EOF")
        return False
    if assignment := parse_cronie_assignment(text[:_STRING_BYTES]):
        if len(notes.settings) == _SETTINGS and not table.system:
            raise _Dropped("too many environment variables")
        notes.add_setting(line, *assignment)
        return True
    if len(notes.entries) + len(notes.refusals) == _ENTRIES and not table.system:
        raise _Dropped("too many entries")
    tape.at = start
    try:
        _take_entry(tape, notes, table, line)
    except Refused as refused:
        notes.refuse(line, str(refused))
        tape.skip_line(_REFUSED_BYTES)
    return True


def _take_entry(tape: Tape, notes: Notes, table: Table, line: int) -> None:
    options = _take_log_option(tape, table)
    schedule = take_schedule(tape, parse_cronie_field)
    if tape.peek() == b"*":
        raise Refused("bad command")
    _check_command(tape)
    user = None
    if table.system:
        user = tape.take(WORD)
        _check_command(tape)
        tape.take(BLANKS)
        _check_command(tape)
    options |= _take_mail_option(tape)
    command = tape.take_terminated(LINE)
    if command is None:
        raise Refused("bad command")
    notes.add_entry(line, schedule, command[:_STRING_BYTES], user, options)


def _check_command(tape: Tape) -> None:
    """Refuse a line that ends here."""
    if tape.peek() in (b"", b"\n"):
        raise Refused("bad command")


def _take_log_option(tape: Tape, table: Table) -> frozenset[str]:
    """``-`` in front: root's own and system crontabs may keep a command out of the log."""
    if tape.peek() != b"-":
        return frozenset()
    if not (table.system or table.owned_by_root):
        raise Refused("bad option")
    tape.at += 1
    return frozenset({"DONT_LOG"})


def _take_mail_option(tape: Tape) -> frozenset[str]:
    """``-n`` before the command, once: mail only if it fails. There is no other option."""
    if tape.peek() != b"-":
        return frozenset()
    if tape.text[tape.at : tape.at + 3] not in (b"-n ", b"-n\t"):
        tape.at += 1
        raise Refused("bad option")
    tape.at += 2
    tape.take(BLANKS)
    _check_command(tape)
    if tape.peek() == b"-":
        raise Refused("bad option")
    return frozenset({"MAIL_WHEN_ERR"})
