"""Values of cards as astropy gives them, and what they become in a typed column (ARCH-22).

A card's value is a str, bool, int, float or complex; None where the card leaves it undefined; `UNREADABLE` where
astropy cannot make out one, as for ``EXPTIME = NaN`` without quotes.
"""

from __future__ import annotations

import math
from enum import Enum
from typing import Final, TypeAlias


class Mark(Enum):
    """What stands where a value would, and is none."""

    UNREADABLE = "unreadable"
    MISFIT = "misfit"


UNREADABLE: Final = Mark.UNREADABLE
MISFIT: Final = Mark.MISFIT

Value: TypeAlias = str | bool | int | float | complex | Mark | None
Typed: TypeAlias = str | bool | int | float | None

# A column of whole numbers has 64 bits in both databases.
LEAST_INT, MOST_INT = -(2**63), 2**63 - 1
_SHOWN = 40


def is_blank(value: Value) -> bool:
    """Whether a card says nothing, in a column that is not text: undefined, or blank text."""
    return value is None or value == ""


def fit(value: Value, type: str) -> Typed | Mark:
    """Return `value` as a column of `type` has it, `MISFIT` if that would change it.

    A whole float goes into a column of integers, an integer into one of floats. A number or a truth value in a
    column of text becomes what Python writes for it, and ``T`` or ``F``.
    """
    return _FITS[type](value)


def _fit_text(value: Value) -> Typed | Mark:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "T" if value else "F"
    return MISFIT if isinstance(value, Mark) or value is None else str(value)


def _fit_int(value: Value) -> Typed | Mark:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not LEAST_INT <= value <= MOST_INT:
        return MISFIT
    return value


def _fit_float(value: Value) -> Typed | Mark:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return MISFIT
    # 1E999 is infinite for astropy: no database and no JSON has a number for it that all agree on.
    try:
        number = float(value)
    except OverflowError:
        return MISFIT
    return number if math.isfinite(number) else MISFIT


def _fit_bool(value: Value) -> Typed | Mark:
    return value if isinstance(value, bool) else MISFIT


_FITS = {"text": _fit_text, "int": _fit_int, "float": _fit_float, "bool": _fit_bool}


def show(value: Value) -> str:
    """Return a value for a person, short."""
    if isinstance(value, Mark):
        return value.value
    text = repr(value) if isinstance(value, str) else str(_fit_text(value))
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def escape_text(text: str) -> str:
    """Return `text` with control characters as backslash escapes: PostgreSQL has no NUL, a terminal acts on others."""
    return text if text.isprintable() else "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
