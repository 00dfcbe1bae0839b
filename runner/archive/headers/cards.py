"""The value of one card from its bytes, without astropy where it is plainly written (ARCH-22, ARCH-23).

What is read here is only what can be read in one way; `Odd` leaves all else to astropy, and every value read here
must be the one that astropy gives: tests/unit/archive/headers/test_exactness.py.
"""

from __future__ import annotations

import re
from contextlib import suppress
from math import isfinite
from typing import Final

from runner.archive.headers.exact import CARD, KEYWORD, quiet, read_value
from runner.archive.headers.values import MISFIT, Typed, Value, escape_text, fit, is_blank

# A card after its keyword: string, truth value, integer or float in the first groups, and a comment. A quote in a
# string is doubled; one before a blank or a slash is where astropy ends the string, so it is not for us.
_FIELD = re.compile(
    rb"= *(?:'([ -&(-~]++(?:''(?![ /'])[ -&(-~]*+)*+)'"
    rb"|([TF])|([+-]?\d+)|([+-]?(?:\d+\.\d*|\.\d+|\d+)(?:[DEde][+-]?\d+)?))?"
    rb" *(?:/[ -~]*)?"
)
# One without a quote in it.
_PLAIN_TEXT = re.compile(rb"= '([ -&(-~]++)' *(?:/|\Z)")
_EMPTY = re.compile(rb"= *'' *(?:/[ -&(-~]*)?")
_D_EXPONENT = bytes.maketrans(b"Dd", b"Ee")
# Of each type so many fields are known at a time: those of a night's files are few, those of its stars are not.
_MOST_KNOWN: Final = 5_000


# As numbers: bytes in bytes are looked for much more slowly.
_BLANK, _MINUS, _POINT, _UNDERSCORE = b" -._"


class Odd(Exception):
    """Not to be read here."""


def read_field(field: bytes) -> Value:
    """Return the value of what follows a keyword in its card; `Odd` if it is not plainly written."""
    if field[:3] == b"= '":
        return _read_text(field)
    # In the fixed format a number ends in column 30 (FITS Standard 4.0, section 4.2.3). Python would take 1_000 too.
    number = field[2:22]
    if field[22:24] == b" /" and field[21] > _MINUS and field[:2] == b"= " and _UNDERSCORE not in number:
        try:
            return float(number) if _POINT in number else int(number)
        except ValueError:
            pass
    return _read_free(field)


def _read_text(field: bytes) -> Value:
    match = _PLAIN_TEXT.match(field)
    # A record-valued card, which has a colon, has another keyword than it seems to have.
    if match is None or b": " in (text := match[1]):
        return _read_free(field)
    return text.decode("ascii").rstrip()


def _read_free(field: bytes) -> Value:
    if len(field) == CARD - KEYWORD and field[1] != _BLANK:
        # Only HIERARCH, whose fields are shorter, needs no blank after its =.
        raise Odd
    match = _FIELD.fullmatch(field)
    if match is None:
        if _EMPTY.fullmatch(field):
            return ""
        raise Odd
    kind = match.lastindex
    if kind == 1:
        text = match[1].decode("ascii")
        # A record-valued card has another keyword than it seems to have.
        if ": " in text:
            raise Odd
        return text.replace("''", "'").rstrip()
    if kind == 4:
        number = float(match[4].translate(_D_EXPONENT))
        if not isfinite(number):
            raise Odd
        return number
    if kind == 3:
        return int(match[3])
    return match[2] == b"T" if kind == 2 else None


class Fields(dict[bytes, Typed]):
    """What fields become in a column of a type, as far as they were met; `Odd` for those that do not fit.

    Parameters
    ----------
    type
        Of the column; empty for the value as it is.
    is_last
        Whether no other keyword would be asked if this one has no value.
    """

    __slots__ = ("_is_last", "_python", "_type")

    def __init__(self, type: str = "", *, is_last: bool = True) -> None:
        self._type, self._is_last = type, is_last
        # Such a value fits as it is. Not so each integer.
        self._python = {"text": str, "float": float}.get(type)

    def __missing__(self, field: bytes) -> Typed:
        value = read_field(field)
        if self._type and type(value) is not self._python:
            value = self._fit(value)
        if len(self) >= _MOST_KNOWN:
            self.clear()
        self[field] = value  # type: ignore[assignment]
        return value  # type: ignore[return-value]

    def _fit(self, value: Value) -> Typed:
        """Return what a value of another type becomes; `Odd` if it does not fit, or another keyword is to be asked."""
        typed = None if value is None or (self._type != "text" and is_blank(value)) else fit(value, self._type)
        if typed is MISFIT or (typed is None and not self._is_last):
            raise Odd
        return typed  # type: ignore[return-value]


def find_field(card: bytes) -> int:
    """Return where the value begins in a card, with its ``=``: after 8 bytes, unless it is a HIERARCH."""
    return max(card.find(b"="), KEYWORD) if card[: KEYWORD + 1].upper() == b"HIERARCH " else KEYWORD


def read_card(image: bytes) -> Value:
    """Return the value of a card with its CONTINUE cards; `Odd` for a record-valued one."""
    if len(image) == CARD and b"=" not in image[:KEYWORD]:
        with suppress(Odd):
            return read_field(image[find_field(image) :])
    from astropy.io.fits import Card

    with quiet():
        card = Card.fromstring(image)
        value = read_value(card)
        if card.field_specifier is not None:
            raise Odd
    return escape_text(value) if isinstance(value, str) else value
