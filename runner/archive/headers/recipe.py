"""How some columns are filled from a header of a template, in the few microseconds that PERF-9 leaves for it.

A recipe does what `Columns.fill` does with the values of a header, where each value is plainly written and fits; it
raises `Odd` for all else, and then `Columns.fill` says what is odd.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import call, itemgetter
from struct import Struct
from typing import Any

from runner.archive.headers.cards import Fields, Odd
from runner.archive.headers.columns import Columns
from runner.archive.headers.places import Pair, choose_pair, find_frame, parse_angle, to_icrs
from runner.archive.headers.template import Template, join_spans, make_format
from runner.archive.headers.times import TIMESYS, name_times, parse_mjd, parse_quick
from runner.archive.headers.units import Unit
from runner.archive.headers.values import Typed, Value

_MOST_KNOWN = 128
_Add = Callable[[str, str], int]


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """What is asked of one header.

    Attributes
    ----------
    numbers
        Of the columns.
    missing
        Those of them that no header had yet: they are the primary's, whichever header has them first.
    """

    numbers: tuple[int, ...]
    missing: tuple[int, ...]


class Shelf:
    """What is known of fields, by type of column: one for all recipes."""

    def __init__(self) -> None:
        self._fields: dict[tuple[str, bool], Fields] = {}

    def get(self, type: str, *, is_last: bool = True) -> Fields:
        """Return what is known of fields of a type, which is empty for values as they are."""
        return self._fields.setdefault((type, is_last), Fields(type, is_last=is_last))


class _Time:
    """Where the values are that make an instant."""

    width = 1

    def __init__(self, keyword: str, present: Mapping[str, object], add: _Add) -> None:
        time = next((other for other in name_times(keyword) if other in present), None)
        self._is_number = not keyword.startswith("DATE")
        self._date = add(keyword, "" if self._is_number else "text")
        self._time = add(time, "text") if time else None
        self._system = add(TIMESYS, "text") if TIMESYS in present else None

    def read(self, values: Sequence[Value]) -> tuple[str]:
        date = values[self._date]
        if self._system is not None and values[self._system] not in (None, "UTC"):
            raise Odd
        if self._is_number:
            return (self._read_mjd(date),)
        # A date that has a time of day needs no other.
        time = values[self._time] if self._time is not None and type(date) is str and len(date) <= 10 else None
        instant = parse_quick(date, time)
        if instant is None:
            raise Odd
        return (instant,)

    def _read_mjd(self, date: Value) -> str:
        if type(date) is not float:
            raise Odd
        try:
            return parse_mjd(date, "utc")
        except ValueError:
            raise Odd from None


class _Place:
    """Where the values are that make a position, and what the header's other keywords meant so far."""

    width = 2

    def __init__(self, pair: Pair, present: Mapping[str, object], add: _Add, *, is_last: bool) -> None:
        self._pair, self._is_last = pair, is_last
        self._ra, self._dec = add(pair.ra, ""), add(pair.dec, "")
        self._names = tuple(keyword for keyword in pair.helpers if keyword in present)
        self._helpers = [add(keyword, "") for keyword in self._names]
        self._meanings: dict[tuple[Value, ...], tuple[bool, str, float | None] | None] = {}

    def read(self, values: Sequence[Value]) -> tuple[float | None, float | None]:
        helpers = tuple([values[place] for place in self._helpers])
        try:
            meaning = self._meanings[helpers]
        except KeyError:
            meaning = self._learn(helpers)
        if meaning is None:
            return None, None
        is_turned, frame, equinox = meaning
        ra, dec = values[self._ra], values[self._dec]
        if is_turned:
            ra, dec = dec, ra
        if type(ra) is not float or type(dec) is not float:
            ra, dec = _angle(ra, hours=True), _angle(dec, hours=False)
        if not (0.0 <= ra <= 360.0 and -90.0 <= dec <= 90.0):
            raise Odd
        return (ra, dec) if equinox is None else to_icrs(ra, dec, frame, equinox)

    def _learn(self, helpers: tuple[Value, ...]) -> tuple[bool, str, float | None] | None:
        """Return whether the pair is turned round, and its frame; None if it is no position."""
        header = dict(zip(self._names, helpers, strict=True))
        pair = choose_pair(self._pair, header)
        if pair is None and not self._is_last:
            raise Odd
        try:
            meaning = None if pair is None else (pair != self._pair, *find_frame(self._pair.helpers, header))
        except ValueError:
            raise Odd from None
        if len(self._meanings) >= _MOST_KNOWN:
            self._meanings.clear()
        self._meanings[helpers] = meaning
        return meaning


