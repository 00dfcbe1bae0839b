"""Rows as text for other programs, as they come; and a file that is whole when it is there (ARCH-41)."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, TextIO

from runner.archive.find.rows import Row
from runner.archive.find.tree import CARD, Field
from runner.errors import UserError, clean

TABLE: Final = "table"
CSV: Final = "csv"
JSON: Final = "json"
VOTABLE: Final = "votable"
FITS: Final = "fits"
FORMATS = (TABLE, CSV, JSON, VOTABLE, FITS)
_BY_SUFFIX = {".csv": CSV, ".json": JSON, ".jsonl": JSON, ".vot": VOTABLE, ".xml": VOTABLE, ".fits": FITS}


def choose_format(asked: str, output: str, *, is_terminal: bool) -> str:
    """Return the format of an answer: what was asked for, else that of the file's name, else a table for people.

    Raises
    ------
    UserError
        The format cannot go there.
    """
    if not output:
        if asked in (VOTABLE, FITS) and is_terminal:
            raise UserError(f"a {asked} file is nothing for a terminal; write it with -o FILE")
        return asked or TABLE
    format = asked or _BY_SUFFIX.get(Path(output).suffix.lower(), "")
    if not format:
        raise UserError(f"{output}: in which format? Name one with --format: {', '.join(FORMATS[1:])}")
    if format == TABLE:
        raise UserError(f"{output}: a table is for people to look at; other formats are {', '.join(FORMATS[1:])}")
    return format


def write_answer(
    format: str, fields: Sequence[Field], rows: Iterable[Row], file: BinaryIO, *, is_terminal: bool
) -> None:
    """Write rows in a format other than a table; CSV and JSON as they come, for a terminal made harmless."""
    if format in (VOTABLE, FITS):
        from runner.archive.find.encode import encode_table
        from runner.archive.find.table import make_table

        file.write(encode_table(make_table(fields, rows), format))
        return
    text = io.TextIOWrapper(file, "utf-8", newline="")
    try:
        (_write_csv if format == CSV else _write_json)(fields, rows, text, is_terminal=is_terminal)
    finally:
        text.detach()  # the file is not ours to close


def show_value(value: object) -> str:
    """Return a value as text; what there is not is empty."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _write_csv(fields: Sequence[Field], rows: Iterable[Row], file: TextIO, *, is_terminal: bool) -> None:
    """Write CSV with a line of names; what has no value is empty."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([field.name for field in fields])
    if is_terminal or any(field.type in ("bool", CARD) for field in fields):
        show = clean if is_terminal else str
        rows = (tuple(show(show_value(value)) for value in row) for row in rows)
    writer.writerows(rows)


def _write_json(fields: Sequence[Field], rows: Iterable[Row], file: TextIO, *, is_terminal: bool) -> None:
    """Write each row as an object in a line of its own."""
    names = [field.name for field in fields]
    encode = json.JSONEncoder(ensure_ascii=is_terminal).encode
    file.writelines(f"{encode(dict(zip(names, row, strict=True)))}\n" for row in rows)


@contextmanager
def replace_file(path: str) -> Iterator[BinaryIO]:
    """Open a file to be written, which takes its name when all is written; one that is no regular file as it is."""
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        with target.open("wb") as file:
            yield file
        return
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
