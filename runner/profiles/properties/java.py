"""A property file as ``java.util.Properties.load(InputStream)`` of Java 17 reads it (CAPO-33)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from runner.profiles.properties.values import Property

_BLANKS = " \t\f"
_HEX = re.compile("[0-9a-fA-F]{4}")
# A key ends at the first delimiter or blank without a backslash before it; one delimiter, and blanks around it, follow.
_KEY = re.compile(r"(?:\\.|[^\\=: \t\f])*", re.DOTALL)
_DELIMITER = re.compile(r"[ \t\f]*[=:]?[ \t\f]*")
_ESCAPE = re.compile(r"\\(u.{0,4}|.|$)", re.DOTALL)
_MEANING = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}


class BadEscape(ValueError):
    """A ``\\u`` without four hexadecimal digits behind it, which Java throws an exception on.

    Attributes
    ----------
    line
        Of the property, from 1.
    """

    def __init__(self, line: int) -> None:
        self.line = line
        super().__init__("malformed \\uXXXX")


def parse_java(data: bytes, file: str) -> list[Property]:
    """Return the properties in `data` in order, each key once, the last of several; BadEscape where Java throws."""
    found: dict[str, Property] = {}
    for number, line in _join_lines(data.decode("latin-1")):
        key = _KEY.match(line)
        delimiter = _DELIMITER.match(line, key.end() if key else 0)
        at = delimiter.end() if delimiter else len(line)
        try:
            name, value = (_undo_escapes(part) for part in (key[0] if key else "", line[at:]))
        except ValueError:
            raise BadEscape(number) from None
        found[name] = Property(name, value, file, number, at + 1, line[at:])
    return list(found.values())


def _join_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield each logical line with the number of its first line: no blanks at its begin, no comment, whole."""
    first, before, goes_on = 0, "", False
    lines = re.split("\r\n|\r|\n", text)
    for number, line in enumerate(lines, 1):
        is_end = goes_on and number == len(lines) and not line and not text.endswith("\r\n")
        line = line.lstrip(_BLANKS)
        if not before:
            first = number
            # Also below a line that is a backslash alone, unless the text ends there.
            if not is_end and (not line or line[0] in "#!"):
                goes_on = False
                continue
        goes_on = (len(line) - len(line.rstrip("\\"))) % 2 == 1
        before += line[:-1] if goes_on else line
        if not goes_on or number == len(lines):
            yield first, before
            before = ""


def _undo_escapes(text: str) -> str:
    text = _ESCAPE.sub(_replace_escape, text)
    # Two \uXXXX may be the halves of one character: Java's are 16 bits each. A half alone is none.
    return text if text.isascii() else text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _replace_escape(found: re.Match[str]) -> str:
    sign = found[1]
    if not sign.startswith("u"):
        return _MEANING.get(sign, sign)
    if not _HEX.fullmatch(sign[1:]):
        raise ValueError
    return chr(int(sign[1:], 16))
