"""An index of files as ``runner index`` would have left it, filled with rows of the test's own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from runner.archive.find.ask import Index, make_question
from runner.archive.schema import add_columns
from runner.archive.settings import Archive, parse_archive
from runner.archive.tables import FILES, HDUS, OK, ROOTS
from runner.database.database import Database
from runner.database.migrate import prepare_schema
from runner.document.faults import Faults

SEEN_AT = "2026-11-21T12:00:00.000000Z"
SETTINGS = b"""
header: true
columns:
  calibrated: {keyword: CALIB, type: bool}
  gain: {keyword: GAIN, type: float, hdu: each, unit: electron / adu}
"""


@dataclass(frozen=True, slots=True)
class File:
    """One file: its columns (of the row of HDU 0), those of further HDUs, and its cards."""

    path: str
    columns: Mapping[str, Any] = field(default_factory=dict)
    others: Sequence[Mapping[str, Any]] = ()
    cards: Sequence[Sequence[Any]] = ()
    root: str = "/data"
    state: str = OK
    mtime_ns: int = 1_700_000_000_000_000_000
    size_bytes: int = 5760
    reason: str | None = None


def read_columns(settings: bytes = SETTINGS) -> Archive:
    """Return settings of an archive."""
    faults = Faults("archive.yaml")
    archive = parse_archive(settings, faults)
    assert faults.found == []
    return archive


def fill(database: Database, archive: Archive, files: Iterable[File]) -> Index:
    """Write an index of these files and no others into a database, and return it."""
    prepare_schema(database)
    add_columns(database, archive.all_columns)
    for table in (HDUS, FILES, ROOTS):
        database.execute(f"DELETE FROM {table}")
    files = list(files)
    roots = sorted({file.root for file in files})
    insert(database, ROOTS, [{"id": number, "path": path} for number, path in enumerate(roots, 1)])
    insert(database, FILES, [_make_file(number, file, roots) for number, file in enumerate(files, 1)])
    insert(database, HDUS, [row for number, file in enumerate(files, 1) for row in _make_hdus(number, file)])
    return Index(database, archive)


def insert(database: Database, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that may lack some columns."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    if rows:
        database.insert(table, names, [[row.get(name) for name in names] for row in rows], "")


def _make_file(number: int, file: File, roots: Sequence[str]) -> dict[str, Any]:
    return {
        "id": number,
        "root_id": roots.index(file.root) + 1,
        "path": file.path,
        "size_bytes": file.size_bytes,
        "mtime_ns": file.mtime_ns,
        "inode": number,
        "hdu_count": 1 + len(file.others),
        "state": file.state,
        "reason": file.reason,
        "layout": "1",
        "first_seen_at": SEEN_AT,
        "indexed_at": SEEN_AT,
    }


def _make_hdus(number: int, file: File) -> list[dict[str, Any]]:
    first = {"file_id": number, "number": 0, "name": "PRIMARY", "version": 1, "type": "PRIMARY", "dimensions": ""}
    rows = [{**first, "header": json.dumps(file.cards), **file.columns}]
    for place, other in enumerate(file.others, 1):
        row = {**first, "number": place, "name": "SCI", "type": "IMAGE", "dimensions": "10,20", "header": "[]"}
        rows.append({**row, **other})
    return rows if file.state == OK else []


def ask(index: Index, expression: str = "", columns: str = "path", sort: str = "", **options: Any) -> list[Any]:
    """Return the rows of a question; of one column its values."""
    question = make_question(index.fields, expression, columns, sort, **options)
    rows = list(index.read(question))
    return [row[0] for row in rows] if len(question.columns) == 1 else rows
