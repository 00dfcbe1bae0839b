"""The conditions of an expression as SQL: each value of the user's bound, none pasted (ARCH-40).

A condition is true, false or unknown, as in SQL: what has no value answers no comparison, not even ``!=``.
Text is compared by the codes of its characters, and ``like`` tells capitals from small letters, in both databases.
"""

from __future__ import annotations

import math
import operator
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from runner.archive.find.cards import Cards
from runner.archive.find.patterns import make_glob, make_like
from runner.archive.find.periods import count_ns
from runner.archive.find.sky import plan_band
from runner.archive.find.tree import (
    CARD,
    PRIMARY,
    And,
    Compare,
    Condition,
    Cone,
    Field,
    In,
    IsNull,
    Like,
    Not,
    Or,
    Period,
    Value,
)

Column = sa.ColumnElement[Any]
Truth = sa.ColumnElement[bool]

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

# A product that is too small for a float is an error of PostgreSQL's: this is added to what may be as small.
_NOTHING = 1e-30
# So the haversine of no distance at all is a little more than nothing, and is to be no more than this: 1e-18 degrees.
_NO_DISTANCE = 1e-40


class Dialect(ABC):
    """Where the databases differ."""

    @abstractmethod
    def by_codes(self, column: Column) -> Column:
        """Return a column as it is compared and sorted: text by the codes of its characters."""

    @abstractmethod
    def fits(self, text: Column, pattern: str) -> Truth:
        """Return whether a text fits a pattern of `Like`."""


class Sqlite(Dialect):
    """SQLite compares by codes anyway; its LIKE takes capitals for small letters, its GLOB does not."""

    def by_codes(self, column: Column) -> Column:
        """Return a column as it is compared and sorted: text by the codes of its characters."""
        return column

    def fits(self, text: Column, pattern: str) -> Truth:
        """Return whether a text fits a pattern of `Like`."""
        return text.bool_op("GLOB")(make_glob(pattern))


class Postgresql(Dialect):
    """PostgreSQL compares by the language that the database was created with."""

    def by_codes(self, column: Column) -> Column:
        """Return a column as it is compared and sorted: text by the codes of its characters."""
        return sa.collate(column, "C") if isinstance(column.type, sa.Text) else column

    def fits(self, text: Column, pattern: str) -> Truth:
        """Return whether a text fits a pattern of `Like`."""
        return text.like(make_like(pattern, "~"), escape="~")


class Conditions:
    """What makes SQL of the conditions on some tables.

    Parameters
    ----------
    find_column
        Returns the column of a field that is no card.
    is_first
        Whether a row is that of HDU 0, which those of `PRIMARY` fields are.
    """

    def __init__(self, find_column: Callable[[Field], Column], is_first: Truth, cards: Cards, dialect: Dialect) -> None:
        self._find_column = find_column
        self._is_first = is_first
        self._cards = cards
        self._dialect = dialect

    def tell(self, condition: Condition) -> Truth:
        """Return a condition as SQL."""
        match condition:
            case And(parts):
                return sa.and_(*map(self.tell, parts))
            case Or(parts):
                return sa.or_(*map(self.tell, parts))
            case Not(part):
                return sa.not_(self.tell(part))
            case Cone():
                return self._tell_cone(condition)
            case Compare(field, sign, value):
                return self._compare(field, sign, value)
            case In(field, values):
                return self._tell_in(field, values)
            case Like(field, pattern):
                return self._dialect.fits(self._find(field, pattern), pattern)
            case IsNull(field):
                return self._cards.is_null(field.keyword) if field.type == CARD else self._find_column(field).is_(None)

    def _find(self, field: Field, like: Value) -> Column:
        return self._cards.value(field.keyword, like) if field.type == CARD else self._find_column(field)

    def _compare(self, field: Field, sign: str, value: Value) -> Truth:
        column = self._find(field, value)
        if isinstance(value, Period):
            return _compare_period(self._dialect.by_codes(column), sign, *_find_bounds(column, value))
        if sign not in ("=", "!="):
            column = self._dialect.by_codes(column)
        return _compare(column, sign, value)

    def _tell_in(self, field: Field, values: tuple[Value, ...]) -> Truth:
        if field.type == CARD or any(isinstance(value, Period) for value in values):
            return sa.or_(*[self._compare(field, "=", value) for value in values])
        return self._find_column(field).in_(values)

    def _tell_cone(self, cone: Cone) -> Truth:
        is_in = is_within(self._find_column(cone.ra), self._find_column(cone.dec), cone)
        # Said once more: of several cones SQLite sees only so that the index of the first HDUs serves each.
        return sa.and_(self._is_first, is_in) if {cone.ra.place, cone.dec.place} == {PRIMARY} else is_in


def is_within(ra: Column, dec: Column, cone: Cone) -> Truth:
    """Return whether a position is in a cone: in its band, by an index, and by the haversine formula.

    With hav x = sin^2(x/2): hav s = hav(dec - dec0) + cos dec0 cos dec hav(ra - ra0), which is exact for a small
    distance s. Beyond a quarter of the sky the distance to the opposite point, which is small then, is asked instead.
    """
    band = plan_band(cone.ra_deg, cone.dec_deg, cone.radius_deg)
    ranges = [ra.between(west, east) for west, east in band.ra_ranges]
    if cone.radius_deg > 90:
        opposite = _find_haversine(ra, dec, cone.ra_deg + 180, -cone.dec_deg)
        is_near = opposite >= math.sin(math.radians(180 - cone.radius_deg) / 2) ** 2
    else:
        limit = math.sin(math.radians(cone.radius_deg) / 2) ** 2 + _NO_DISTANCE
        is_near = _find_haversine(ra, dec, cone.ra_deg, cone.dec_deg) <= limit
    return sa.and_(dec.between(band.low_dec, band.high_dec), *([sa.or_(*ranges)] if ranges else []), is_near)


def _find_haversine(ra: Column, dec: Column, ra0: float, dec0: float) -> Column:
    half_dec = _call("sin", (dec - dec0 + _NOTHING) * math.radians(0.5))
    half_ra = _call("sin", (ra - ra0 + _NOTHING) * math.radians(0.5))
    along = _call("cos", (dec + _NOTHING) * math.radians(1)) * math.cos(math.radians(dec0))
    return half_dec * half_dec + along * half_ra * half_ra


def _call(name: str, angle: Column) -> Column:
    return sa.Function(name, angle, type_=sa.Float())


def _compare(column: Column, sign: str, value: object) -> Truth:
    truth: Truth = _COMPARE[sign](column, sa.literal(value, column.type))
    return truth


def _compare_period(column: Column, sign: str, begins: object, ends: object) -> Truth:
    match sign:
        case "=":
            return sa.and_(_compare(column, ">=", begins), _compare(column, "<", ends))
        case "!=":
            return sa.or_(_compare(column, "<", begins), _compare(column, ">=", ends))
        case "<" | ">=":
            return _compare(column, sign, begins)
        case "<=":
            return _compare(column, "<", ends)
        case _:
            return _compare(column, ">=", ends)


def _find_bounds(column: Column, period: Period) -> tuple[object, object]:
    """Return begin and end of a period as a column has them: text, or nanoseconds."""
    if isinstance(column.type, sa.BigInteger):
        return count_ns(period.begins), count_ns(period.ends)
    return period.begins, period.ends
