"""Rows as an astropy Table: typed columns with units, masked where there is no value (ARCH-41)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from astropy.table import Column, MaskedColumn, Table
from astropy.units import Unit

from runner.archive.find.rows import Row
from runner.archive.find.tree import CARD, Field

# What stands below the mask.
_EMPTY: dict[str, Any] = {"int": 0, "float": np.nan, "bool": False, "text": ""}
_DTYPES = {"int": np.int64, "float": np.float64, "bool": np.bool_, "text": np.str_}


def make_table(fields: Sequence[Field], rows: Iterable[Row]) -> Table:
    """Return a table of rows."""
    values: list[tuple[Any, ...]] = list(zip(*rows, strict=True)) or [()] * len(fields)
    return Table([_make_column(field, column) for field, column in zip(fields, values, strict=True)])


def _make_column(field: Field, values: tuple[Any, ...]) -> Column:
    type = _choose_type(values) if field.type == CARD else "text" if field.type == "time" else field.type
    mask = [value is None for value in values]
    filled = [_EMPTY[type] if value is None else value for value in values]
    if field.type == CARD and type == "text":
        filled = [str(value) for value in filled]
    data: np.ndarray[Any, Any] = np.array(filled, dtype=_DTYPES[type])
    about = {"name": field.name, "unit": _read_unit(field.unit), "description": field.description or None}
    return MaskedColumn(data, mask=mask, **about) if any(mask) else Column(data, **about)


def _choose_type(values: Iterable[Any]) -> str:
    """Return the type that holds all values of a header's keyword; text holds any."""
    there = [value for value in values if value is not None]
    types = {type(value) for value in there}
    if types == {int}:
        return "int" if all(-(1 << 63) <= value < 1 << 63 for value in there) else "text"
    if types == {bool}:
        return "bool"
    return "float" if types in ({float}, {int, float}) else "text"


def _read_unit(unit: str) -> Unit | None:
    """Return a unit; what astropy does not know stays as it was written."""
    return Unit(unit, parse_strict="silent") if unit else None
