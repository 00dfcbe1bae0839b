"""Rows of the database as the values of their fields."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from runner.archive.find.periods import format_ns
from runner.archive.find.tree import CARD, FILE, Field

Row = tuple[Any, ...]


def read_rows(rows: Iterable[Row], fields: Sequence[Field]) -> Iterator[Row]:
    """Return rows with the values of `fields`, None where there is none; as they come, and as quick."""
    converters = [(place, convert) for place, field in enumerate(fields) if (convert := _choose_converter(field))]
    return (_convert(row, converters) for row in rows) if converters else iter(rows)


def _convert(row: Row, converters: Sequence[tuple[int, Callable[[Any], Any]]]) -> Row:
    values = list(row)
    for place, convert in converters:
        if values[place] is not None:
            values[place] = convert(values[place])
    return tuple(values)


def _choose_converter(field: Field) -> Callable[[Any], Any] | None:
    if field.type == CARD:
        return lambda card: json.loads(card)[1]
    if field.type == "bool":
        return bool  # SQLite has numbers for it
    return format_ns if field.type == "time" and field.place == FILE and field.name == "mtime" else None
