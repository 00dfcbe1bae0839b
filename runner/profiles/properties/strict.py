"""A property file, strictly: what pycapo gives a job's programs, or a fault; never a third reading (CAPO-30 to 32).

Nothing here names a value: faults and warnings go to screens, mails and logs (CAPO-36).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from runner.errors import Fault
from runner.profiles.properties.java import parse_java
from runner.profiles.properties.pycapo import (
    VARIABLE,
    find_delimiter,
    is_comment,
    is_section,
    parse_pycapo,
    split_lines,
    value_column,
)
from runner.profiles.properties.values import Property, fold_key

_VARIABLE = "${env:"
_NOT_UTF_8 = re.compile("[\udc80-\udcff]")
# Controls, and bytes that are no UTF-8.
_ODD = re.compile("[\0-\x1f\x7f\udc80-\udcff]")
_KEY_INSIDE = re.compile(r"\$\{(?!env:)")


@dataclass(frozen=True, slots=True)
class Strict:
    """The properties of one file, those of lines without fault, and everything wrong with it, in order."""

    properties: tuple[Property, ...]
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class _Found:
    """A fault (or a warning) of a line."""

    column: int
    message: str
    hint: str = ""
    level: str = "error"


def parse_strict(data: bytes, file: str, environ: Mapping[str, str]) -> Strict:
    """Return what `data` has, and all its faults in one go (CAPO-31) and warnings (CAPO-32)."""
    properties: list[Property] = []
    faults: list[Fault] = []
    first: dict[str, int] = {}
    for number, line in enumerate(split_lines(data.decode("utf-8", "surrogateescape")), 1):
        found = [*_judge_line(line, number, environ), *_judge_key(line, number, first)]
        if not found:
            properties += _read_line(line, number, file, environ)
            found = list(_warn_of_java(line))
        faults += [Fault(file, number, one.column, one.level, one.message, one.hint) for one in found]
    return Strict(tuple(properties), tuple(faults))


def _read_line(line: str, number: int, file: str, environ: Mapping[str, str]) -> Iterator[Property]:
    """Yield the property of a line without faults, as pycapo has it."""
    for one in parse_pycapo(line, file, environ).properties:
        yield Property(one.key, one.value, file, number, one.column, one.raw)


def _judge_line(line: str, number: int, environ: Mapping[str, str]) -> Iterator[_Found]:
    """Yield what is wrong with one line, whatever stands in the others."""
    if line.startswith("\ufeff") and number == 1:
        yield _Found(1, "a byte order mark", "pycapo makes it part of the first key; save the file without it")
        line = line[1:]
    if bad := _NOT_UTF_8.search(line):
        yield _Found(bad.start() + 1, "not UTF-8", "save the file as UTF-8")
    stripped = line.strip()
    if not stripped or is_comment(stripped):
        return
    if line[0].isspace():
        yield _Found(1, "an indented line", "pycapo joins it to the value before it; take the blanks away")
    if stripped[0] == "!":
        yield _Found(line.index("!") + 1, 'a comment for Java only, with "!"', "begin it with #")
    elif is_section(stripped):
        yield _Found(line.index("[") + 1, "a [section]", "pycapo loses the keys below it; take the line away")
    else:
        yield from _judge_property(line, environ)


def _judge_property(line: str, environ: Mapping[str, str]) -> Iterator[_Found]:
    at = find_delimiter(line)
    if "\\" in line:
        hint = "pycapo keeps it, Java takes it for an escape"
        yield _Found(line.index("\\") + 1, "a backslash", hint)
    if at < 0:
        yield _Found(1, 'no "=" or ":"', "write KEY=VALUE; a value is one line")
        return
    key = line[:at].strip()
    if not key:
        yield _Found(at + 1, "no key in front of the delimiter", "write KEY=VALUE")
    elif any(sign.isspace() for sign in key):
        blank = next(sign for sign in key if sign.isspace())
        yield _Found(line.index(key) + key.index(blank) + 1, "a blank in a key", "Java ends the key there")
    value = line[at + 1 :].strip()
    if _VARIABLE in value:
        yield from _judge_variable(value, value_column(line, at), environ)


def _judge_variable(value: str, column: int, environ: Mapping[str, str]) -> Iterator[_Found]:
    at = value.find(_VARIABLE, 1)
    found = VARIABLE.match(value)
    if at > 0:
        yield _Found(column + at, "${env:...} that is not the only one, at the very start", "pycapo does not expand it")
    elif not found:
        yield _Found(column, "${env:...} with a name that pycapo does not know", "only letters and _, then }")
    elif found[1] not in environ:
        yield _Found(column, f"{found[1]} is not set")
    elif _is_changed(environ[found[1]], value[found.end() :]):
        hint = "pycapo takes a backslash for an escape, and its command drops blanks at the ends"
        yield _Found(column, f"{found[1]} has a backslash, odd bytes, or blanks at its ends", hint)


def _is_changed(variable: str, rest: str) -> bool:
    """Whether a program may get anything but the variable's text."""
    whole = variable + rest
    return "\\" in variable or bool(_ODD.search(variable)) or whole != whole.strip()


def _warn_of_java(line: str) -> Iterator[_Found]:
    """Yield how Java, or Apache Commons Configuration in front of it, reads a line otherwise (CAPO-32)."""
    stripped = line.strip()
    if stripped.startswith(";"):
        yield _warning(line.index(";") + 1, "Java takes this comment for a key", "begin it with #")
    if not stripped or is_comment(stripped):
        return
    at = find_delimiter(line)
    key, value, column = line[:at].strip(), line[at + 1 :].strip(), value_column(line, at)
    blanks, ascii_only = line != line.rstrip(), (key + value).isascii()
    if blanks:
        yield _warning(column + len(value), "blanks behind the value: Java keeps them", "take them away")
    if not ascii_only:
        odd = next(at for at, sign in enumerate(line, 1) if not sign.isascii())
        yield _warning(odd, "Java reads this as ISO-8859-1", "write ASCII")
    if key_inside := _KEY_INSIDE.search(value):
        yield _warning(column + key_inside.start(), "Apache Commons Configuration replaces ${...}; pycapo does not")
    if "," in value:
        yield _warning(column + value.index(","), "Apache Commons Configuration splits at commas")
    if ascii_only and not blanks and not _is_same_in_java(line, key, value):
        yield _warning(column, "Java reads another value", "take control characters away")


def _warning(column: int, message: str, hint: str = "") -> _Found:
    return _Found(column, message, hint, "warning")


def _is_same_in_java(line: str, key: str, value: str) -> bool:
    return [(one.key, one.value) for one in parse_java(line.encode(), "")] == [(key, value)]


def _judge_key(line: str, number: int, first: dict[str, int]) -> Iterator[_Found]:
    """Yield a fault if the key of a line was in one before it; `first` has their lines."""
    stripped = line.strip()
    at = find_delimiter(line)
    key = line[: max(at, 0)].strip()
    if not key or is_comment(stripped) or is_section(stripped):
        return
    before = first.setdefault(fold_key(key), number)
    if before != number:
        yield _Found(line.index(key) + 1, f"the key {key} once more", f"line {before} has it, in whatever case")
