"""What a word of an expression is worth: the value of a field, or degrees of a cone (ARCH-40).

Each function raises ValueError with a line for people, hint included; who knows the place adds it.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isinf
from typing import TypeVar

from runner.archive.find import sky
from runner.archive.find.periods import parse_period
from runner.archive.find.tree import CARD, Field, Value
from runner.archive.find.words import DATE, NAME, TEXT, Word, quote

T = TypeVar("T")

KINDS = {
    "text": "text",
    "int": "a number",
    "float": "a number",
    "bool": "true or false",
    "time": "a time",
    CARD: "of any type",
}
_TRUTH = {"true": True, "t": True, "false": False, "f": False}
_LONGEST_NUMBER = 400
_INT64 = range(-(1 << 63), 1 << 63)


def parse_value(word: Word, field: Field) -> Value:
    """Return the value of a word that is compared with a field."""
    if word.kind == NAME:
        return _parse_truth(word, field)
    if word.kind == DATE:
        if field.type in ("time", "text", CARD):
            return parse_period(word.text)
    elif word.kind == TEXT:
        if field.type == "time":
            return _parse_quoted_time(word, field)
        if field.type in ("text", CARD):
            return word.text
    elif field.type in ("int", "float", CARD):
        number = _parse_number(word.text)
        return float(number) if field.type == "float" else number
    raise ValueError(f'"{field.name}" is {KINDS[field.type]}, {show_word(word)} is not; {_hint(word, field)}')


def parse_ra(word: Word) -> float:
    """Return the right ascension that a cone begins with."""
    return _parse_degrees(word, sky.parse_ra, 0, 360, "the right ascension")


def parse_dec(word: Word) -> float:
    """Return the declination of a cone."""
    return _parse_degrees(word, sky.parse_dec, -90, 90, "the declination")


def parse_radius(word: Word) -> float:
    """Return the radius of a cone."""
    return _parse_degrees(word, sky.parse_radius, 0, 180, "the radius")


def show_word(word: Word) -> str:
    """Return a word as it is shown in a message."""
    return f"the text {quote(word.text)}" if word.kind == TEXT else quote(word.text)


def _parse_truth(word: Word, field: Field) -> bool:
    truth = _TRUTH.get(word.text.lower())
    if truth is None:
        raise ValueError(f"{show_word(word)} is no value; write text in quotes: {quote(word.text)}")
    if field.type not in ("bool", CARD):
        raise ValueError(f'"{field.name}" is {KINDS[field.type]}, {show_word(word)} is not; {_hint(word, field)}')
    return truth


def _parse_quoted_time(word: Word, field: Field) -> Value:
    try:
        return parse_period(word.text)
    except ValueError as error:
        raise ValueError(f"{error}; {_hint(word, field)}") from None


def _parse_number(text: str) -> int | float:
    if len(text) > _LONGEST_NUMBER or isinf(number := float(text)):
        raise ValueError("such a large number is in no header")
    try:
        whole = int(text)
    except ValueError:
        return number
    return whole if whole in _INT64 else number


def _parse_degrees(word: Word, parse: Callable[[str], float], low: float, high: float, name: str) -> float:
    degrees = parse(word.text) if word.kind == TEXT else float(_parse_number(word.text))
    if not low <= degrees <= high:
        raise ValueError(f"{name} is from {low} to {high} degrees; the order is cone(ra, dec, radius)")
    return degrees


def _hint(word: Word, field: Field) -> str:
    if field.type == "time":
        return "write one like 2024-01-31 or 2024-01-31T12:30:00 (UTC)"
    if field.type == "bool":
        return "write true or false"
    if field.type == "text":
        return f"write text in quotes: {quote(word.text)}"
    return "write it without quotes" if word.kind == TEXT and _is_number(word.text) else "write a number"


def _is_number(text: str) -> bool:
    try:
        return bool(_parse_number(text)) or True
    except ValueError:
        return False
