"""The value of one card from its bytes, without astropy where it is plainly written (ARCH-22, ARCH-23).

What is read here is only what can be read in one way; `Odd` leaves all else to astropy, and every value read here
must be the one that astropy gives: tests/unit/archive/headers/test_exactness.py.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Final

from runner.archive.headers.exact import CARD, KEYWORD, quiet, read_value
from runner.archive.headers.values import MISFIT, Typed, Value, escape_text, fit, is_blank

# A card after its keyword: string, truth value, integer or float in the first groups, and a comment. A quote in a
# string is doubled; one before a blank or a slash is where astropy ends the string, so it is not for us.
_FIELD = re.compile(
    rb"= *(?:'((?:[ -&(-~]|(?<!= ')''(?![ /']))+)'|([TF])|([+-]?\d+)|([+-]?(?:\d+\.\d*|\.\d+|\d+)(?:[DEde][+-]?\d+)?))?"
    rb" *(?:/[ -~]*)?"
)
_EMPTY = re.compile(rb"= *'' *(?:/[ -&(-~]*)?")
_D_EXPONENT = bytes.maketrans(b"Dd", b"Ee")
# Of each kind of values so many are known at a time: those of a night's files are few, those of its stars are not.
_MOST_KNOWN: Final = 20_000


class Odd(Exception):
    """Not to be read here."""


def read_field(field: bytes) -> Value:
    """Return the value of what follows a keyword in its card; `Odd` if it is not plainly written."""
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
        return float(match[4].translate(_D_EXPONENT))
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

    __slots__ = ("_is_last", "_type")

    def __init__(self, type: str = "", *, is_last: bool = True) -> None:
        self._type, self._is_last = type, is_last

    def __missing__(self, field: bytes) -> Typed:
        value = read_field(field)
        if self._type:
            value = None if self._type != "text" and is_blank(value) else value
            typed = None if value is None else fit(value, self._type)
            if typed is MISFIT or (typed is None and not self._is_last):
                raise Odd
            value = typed
        if len(self) >= _MOST_KNOWN:
            self.clear()
        self[field] = value  # type: ignore[assignment]
        return value  # type: ignore[return-value]


def is_hierarch(card: bytes) -> bool:
    """Whether it has the keyword HIERARCH, in any case as for astropy."""
    return card[:KEYWORD].upper() == b"HIERARCH"


def find_field(card: bytes) -> int:
    """Return where the value begins in a card, with its ``=``."""
    return max(card.find(b"="), KEYWORD) if is_hierarch(card) else KEYWORD


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
