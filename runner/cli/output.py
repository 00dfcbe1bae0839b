"""How answers are printed: JSON for programs, tables for people, colours on a terminal only."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import click

from runner.errors import clean as clean

# What a cell that begins with a word looks like on a terminal.
STYLES = {
    "ok": "green",
    "warned": "yellow",
    "failed": "red",
    "timed_out": "red",
    "cannot_start": "red",
    "lost": "red",
    "running": "cyan",
    "waiting": "cyan",
    "skipped": "dim",
    "stopped": "dim",
    "disabled": "dim",
    "never": "dim",
    "bad": "red",
    "paused": "yellow",
}


def print_json(values: Iterable[Mapping[str, object]]) -> None:
    """Print one JSON object a line."""
    for value in values:
        click.echo(json.dumps(value, ensure_ascii=False))


@contextmanager
def going_on() -> Iterator[None]:
    """Let a deed go on when the reader of what it says has gone away: nothing more is said then."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        say_nothing_more()


def say_nothing_more() -> None:
    """Throw away what is printed from now on; Python would complain of it once more at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def clean_lines(data: bytes) -> str:
    """Return a job's output for a terminal: control characters but tab and newline shown and not acted on (SEC-10)."""
    text = data.decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() or c in "\t\n" else f"\\x{ord(c):02x}" for c in text)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], styles: Mapping[str, str]) -> None:
    """Print a table: by rich with `styles` (first word of a cell -> colour) on a terminal, plain text elsewhere."""
    cells = [[clean(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        _print_rich(columns, cells, styles)
        return
    widths = [max(len(row[i]) for row in [list(columns), *cells]) for i in range(len(columns))]
    for row in [list(columns), *cells]:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _print_rich(columns: Sequence[str], rows: list[list[str]], styles: Mapping[str, str]) -> None:
    from rich.console import Console
    from rich.table import Column, Table
    from rich.text import Text

    # Folded, not cut: a run id is there to be copied.
    table = Table(*[Column(name, overflow="fold") for name in columns], box=None, pad_edge=False)
    for row in rows:
        table.add_row(*[Text(cell, style=styles.get(cell.partition(" ")[0], "")) for cell in row])
    Console().print(table)


def show_trouble(warnings: Iterable[str]) -> None:
    """Say on stderr why an answer may not be whole."""
    for warning in warnings:
        click.echo(f"runner: {warning}", err=True)


def say_lines(lines: Iterable[object]) -> None:
    """Print lines for a person on stderr."""
    for line in lines:
        click.echo(clean(str(line)), err=True)


def write_text(text: str) -> None:
    """Print text as it is, in UTF-8 whatever the locale; bytes that were none are again what they were."""
    click.echo(text.encode("utf-8", "surrogateescape"), nl=False)
