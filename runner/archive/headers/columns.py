"""Which keywords the configured columns need, and what a header's values become in them (ARCH-20, ARCH-21)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import zip_longest

from runner.archive.headers.places import Pair, find_place
from runner.archive.headers.times import TIMESYS, find_instant, name_times
from runner.archive.headers.values import MISFIT, Typed, Value, fit, is_blank, show
from runner.archive.settings import Column


class Columns:
    """The configured columns.

    Attributes
    ----------
    names, columns
        In the order of the settings.
    each, primary, first
        The numbers of the columns with that rule.
    all
        The numbers of all of them.
    pairs
        By the number of a ``ra`` or ``dec`` column: the keywords of a position, and which of the two it takes.
    keywords
        Everything that must be known of a header.
    """

    def __init__(self, columns: Mapping[str, Column]) -> None:
        self.names = tuple(columns)
        self.columns = tuple(columns.values())
        self.each, self.primary, self.first = (
            tuple(i for i, column in enumerate(self.columns) if column.hdu == rule)
            for rule in ("each", "primary", "first")
        )
        self.all = tuple(range(len(self.columns)))
        self.pairs = _pair(self.columns)
        self.keywords = frozenset(_list_keywords(self))

    def fill(self, numbers: Collection[int], header: Mapping[str, Value]) -> tuple[dict[int, Typed], list[str]]:
        """Return what a header has for some columns, by their numbers, and what did not fit."""
        found: dict[int, Typed] = {}
        findings: dict[str, None] = {}
        for number in numbers:
            found[number], wrong = self._fill_one(number, header)
            findings |= dict.fromkeys(wrong)
        return found, list(findings)

    def _fill_one(self, number: int, header: Mapping[str, Value]) -> tuple[Typed, list[str]]:
        column = self.columns[number]
        if column.type == "time":
            return find_instant(column.keywords, header)
        if number in self.pairs:
            pairs, which = self.pairs[number]
            place, findings = find_place(pairs, header)
            return place[which], findings
        return _find_fitting(column, header)


def _find_fitting(column: Column, header: Mapping[str, Value]) -> tuple[Typed, list[str]]:
    findings: list[str] = []
    for keyword in column.keywords:
        value = header.get(keyword)
        if value is None or (column.type != "text" and is_blank(value)):
            continue
        typed = fit(value, column.type)
        if typed is not MISFIT:
            return typed, findings  # type: ignore[return-value]
        findings.append(f"{keyword} is {show(value)}, no {column.type}")
    return None, findings


def _pair(columns: tuple[Column, ...]) -> dict[int, tuple[tuple[Pair, ...], int]]:
    """Return the positions: the first ``ra`` column goes with the first ``dec`` column, and so on."""
    ras, decs = ([i for i, column in enumerate(columns) if column.type == type] for type in ("ra", "dec"))
    found: dict[int, tuple[tuple[Pair, ...], int]] = {}
    for ra, dec in zip_longest(ras, decs):
        keywords = (columns[i].keywords if i is not None else () for i in (ra, dec))
        pairs = tuple(Pair(*both) for both in zip_longest(*keywords, fillvalue=""))
        found |= {i: (pairs, which) for which, i in enumerate((ra, dec)) if i is not None}
    return found


def _list_keywords(columns: Columns) -> set[str]:
    found: set[str] = set()
    for number, column in enumerate(columns.columns):
        found.update(column.keywords)
        if column.type == "time":
            found.add(TIMESYS)
            found.update(*(name_times(keyword) for keyword in column.keywords))
        for pair in columns.pairs.get(number, ((), 0))[0]:
            found.update(keyword for keyword in (pair.ra, pair.dec, *pair.helpers) if keyword)
    return found
