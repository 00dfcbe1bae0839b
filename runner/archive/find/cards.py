"""``header.KEYWORD`` in SQL: a card of the whole header, a JSON list of [keyword, value, comment] (ARCH-40).

The first card with the keyword counts, as in astropy. A value is compared with what is of its own type: for
a number that is text in this header the answer is unknown.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from runner.archive.find.tree import Value

Column = sa.ColumnElement[Any]

# Literal, as they stand in the statement for each card.
_KEYWORD: Column = sa.literal_column("'$[0]'")
_VALUE: Column = sa.literal_column("'$[1]'")


class Cards(ABC):
    """The cards of a column of headers; each expression is about the header of its row."""

    def __init__(self, header: Column) -> None:
        self._header = header

    @abstractmethod
    def card(self, keyword: str) -> Column:
        """Return a card as JSON text; null if there is none."""

    @abstractmethod
    def value(self, keyword: str, like: Value) -> Column:
        """Return the value of a card if it is of the type of `like`, else null."""

    @abstractmethod
    def is_null(self, keyword: str) -> sa.ColumnElement[bool]:
        """Return whether there is no card, or it has no value."""


class SqliteCards(Cards):
    """By the JSON functions of SQLite."""

    def card(self, keyword: str) -> Column:
        """Return a card as JSON text; null if there is none."""
        return self._ask(keyword, lambda card: card)

    def value(self, keyword: str, like: Value) -> Column:
        """Return the value of a card if it is of the type of `like`, else null."""
        types, type = _choose(like, ("true", "false"), ("integer", "real"), ("text",))

        def take(card: Column) -> Column:
            has_type = sa.func.json_type(card, _VALUE).in_(types)
            return sa.case((has_type, sa.func.json_extract(card, _VALUE, type_=type)))

        return self._ask(keyword, take)

    def is_null(self, keyword: str) -> sa.ColumnElement[bool]:
        """Return whether there is no card, or it has no value."""
        type = self._ask(keyword, lambda card: sa.func.json_type(card, _VALUE))
        return sa.func.coalesce(type, "null") == "null"

    def _ask(self, keyword: str, take: Callable[[Column], Column]) -> Column:
        cards = sa.func.json_each(self._header).table_valued("key", "value", name="card")
        named = sa.func.json_extract(cards.c.value, _KEYWORD) == keyword
        return sa.select(take(cards.c.value)).where(named).order_by(cards.c.key).limit(1).scalar_subquery()


class PostgresqlCards(Cards):
    """By the JSON functions of PostgreSQL."""

    def card(self, keyword: str) -> Column:
        """Return a card as JSON text; null if there is none."""
        return self._ask(keyword, lambda card: sa.cast(card, sa.Text()))

    def value(self, keyword: str, like: Value) -> Column:
        """Return the value of a card if it is of the type of `like`, else null."""
        types, type = _choose(like, ("boolean",), ("number",), ("string",))

        def take(card: Column) -> Column:
            has_type = sa.func.json_typeof(_part(card, "->", "1")).in_(types)
            return sa.case((has_type, sa.cast(_part(card, "->>", "1"), type)))

        return self._ask(keyword, take)

    def is_null(self, keyword: str) -> sa.ColumnElement[bool]:
        """Return whether there is no card, or it has no value."""
        type = self._ask(keyword, lambda card: sa.func.json_typeof(_part(card, "->", "1")))
        return sa.func.coalesce(type, "null") == "null"

    def _ask(self, keyword: str, take: Callable[[Column], Column]) -> Column:
        each = sa.func.json_array_elements(sa.cast(self._header, sa.JSON()))
        cards = each.table_valued("value", with_ordinality="place", name="card").render_derived()
        named = _part(cards.c.value, "->>", "0") == keyword
        return sa.select(take(cards.c.value)).where(named).order_by(cards.c.place).limit(1).scalar_subquery()


def _part(card: Column, operator: str, index: str) -> Column:
    return card.op(operator, return_type=sa.Text())(sa.literal_column(index))


def _choose(
    like: Value, truth: tuple[str, ...], number: tuple[str, ...], text: tuple[str, ...]
) -> tuple[tuple[str, ...], sa.types.TypeEngine[Any]]:
    """Return what the database calls the type of a value in JSON, and what it is in SQL."""
    if isinstance(like, bool):
        return truth, sa.Boolean()
    # NUMERIC has all digits of both whole numbers and floats; bound as they are.
    return (number, sa.Numeric(asdecimal=False)) if isinstance(like, int | float) else (text, sa.Text())
