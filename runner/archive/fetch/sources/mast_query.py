"""What is asked of MAST, from what was written: ``astroquery:CRITERIA[;FILTERS]`` or ``astroquery:mast:PRODUCT``.

::

    astroquery:obs_collection=HST,instrument_name=WFC3*,t_min>2024-01-01;productSubGroupDescription=FLT|RAW
    astroquery:obs_id=icau01010|icau01020;extension=_flt.fits
    astroquery:coordinates=150.1 2.2,radius=0.1,obs_collection=HST,t_exptime=100..900
    astroquery:mast:HST/product/icau01010_flt.fits|mast:HST/product/icau01010_raw.fits

Criteria choose observations, filters their products; both are columns of MAST, and all have to be met. ``A|B``
is one or the other. Numbers may be compared by ``= > >= < <=`` or be in ``A..B``, ends included; a day stands
for its MJD. One text of a criterion may have a ``*``. What has a comma, a bar or a semicolon of its own is
written in double quotes. Beside the columns there are ``coordinates`` (RA and Dec) and ``radius`` for
observations, in degrees; ``extension`` (how file names end) and ``mrp_only=true`` for products.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NoReturn

from runner.document.faults import suggest
from runner.errors import UserError, clean

SCHEME = "astroquery:"
# What astroquery takes beside columns: where on the sky, and filters of its own. Not objectname: names are looked
# up at another service, at a fixed address, with no limit of time.
POSITION = ("coordinates", "radius")
OF_PRODUCTS = ("extension", "mrp_only")
# The kinds of column, as astroquery calls them, that MAST searches by least and greatest value.
_CONTINUOUS = ("float", "numeric")
# JSON has no infinity; no column comes near, in days, seconds, degrees or nanometres.
_LIMIT = 1e30
_MJD_0 = date(1858, 11, 17).toordinal()
_PRODUCT = "mast:"
_TERM = re.compile(r"(\w+)\s*(>=|<=|=|>|<)\s*(\S.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Term:
    """One criterion or filter: a column's name, ``= > >= < <=``, and one value or several to choose from."""

    name: str
    operator: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Request:
    """What was written: criteria and filters, or else the URIs of products."""

    criteria: tuple[Term, ...] = ()
    filters: tuple[Term, ...] = ()
    products: tuple[str, ...] = ()


@dataclass(slots=True)
class _Span:
    """Least and greatest value, both included, and the words that say so."""

    low: float = -_LIMIT
    high: float = _LIMIT
    words: list[str] = field(default_factory=list)


def parse_request(text: str) -> Request:
    """Return what an ``astroquery:`` address asks for; UserError says what it is that cannot be read."""
    body = text.removeprefix(SCHEME).strip()
    if body.startswith(_PRODUCT):
        products = _split(body, "|")
        for uri in products:
            if not re.fullmatch(r"mast:[^/]+/\S+", uri):
                _fail(f'"{uri}" is no product; write mast:HST/product/NAME')
        return Request(products=tuple(products))
    if body.count('"') % 2:
        _fail('a " is not closed')
    halves = _split(body, ";")
    if not 1 <= len(halves) <= 2:
        _fail("write NAME=VALUE,NAME=VALUE for observations, after one ; the same for products")
    criteria, filters = (tuple(map(_parse_term, _split(half, ","))) for half in (*halves, "")[:2])
    return Request(criteria, filters)


def plan_criteria(terms: Iterable[Term], types: Mapping[str, str]) -> dict[str, Any]:
    """Return the criteria as astroquery takes them.

    Parameters
    ----------
    types
        The kind of each column of observations, as MAST says it.

    Raises
    ------
    UserError
        A name is no column, or a value does not fit it.
    """
    planned: dict[str, Any] = {}
    spans: dict[str, _Span] = {}
    for term in terms:
        name = _find_column(term.name, (*types, *POSITION), "criterion")
        if types.get(name) in _CONTINUOUS:
            _narrow(spans.setdefault(name, _Span()), term)
        elif name in planned:
            _fail(f"{name} is asked for twice; write {name}=A|B for either")
        else:
            planned[name] = _plan_values(name, term)
    for name, span in spans.items():
        if span.low > span.high:
            _fail(f"no {name} is {' and '.join(span.words)}")
        planned[name] = [span.low, span.high]
    return planned


