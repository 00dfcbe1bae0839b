"""What a cron makes of a crontab, asked and told (DESIGN section 7, ``crontab explain``)."""

from __future__ import annotations

from runner.crontab.dialects import CRONIE, Dialect
from runner.crontab.explain.cronie import read_cronie
from runner.crontab.explain.debian import read_debian
from runner.crontab.explain.percent import Executed, split_command
from runner.crontab.explain.values import Entry, Explanation, Setting, Table
from runner.crontab.mask import mask_line

FIELD_KEYS = ("min", "hr", "dom", "mon", "dow")


def explain_table(dialect: Dialect, table: Table) -> Explanation:
    """Return what a cron makes of a crontab."""
    return read_cronie(table) if dialect is CRONIE else read_debian(table)


def get_executed(entry: Entry, dialect: Dialect) -> Executed:
    """Return what the shell gets of an entry's command, and its stdin."""
    return split_command(entry.command, b"%" if dialect is CRONIE else rb"%\\")


def describe_explanation(explanation: Explanation, dialect: Dialect) -> dict[str, object]:
    """Return the explanation as one JSON object; a byte that is no UTF-8 is shown as ``\\xe9``."""
    return {
        "entries": [_describe_entry(entry, dialect) for entry in explanation.entries],
        "env": [show_setting(setting) for setting in explanation.settings],
        "errors": [refusal.words for refusal in explanation.refusals],
        "file_ignored": explanation.ignored,
    }


def _describe_entry(entry: Entry, dialect: Dialect) -> dict[str, object]:
    described: dict[str, object] = dict(zip(FIELD_KEYS, entry.schedule.numbers, strict=True))
    described["flags"] = get_flags(entry)
    described["command"] = show_bytes(entry.command)
    executed = get_executed(entry, dialect)
    if executed != Executed(entry.command, None):
        described["executed"] = _describe_executed(executed)
    if entry.user is not None:
        described["user"] = show_bytes(entry.user)
    return described | {"env": [show_setting(setting) for setting in entry.settings], "line": entry.line}


def _describe_executed(executed: Executed) -> dict[str, str]:
    shell = {"shell": show_bytes(executed.shell)}
    return shell if executed.stdin is None else shell | {"stdin": show_bytes(executed.stdin)}


def get_flags(entry: Entry) -> list[str]:
    """Return all flags of an entry by name."""
    return sorted(entry.schedule.flags | entry.options)


def show_setting(setting: Setting) -> str:
    """Return ``NAME=value``, the value masked where the name is like a secret's (CRON-66)."""
    return mask_line(show_bytes(setting.text))


def show_bytes(data: bytes) -> str:
    """Return bytes of a crontab as text: UTF-8, and ``\\xe9`` for what is none."""
    return data.decode("utf-8", "backslashreplace")