def _angle(value: Value, *, hours: bool) -> float:
    try:
        if isinstance(value, str):
            return parse_angle("", value, hours=hours)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Odd
        return float(value)
    except (ValueError, OverflowError):
        raise Odd from None


class Recipe:
    """Fills some columns from headers of one template.

    Attributes
    ----------
    has_missing
        Whether some of the columns that it fills are the primary's.
    """

    def __init__(self, template: Template, columns: Columns, asked: Asked, shelf: Shelf) -> None:
        self._template, self._columns, self._shelf = template, columns, shelf
        self._is_odd = False
        self._fields: dict[tuple[tuple[int, int], int], Fields] = {}
        self._parts: dict[tuple[object, ...], _Time | _Place] = {}
        filled: dict[int, tuple[tuple[object, ...] | None, int]] = {}
        for number in asked.numbers:
            if (where := self._plan(number)) is not None:
                filled[number] = where
        self.has_missing = not {*filled}.isdisjoint(asked.missing)
        self._finish(filled)

    def read(self, header: bytes) -> tuple[Unit, tuple[Typed, ...]]:
        """Return what the unit is, and one value for every column; None for those that are not its own.

        What extensions say comes again from file to file: it is remembered as a whole.
        """
        if self._parts or self._is_odd:
            return self._template.get_unit(header), self._fill(header)
        said = self._unpack_all(header)
        known = self._known.get(said)
        if known is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            known = self._known[said] = self._template.get_unit(header), self._fill(header)
        return known

    def _fill(self, header: bytes) -> tuple[Typed, ...]:
        if self._is_odd:
            raise Odd
        values = list(map(call, self._look_ups, self._pick(self._unpack(header))))
        for part in self._parts.values():
            values += part.read(values)
        values.append(None)
        return self._arrange(values)

    def _plan(self, number: int) -> tuple[tuple[object, ...] | None, int] | None:
        """Return which part makes the value of a column, None for a plain field, and where in it it is."""
        column, present = self._columns.columns[number], self._template.spans
        if number in self._columns.pairs:
            return self._plan_place(*self._columns.pairs[number])
        keywords = [keyword for keyword in column.keywords if keyword in present]
        if not keywords:
            return None
        if column.type != "time":
            return None, self._add(keywords[0], column.type, is_last=len(keywords) == 1)
        self._is_odd |= keywords[0].startswith("JD")
        key = (keywords[0],)
        if key not in self._parts:
            self._parts[key] = _Time(keywords[0], present, self._add)
        return key, 0

    def _plan_place(self, pairs: tuple[Pair, ...], which: int) -> tuple[tuple[object, ...] | None, int] | None:
        present = self._template.spans
        there = [pair for pair in pairs if pair.ra in present or pair.dec in present]
        if not there:
            return None
        if there[0].ra not in present or there[0].dec not in present:
            self._is_odd = True
            return None
        key = (there[0], len(there) == 1)
        if key not in self._parts:
            self._parts[key] = _Place(there[0], present, self._add, is_last=len(there) == 1)
        return key, which

    def _add(self, keyword: str, type: str, *, is_last: bool = True) -> int:
        """Return where the value of a keyword will be among all, as a column of `type` has it."""
        # What goes on in CONTINUE is left to astropy, card by card.
        span = self._template.fields.get(keyword)
        if span is None:
            self._is_odd = True
            return 0
        fields = self._shelf.get(type, is_last=is_last)
        key = (span, id(fields))
        self._fields.setdefault(key, fields)
        return list(self._fields).index(key)

    def _finish(self, filled: Mapping[int, tuple[tuple[object, ...] | None, int]]) -> None:
        spans = sorted({span for span, _ in self._fields})
        self._unpack = Struct(make_format(spans)).unpack_from
        self._pick = _pick([spans.index(span) for span, _ in self._fields])
        # Bound, as fields[...] would look for the method of a subclass of dict again and again.
        self._look_ups = [fields.__getitem__ for fields in self._fields.values()]
        begins: dict[tuple[object, ...] | None, int] = {None: 0}
        end = len(self._look_ups)
        for key, part in self._parts.items():
            begins[key], end = end, end + part.width
        at = {number: begins[key] + place for number, (key, place) in filled.items()}
        self._arrange = _pick([at.get(number, end) for number in range(len(self._columns.names))])
        every = join_spans(sorted({*spans, *self._template.unit_spans}))
        self._unpack_all = Struct(make_format(every)).unpack_from
        self._known: dict[tuple[bytes, ...], tuple[Unit, tuple[Typed, ...]]] = {}


def _pick(places: Sequence[int]) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
    """Return what takes these of some values: `itemgetter`, which returns a tuple only of two and more."""
    if len(places) > 1:
        return itemgetter(*places)
    return lambda values: tuple(values[place] for place in places)