def plan_filters(terms: Iterable[Term], columns: Sequence[str]) -> dict[str, Any]:
    """Return the filters as astroquery takes them; UserError if a name is none of `columns`, those of products."""
    planned: dict[str, Any] = {}
    for term in terms:
        name = _find_column(term.name, (*columns, *OF_PRODUCTS), "filter of products")
        if name in planned:
            _fail(f"{name} is asked for twice; write {name}=A|B for either")
        if any("*" in value for value in term.values):
            _fail(f"{name}: products are not chosen by a *; extension=_flt.fits says how names end")
        if name == "mrp_only":
            planned[name] = _parse_true(term)
        else:
            comparison = term.operator.removeprefix("=")
            planned[name] = [f"{comparison}{value}" for value in term.values]
    return planned


def _parse_term(text: str) -> Term:
    found = _TERM.fullmatch(text)
    if not found:
        _fail(f'"{text}" is no criterion; write NAME=VALUE, NAME>VALUE or NAME=A..B')
    return Term(found[1], found[2], tuple(value.strip('"') for value in _split(found[3], "|")))


def _split(text: str, separator: str) -> list[str]:
    """Return the pieces between separators that are in no quotes; an empty one is left out."""
    pieces = re.findall(rf'(?:[^"{separator}]|"[^"]*")+', text)
    return [piece.strip() for piece in pieces if piece.strip()]


def _find_column(name: str, columns: Iterable[str], kind: str) -> str:
    known = {column.lower(): column for column in columns}
    if name.lower() not in known:
        _fail(f'"{name}" is no {kind} of MAST; {suggest(name, known.values())}'.removesuffix("; "))
    return known[name.lower()]


def _plan_values(name: str, term: Term) -> Any:
    if term.operator != "=":
        _fail(f"{name}{term.operator}{term.values[0]}: only numbers are compared; write {name}=A|B")
    if name in POSITION:
        return _plan_position(name, term.values[0])
    if sum("*" in value or "%" in value for value in term.values) > 1:
        _fail(f"{name}: MAST takes one value with a *, the others have to be exact")
    return list(term.values)


def _plan_position(name: str, text: str) -> str:
    """Return numbers with their unit: what astroquery cannot read as coordinates it takes for a name."""
    numbers = [_parse_float(word) for word in re.split("[ ,]+", text)]
    if None in numbers or len(numbers) != (2 if name == "coordinates" else 1):
        _fail(f'{name}: "{text}" is not in degrees; write coordinates=150.1 2.2,radius=0.1')
    return " ".join(f"{number}d" for number in numbers)


def _narrow(span: _Span, term: Term) -> None:
    """Let a span have no more than a term allows."""
    if len(term.values) > 1:
        _fail(f"{term.name} is a number: it takes one value or A..B")
    first, dots, last = term.values[0].partition("..")
    if dots and term.operator != "=":
        _fail(f"{term.name}{term.operator}{term.values[0]}: write {term.name}={term.values[0]}")
    low, high = _parse_number(term.name, first), _parse_number(term.name, last if dots else first)
    # MAST's spans have their ends: what is greater begins at the next number that there is.
    if term.operator in ("=", ">", ">="):
        span.low = max(span.low, math.nextafter(low, math.inf) if term.operator == ">" else low)
    if term.operator in ("=", "<", "<="):
        span.high = min(span.high, math.nextafter(high, -math.inf) if term.operator == "<" else high)
    span.words.append(f"{term.operator}{term.values[0]}")


def _parse_number(name: str, text: str) -> float:
    with suppress(ValueError):
        return float(date.fromisoformat(text).toordinal() - _MJD_0)
    number = _parse_float(text)
    if number is None:
        _fail(f'{name}: "{text}" is neither a number nor a day like 2024-01-31')
    return number


def _parse_float(text: str) -> float | None:
    with suppress(ValueError):
        if math.isfinite(number := float(text)):
            return number
    return None


def _parse_true(term: Term) -> bool:
    if (term.operator, *term.values) != ("=", "true"):
        _fail(f"{term.name} is true or left out")
    return True


def _fail(what: str) -> NoReturn:
    raise UserError(clean(f"{SCHEME} {what}"))
