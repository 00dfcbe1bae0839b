"""``runner find``: files of the index by what their headers say; and what is missing (ARCH-40 to ARCH-43)."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runner.archive.find.write import FORMATS, JSON, TABLE, choose_format, replace_file, show_value, write_answer
from runner.cli.complete import complete_columns, complete_rules
from runner.cli.context import get_home, json_option
from runner.cli.output import print_json, print_table
from runner.errors import ANSWER_IS_NO, DONE

if TYPE_CHECKING:
    from runner.archive.find.ask import Index
    from runner.archive.find.missing import Found
    from runner.archive.find.query import Question
    from runner.archive.find.rows import Row
    from runner.archive.find.tree import Field


@click.command("find")
@click.argument("expression", required=False, default="")
@click.option("-c", "--columns", default="", shell_complete=complete_columns, help="What to show: names with commas.")
@click.option("--sort", default="", shell_complete=complete_columns, help="By which columns; -NAME falls.")
@click.option("-n", "--limit", type=click.IntRange(0), default=0, help="How many at most; 0, the default, is all.")
@click.option("--count", is_flag=True, help="Say only how many there are.")
@click.option("--hdus", is_flag=True, help="A row for each HDU, not for each file.")
@click.option("--all", "every_state", is_flag=True, help="Bad and vanished files too.")
@click.option("--format", "asked", type=click.Choice(FORMATS), help="Of the answer; else by the name of FILE.")
@click.option("-o", "--output", metavar="FILE", default="", help="Write the answer there, whole or not at all.")
@click.option(
    "--config",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Settings of the index, instead of envs/archive.yaml.",
)
@click.option(
    "--missing",
    "rules",
    metavar="[RULE]",
    multiple=True,
    is_flag=False,
    flag_value="",
    shell_complete=complete_rules,
    help="Which products are missing, by all rules or by RULE; may be given more than once.",
)
@json_option
@click.pass_context
def find_command(
    ctx: click.Context,
    expression: str,
    columns: str,
    sort: str,
    limit: int,
    count: bool,
    hdus: bool,
    every_state: bool,
    asked: str | None,
    output: str,
    config: Path | None,
    rules: tuple[str, ...],
    as_json: bool,
) -> int:
    """Find files by what their headers say, and what is missing.

    \b
    runner find 'INSTRUME = "WFC3" and EXPTIME > 100 and cone(150.1, 2.2, 0.1)'
    runner find 'obs_at = 2024-01-31 and filter in ("F606W", "F814W")' --columns file
    runner find --missing '*_raw.fits: *_flt.fits, *_drz.fits'

    Without EXPRESSION all. Names are columns of the index, their FITS keywords, or header.KEYWORD; operators are
    = != < <= > >= in like between is null and or not. Positions are degrees, times UTC: a day is all of it.

    Exit 1 if --missing finds that something is missing.
    """
    format = choose_format(asked or (JSON if as_json else ""), output, is_terminal=sys.stdout.isatty())
    if rules or count:
        _refuse_others(ctx, "missing" if rules else "count", format)
    from runner.archive.find.ask import make_question, open_index
    from runner.archive.find.missing import choose_rules, find_missing

    with open_index(get_home(ctx), config) as index:
        if rules:
            chosen = choose_rules([rule for rule in rules if rule], index.archive.expected)
            return _show_missing(find_missing(index, chosen, expression, every_state=every_state), format)
        question = make_question(
            index.fields, expression, columns, sort, limit=limit, hdus=hdus, every_state=every_state
        )
        if count:
            number = index.count(question)
            click.echo(json.dumps({"count": number}) if format == JSON else number)
        elif format == TABLE:
            _show_table(index, question)
        else:
            _write(format, output, question.columns, index.read(question))
    return DONE


def _show_table(index: Index, question: Question) -> None:
    cells = [[show_value(value) for value in row] for row in index.read(question)]
    if cells:
        print_table([field.name.upper() for field in question.columns], cells, {})
    elif index.is_empty():
        click.echo('nothing is indexed yet; run "runner index PATH"', err=True)
    else:
        click.echo("nothing is found", err=True)


def _write(format: str, output: str, fields: Sequence[Field], rows: Iterable[Row]) -> None:
    if not output:
        write_answer(format, fields, rows, sys.stdout.buffer, is_terminal=sys.stdout.isatty())
        return
    with replace_file(output) as file:
        write_answer(format, fields, rows, file, is_terminal=False)


def _refuse_others(ctx: click.Context, option: str, format: str) -> None:
    """Refuse what says how rows are shown, where the answer is of another kind."""
    others = [name for name in ("columns", "sort", "limit", "count", "output") if ctx.params[name] and name != option]
    if option == "missing" and ctx.params["hdus"]:
        others.append("hdus")
    if format not in (TABLE, JSON):
        others.append("format")
    if others:
        raise click.UsageError(f"--{option} has an answer of its own, without --{others[0]}")


def _show_missing(found: Sequence[Found], format: str) -> int:
    incomplete = chain.from_iterable(one.list_incomplete() for one in found)
    number = sum(one.count_incomplete() for one in found)
    if format == JSON:
        print_json(map(asdict, incomplete))
    elif number:
        cells = [(one.rule, one.exposure, ", ".join(one.there), ", ".join(one.missing)) for one in incomplete]
        print_table(("RULE", "EXPOSURE", "THERE", "MISSING"), cells, {})
    if format != JSON:
        click.echo(f"{number} of {sum(one.count for one in found)} exposures lack something")
    return ANSWER_IS_NO if number else DONE
