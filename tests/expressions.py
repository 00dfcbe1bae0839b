"""Any expression: drawn by hypothesis, written as a person might, and answered in Python as a database should."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import strategies as st
from indexes import File, read_columns

from runner.archive.find.fields import list_fields, make_card
from runner.archive.find.periods import count_ns, parse_period
from runner.archive.find.tree import And, Compare, Condition, Cone, Field, In, IsNull, Like, Not, Or, Period, Value

FIELDS = list_fields(read_columns())
# Few and short, so that they meet; with all that a pattern or a quote could take for something else.
TEXTS = ("", "a", "A", "ab", "é", "M 31", "50%", "a_b", "a\\b", "[a]", "*?", "it's", 'say "x"', "2024-01-31", "𝄞", "~")
NUMBERS = (0, 1, -1, 2, 100, 1 << 40, -(1 << 62))
FLOATS = (0.0, 0.1, -0.5, 1.0, 2.0, 100.0, 1e300, -1e-300, 1e10)
TIMES = (
    "2023-12-31",
    "2024-01-01",
    "2024-01",
    "2024-01-31T23",
    "2024-01-31T23:59:59",
    "2024-02-29T12:00:00.5",
    "2024-03",
)
POSITIONS = (
    (0.0, 0.0),
    (359.9, 0.1),
    (150.1, 2.2),
    (150.2, 2.2),
    (10.0, 89.9),
    (190.0, 89.9),
    (33.0, -90.0),
    (181.0, -0.1),
)
CONES = (
    (0.01, 0.0, 0.5),
    (150.1, 2.2, 0.05),
    (12.0, 90.0, 1.0),
    (100.0, -89.0, 5.0),
    (0.0, 0.0, 120.0),
    (77.0, 40.0, 180.0),
)
_KINDS: dict[str, tuple[Any, ...]] = {"text": TEXTS, "int": NUMBERS, "float": FLOATS, "bool": (True, False)}
_ASKED = ("object", "filter", "exptime", "calibrated", "obs_at", "path", "root", "size_bytes", "mtime", "indexed_at")
_CARDS = ("GAIN", "ESO INS NAME", "NONE")


def draw_files(count: int, seed: int) -> list[File]:
    """Return files with values of all kinds, and without."""
    chance = random.Random(seed)

    def maybe(values: tuple[Any, ...]) -> Any:
        return chance.choice((None, *values))

    return [_draw_file(number, maybe, chance) for number in range(count)]


def _draw_file(number: int, maybe: Callable[[tuple[Any, ...]], Any], chance: random.Random) -> File:
    ra, dec = maybe(POSITIONS) or (None, None)
    columns = {
        "object": maybe(TEXTS),
        "filter": maybe(TEXTS),
        "exptime": maybe(FLOATS),
        "calibrated": maybe((True, False)),
        "obs_at": maybe(tuple(map(_complete, TIMES))),
        "ra": ra,
        "dec": dec,
    }
    cards = [[chance.choice(_CARDS), maybe((*TEXTS, *NUMBERS, *FLOATS, True, False)), ""] for _ in range(4)]
    return File(
        f"{chance.choice(('a', 'b%', 'é'))}/{number:03}",
        columns,
        cards=cards,
        root=chance.choice(("/data", "/more")),
        size_bytes=abs(chance.choice(NUMBERS)),
        mtime_ns=count_ns(parse_period(chance.choice(TIMES)).begins),
    )


def _complete(text: str) -> str:
    begins = parse_period(text).begins
    whole = begins + "0000-01-01T00:00:00.000000"[len(begins) :]
    return f"{whole}Z"


# Drawn


def _values(field: Field) -> st.SearchStrategy[Value]:
    periods = st.sampled_from(TIMES).map(parse_period)
    if field.type == "time":
        return periods
    if field.type == "card":
        return st.one_of(st.sampled_from((*TEXTS, *NUMBERS, *FLOATS, True, False)), periods)
    if field.type == "int":
        return st.sampled_from((*NUMBERS, *FLOATS))
    return st.one_of(st.sampled_from(_KINDS[field.type]), *([periods] if field.type == "text" else []))


@st.composite
def _questions(draw: st.DrawFn) -> Condition:
    field = draw(st.sampled_from((*(FIELDS.by_name[name] for name in _ASKED), *map(make_card, _CARDS))))
    kind = draw(st.sampled_from(("compare", "in", "like", "null")))
    if kind == "null":
        return IsNull(field)
    if kind == "in":
        return In(field, tuple(draw(st.lists(_values(field), min_size=1, max_size=4))))
    if kind == "like" and field.type in ("text", "card"):
        parts = st.one_of(st.sampled_from("%_"), st.sampled_from(TEXTS).map(_make_plain))
        return Like(field, "".join(draw(st.lists(parts, max_size=4))))
    value = draw(_values(field))
    signs = ("=", "!=") if isinstance(value, bool) else ("=", "!=", "<", "<=", ">", ">=")
    return Compare(field, draw(st.sampled_from(signs)), value)


def _make_plain(text: str) -> str:
    return re.sub(r"[%_\\]", r"\\\g<0>", text)


def _join(parts: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    several = st.lists(parts, min_size=2, max_size=3).map(tuple)
    return st.one_of(parts.map(Not), several.map(And), several.map(Or))


_cones = st.sampled_from(CONES).map(lambda cone: Cone(FIELDS.by_name["ra"], FIELDS.by_name["dec"], *cone))
conditions = st.recursive(st.one_of(_questions(), _cones), _join, max_leaves=8)


# Written


def write(condition: Condition, *, is_inner: bool = False) -> str:
    """Return the text of an expression."""
    match condition:
        case And(parts):
            text = " AND ".join(write(part, is_inner=True) for part in parts)
        case Or(parts):
            text = " or ".join(write(part, is_inner=True) for part in parts)
        case Not(part):
            return f"not {write(part, is_inner=True)}"
        case Cone(_, _, ra, dec, radius):
            return f"Cone({ra!r},{dec!r}, {radius!r})"
        case Compare(field, sign, value):
            return f"{_write_name(field)}{sign} {_write_value(value)}"
        case In(field, values):
            return f"{_write_name(field)} In({','.join(map(_write_value, values))})"
        case Like(field, pattern):
            return f"{_write_name(field)} like {_quote(pattern)}"
        case IsNull(field):
            return f"{_write_name(field)} is\tNULL"
    return f"({text})" if is_inner else text


def _write_name(field: Field) -> str:
    return f"header.{_quote(field.keyword)}" if field.keyword else field.name.upper()


def _write_value(value: Value) -> str:
    if isinstance(value, Period):
        return value.begins
    return _quote(value) if isinstance(value, str) else repr(value)


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'" if '"' in text else f'"{text}"'


# Answered


def answer(condition: Condition, file: File) -> bool | None:
    """Return whether an expression holds for a file; None where that is unknown."""
    match condition:
        case And(parts):
            answers = [answer(part, file) for part in parts]
            return False if False in answers else None if None in answers else True
        case Or(parts):
            answers = [answer(part, file) for part in parts]
            return True if True in answers else None if None in answers else False
        case Not(part):
            inner = answer(part, file)
            return None if inner is None else not inner
        case Cone(_, _, ra, dec, radius):
            return None if file.columns["ra"] is None else separate(file.columns, ra, dec) <= radius
        case IsNull(field):
            return find(field, file) is None
        case In(field, values):
            return answer(Or(tuple(Compare(field, "=", value) for value in values)), file)
        case Like(field, pattern):
            text = find(field, file)
            return _fits(text, pattern) if isinstance(text, str) else None
        case Compare(field, sign, value):
            return _compare(find(field, file), sign, value, is_ns=field.name == "mtime")


def find(field: Field, file: File) -> Any:
    """Return the value that a file has for a field."""
    if field.keyword:
        return next((value for keyword, value, _ in file.cards if keyword == field.keyword), None)
    own = {"path": file.path, "root": file.root, "size_bytes": file.size_bytes, "mtime": file.mtime_ns}
    return {**own, "indexed_at": "2026-11-21T12:00:00.000000Z", **file.columns}[field.name]


def _compare(found: Any, sign: str, value: Value, *, is_ns: bool) -> bool | None:
    begins, ends = (value.begins, value.ends) if isinstance(value, Period) else (value, None)
    if isinstance(value, Period) and is_ns:
        begins, ends = count_ns(value.begins), count_ns(value.ends)
    if found is None or _kind(found) != _kind(begins):
        return None
    if ends is not None:
        place = -1 if found < begins else 0 if found < ends else 1
    else:
        place = (found > begins) - (found < begins)
    return {"=": place == 0, "!=": place != 0, "<": place < 0, "<=": place <= 0, ">": place > 0, ">=": place >= 0}[sign]


def _kind(value: Any) -> str:
    return "bool" if isinstance(value, bool) else "text" if isinstance(value, str) else "number"


def _fits(text: str, pattern: str) -> bool:
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    return bool(
        re.fullmatch("".join({"%": ".*", "_": "."}.get(part, re.escape(part[-1])) for part in parts), text, re.DOTALL)
    )


def separate(position: Mapping[str, float], ra: float, dec: float) -> float:
    """Return the degrees between two positions, by the product of their vectors."""
    a0, d0, a1, d1 = (math.radians(angle) for angle in (ra, dec, position["ra"], position["dec"]))
    one = (math.cos(d0) * math.cos(a0), math.cos(d0) * math.sin(a0), math.sin(d0))
    other = (math.cos(d1) * math.cos(a1), math.cos(d1) * math.sin(a1), math.sin(d1))
    return math.degrees(2 * math.atan2(math.dist(one, other), math.dist(one, [-part for part in other])))
