"""What an expression says, as values: which files are asked for, over which fields (ARCH-40).

``between``, ``not in``, ``not like`` and ``is not null`` are not here: they are written with what is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# Types of fields beside those of `runner.archive.settings.Column`, whose ra and dec are float here.
CARD: Final = "card"  # a value of the whole header: of the type that it has in each file

# Where a field's value is.
FILE: Final = "file"  # in files and roots
PRIMARY: Final = "primary"  # in the row of HDU 0
HDU: Final = "hdu"  # in the row of each HDU


@dataclass(frozen=True, slots=True)
class Field:
    """What can be asked of a file or an HDU, and shown.

    Attributes
    ----------
    name
        As it is shown: of a column, or ``header.KEYWORD``.
    type
        ``text int float bool time card``.
    place
        ``file primary hdu``; a card is in the row of HDU 0, or in each where each HDU has a row.
    unit, description
        For who reads the table; may be empty.
    keyword
        Of a card; else empty.
    """

    name: str
    type: str
    place: str
    unit: str = ""
    description: str = ""
    keyword: str = ""


@dataclass(frozen=True, slots=True)
class Period:
    """A time as precise as it was written: all instants whose text begins with it.

    Attributes
    ----------
    begins, ends
        UTC, ISO 8601 without a ``Z``; the end is not in it.
    """

    begins: str
    ends: str


Value = str | int | float | bool | Period


@dataclass(frozen=True, slots=True)
class Compare:
    """A field against a value; `operator` is one of ``= != < <= > >=``."""

    field: Field
    operator: str
    value: Value


@dataclass(frozen=True, slots=True)
class In:
    """A field is one of several values."""

    field: Field
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Like:
    """A text fits a pattern: ``%`` is any text, ``_`` any character, ``\\`` takes the meaning from what follows."""

    field: Field
    pattern: str


@dataclass(frozen=True, slots=True)
class IsNull:
    """A field has no value."""

    field: Field


@dataclass(frozen=True, slots=True)
class Cone:
    """A position is no farther than a radius from a centre; all in degrees (ICRS)."""

    ra: Field
    dec: Field
    ra_deg: float
    dec_deg: float
    radius_deg: float


@dataclass(frozen=True, slots=True)
class Not:
    """The contrary; of what is unknown, unknown."""

    part: Condition


@dataclass(frozen=True, slots=True)
class And:
    """All of the parts."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one of the parts."""

    parts: tuple[Condition, ...]


Condition = Compare | In | Like | IsNull | Cone | Not | And | Or


def list_asked(condition: Condition) -> set[Field]:
    """Return the fields that a condition speaks of."""
    match condition:
        case Not(part):
            return list_asked(part)
        case And(parts) | Or(parts):
            return {field for part in parts for field in list_asked(part)}
        case Cone(ra, dec):
            return {ra, dec}
        case _:
            return {condition.field}
