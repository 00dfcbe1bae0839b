"""``runner crontab explain``: what the daemon makes of any crontab text."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import BinaryIO

import click

from runner.cli.context import json_option
from runner.cli.output import clean, print_json, print_table
from runner.crontab.dialects import DEBIAN, DIALECTS, Dialect
from runner.crontab.explain.describe import (
    describe_explanation,
    explain_table,
    get_executed,
    get_flags,
    show_bytes,
    show_setting,
)
from runner.crontab.explain.values import Entry, Explanation, Table
from runner.crontab.mask import mask_line, show_lines
from runner.crontab.tables import find_crontab
from runner.errors import ANSWER_IS_NO, DONE, RunnerError
from runner.home.here import read_user

_SHOWN = 120


@click.command("explain", short_help="what cron makes of a crontab; exit 1 if anything is refused")
@click.argument("file", type=click.File("rb"))
@click.option("--dialect", type=click.Choice(list(DIALECTS)), help="Which cron; by default that of this host.")
@click.option("--system", is_flag=True, help="FILE has a user column, as /etc/crontab and /etc/cron.d have.")
@json_option
def explain_command(file: BinaryIO, dialect: str | None, system: bool, as_json: bool) -> int:
    """Say what cron makes of the crontab FILE (- is stdin): when each line fires, what its shell gets, what is refused.

    Nothing is installed. Exit 1 if anything is refused.
    """
    cron = DIALECTS[dialect] if dialect else _read_dialect()
    table = Table(file.read(), system=system, owned_by_root=os.geteuid() == 0)
    explanation = explain_table(cron, table)
    if as_json:
        print_json([describe_explanation(explanation, cron)])
    else:
        _show(explanation, cron, table, file.name)
    return ANSWER_IS_NO if explanation.refusals else DONE


def _read_dialect() -> Dialect:
    """Return the cron of this host; Debian's where none is to be found."""
    with suppress(RunnerError):
        return find_crontab(read_user(), os.environ).read_dialect()
    return DEBIAN


def _show(explanation: Explanation, cron: Dialect, table: Table, name: str) -> None:
    if explanation.entries:
        user = ("USER",) if table.system else ()
        columns = ("LINE", "MINUTE", "HOUR", "DAY", "MONTH", "WEEKDAY", "FLAGS", *user, "SH -C", "STDIN")
        print_table(columns, [_show_entry(entry, cron) for entry in explanation.entries], {})
    if explanation.settings:
        print_table(("LINE", "SETTING"), [(str(one.line), show_setting(one)) for one in explanation.settings], {})
    lines = show_lines(table.text) if explanation.refusals else []
    for refusal in explanation.refusals:
        place, line = (f":{refusal.line}", f": {lines[refusal.line - 1]}") if refusal.line else ("", "")
        click.echo(f"{clean(name)}{place}: {refusal.words}{_shorten(clean(line))}")
    click.echo(_sum_up(explanation, cron))


def _show_entry(entry: Entry, cron: Dialect) -> tuple[str, ...]:
    user = () if entry.user is None else (show_bytes(entry.user),)
    executed = get_executed(entry, cron)
    shell, stdin = (_shorten(mask_line(show_bytes(part or b""))) for part in (executed.shell, executed.stdin))
    flags = " ".join(get_flags(entry))
    return (str(entry.line), *entry.schedule.numbers, flags, *user, shell, stdin.replace("\n", "\\n"))


def _shorten(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}... ({len(text)} characters)"


def _sum_up(explanation: Explanation, cron: Dialect) -> str:
    if explanation.ignored:
        return f"{cron.name}: the whole file is ignored"
    counts = (("entries", explanation.entries), ("settings", explanation.settings), ("refused", explanation.refusals))
    return f"{cron.name}: " + ", ".join(f"{what} {len(found)}" for what, found in counts)
