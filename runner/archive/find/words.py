"""The text of an expression as words, each with its place; and how a mistake in it is shown (ARCH-40)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from runner.errors import UserError

NAME: Final = "name"
TEXT: Final = "text"
NUMBER: Final = "number"
DATE: Final = "date"
SIGN: Final = "sign"
END: Final = "end"

LONGEST = 100_000
_LONGEST_SHOWN = 40
_SHOWN = 60
_WORD = re.compile(
    r"""
    (?P<date> [0-9]{4}-[0-9]{2} (?: -[0-9]{2} (?: T[0-9]{2} (?: :[0-9]{2} (?: :[0-9]{2} (?: \.[0-9]+ )? )? )? Z? )? )?
        (?![\w.:+-]) )
    | (?P<number> [+-]? (?: [0-9]+ (?: \.[0-9]* )? | \.[0-9]+ ) (?: [eE][+-]?[0-9]+ )? (?![\w.:]) )
    | (?P<text> "(?:[^"]|"")*" | '(?:[^']|'')*' )
    | (?P<name> [A-Za-z_][A-Za-z0-9_]* (?: -[A-Za-z0-9_]+ )* )
    | (?P<sign> <= | >= | == | != | <> | [=<>(),.-] )
    """,
    re.VERBOSE,
)
_BLANKS = re.compile(r"\s*")
_UNREAD = re.compile(r"[\w.:+-]+|.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Word:
    """One word of an expression.

    Attributes
    ----------
    kind
        ``name text number date sign``; ``end`` behind the last.
    text
        As written; of a text what is between the quotes, a doubled one made single.
    place
        Index of its first character.
    """

    kind: str
    text: str
    place: int


class Mistake(UserError):
    """A mistake at a place of an expression, which is shown with it."""

    def __init__(self, source: str, place: int, message: str, hint: str = "") -> None:
        said = f"character {place + 1}: {message}" + (f"; {hint}" if hint else "")
        super().__init__("\n".join([" ".join(said.split("\n")), *_point_at(source, place)]))


def split_words(source: str) -> list[Word]:
    """Return the words of `source`, an ``end`` behind them; `Mistake` for what is none."""
    _check_text(source)
    words = []
    place = _skip_blanks(source, 0)
    while place < len(source):
        found = _WORD.match(source, place)
        if found is None:
            raise _refuse(source, place)
        kind = found.lastgroup or ""
        words.append(Word(kind, _unquote(found[0]) if kind == TEXT else found[0], place))
        place = _skip_blanks(source, found.end())
    return [*words, Word(END, "", len(source))]


def quote(text: str) -> str:
    """Return a text of the user's as it is shown in a message: in quotes, and not at any length."""
    return f'"{text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 3] + "..."}"'


def _check_text(source: str) -> None:
    """Refuse what is too long, and what no database takes: NUL, and bytes that are no UTF-8."""
    if len(source) > LONGEST:
        raise UserError(f"an expression has at most {LONGEST} characters, this one {len(source)}")
    for place, character in enumerate(source):
        if character == "\0" or "\ud800" <= character <= "\udfff":
            raise Mistake(source, place, "no character of a text")


def _skip_blanks(source: str, place: int) -> int:
    found = _BLANKS.match(source, place)
    return found.end() if found else place


def _unquote(text: str) -> str:
    return text[1:-1].replace(text[0] * 2, text[0])


def _refuse(source: str, place: int) -> Mistake:
    if source[place] in "\"'":
        return Mistake(source, place, "this quote is never closed")
    unread = _UNREAD.match(source, place)
    assert unread
    hint = 'write text in quotes: "..."' if len(unread[0]) > 1 else ""
    return Mistake(source, place, f"{quote(unread[0])} is neither a name, a number nor a date", hint)


def _point_at(source: str, place: int) -> tuple[str, str]:
    """Return the part of `source` around a place, and a line that points at it."""
    first = max(0, min(place - _SHOWN // 2, len(source) - _SHOWN))
    shown = "".join(c if c.isprintable() else " " for c in source[first : first + _SHOWN])
    return f"  {shown}", f"  {' ' * (place - first)}^"
