"""A property file as pycapo 0.3.1 reads it (CAPO-5, CAPO-6): by the rules of Python's ini files, without sections.

Whatever those rules make of a line is kept, since the programs of a job get just that; where they make
nothing of it, `Unreadable` says where.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from runner.profiles.properties.values import Property

# The section that stands above the first line, and the one whose keys every other section has too.
_TOP = "NOSECTION"
_COMMON = "DEFAULT"

VARIABLE = re.compile(r"\$\{env:([a-zA-Z_]+)\}")


class Trouble(Enum):
    """Why a file cannot be read, by the exception that pycapo ends in."""

    SYNTAX = "ParsingError"
    KEY_TWICE = "DuplicateOptionError"
    SECTION_TWICE = "DuplicateSectionError"
    ENVIRONMENT = "error"


class Unreadable(Exception):
    """A file that pycapo ends in a traceback on (CAPO-13); its text is ``file:line: reason``."""

    def __init__(self, trouble: Trouble, file: str, line: int, reason: str) -> None:
        self.trouble = trouble
        super().__init__(f"{file}:{line}: {reason}")


@dataclass(frozen=True, slots=True)
class Reading:
    """What one file has.

    Attributes
    ----------
    properties
        In pycapo's order.
    lost
        Those below a ``[section]``, which no program gets.
    """

    properties: tuple[Property, ...] = ()
    lost: tuple[Property, ...] = ()


@dataclass(slots=True)
class _Entry:
    key: str
    line: int
    column: int
    lines: list[str]


@dataclass(slots=True)
class _State:
    """How far a text is read; `entry` is the one that an indented line goes on with."""

    file: str
    sections: dict[str, dict[str, _Entry]] = field(default_factory=lambda: {_COMMON: {}, _TOP: {}})
    section: str = _TOP
    entry: _Entry | None = None
    indent: int = 0
    bad: Unreadable | None = None

    def stop(self, trouble: Trouble, line: int, reason: str) -> Unreadable:
        return Unreadable(trouble, self.file, line, reason)


def split_lines(text: str) -> list[str]:
    """Return the lines of `text`, whichever way each ends."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def is_comment(stripped: str) -> bool:
    """Whether a line, its blanks stripped, is a comment."""
    return stripped.startswith(("#", ";"))


def is_section(stripped: str) -> bool:
    """Whether a line, its blanks stripped, begins a section."""
    return stripped.startswith("[") and stripped.rfind("]") > 1


def find_delimiter(line: str) -> int:
    """Return the place of the first ``=`` or ``:``, or -1."""
    return min((at for at in (line.find("="), line.find(":")) if at >= 0), default=-1)


def value_column(line: str, delimiter: int) -> int:
    """Return the column, from 1, in which the value behind a delimiter begins."""
    return len(line) - len(line[delimiter + 1 :].lstrip()) + 1


def parse_pycapo(text: str, file: str, environ: Mapping[str, str]) -> Reading:
    """Return the properties in `text`; Unreadable where pycapo would end in a traceback."""
    state = _State(file)
    for number, line in enumerate(split_lines(text), 1):
        _take(state, number, line)
    if state.bad:
        raise state.bad
    own, common = state.sections.pop(_TOP), state.sections.pop(_COMMON)
    entries = {**own, **{key: entry for key, entry in common.items() if key not in own}}
    lost = [entry for section in state.sections.values() for entry in section.values()]
    properties = tuple(_finish(state, entry, environ) for entry in entries.values())
    # Nobody's values: a variable in them, however odd, is nobody's trouble.
    return Reading(properties, tuple(_finish(state, entry, {}) for entry in lost))


def _take(state: _State, number: int, line: str) -> None:
    """Take one line."""
    stripped = line.strip()
    if is_comment(stripped):
        return
    if not stripped:
        if state.entry:
            state.entry.lines.append("")
        return
    indent = len(line) - len(line.lstrip())
    if state.entry and indent > state.indent:
        state.entry.lines.append(stripped)
        return
    state.indent = indent
    if is_section(stripped):
        _enter(state, number, stripped[1 : stripped.rindex("]")])
    else:
        _add(state, number, line)


def _enter(state: _State, number: int, name: str) -> None:
    """Begin a section; only the common one may begin again."""
    if name in state.sections and name != _COMMON:
        raise state.stop(Trouble.SECTION_TWICE, number, f"the section [{name}] once more")
    state.sections.setdefault(name, {})
    state.section, state.entry = name, None


def _add(state: _State, number: int, line: str) -> None:
    """Add the property of a line; what is none is told when all lines are read, as a key twice comes first."""
    at = find_delimiter(line)
    key = line[: max(at, 0)].strip()
    if not key:
        reason = 'no "=" or ":"' if at < 0 else "no key in front of the delimiter"
        state.bad = state.bad or state.stop(Trouble.SYNTAX, number, reason)
    if at < 0:
        return
    section = state.sections[state.section]
    first = section.get(key.lower())
    if first:
        raise state.stop(Trouble.KEY_TWICE, number, f"the key {key} once more (line {first.line} has {first.key})")
    entry = section[key.lower()] = _Entry(key, number, value_column(line, at), [line[at + 1 :].strip()])
    state.entry = entry if key else None


def _finish(state: _State, entry: _Entry, environ: Mapping[str, str]) -> Property:
    raw = "\n".join(entry.lines).rstrip()
    try:
        value = fill_variables(raw, environ)
    except (re.error, IndexError) as error:
        reason = f"the variable in the value has a backslash that pycapo cannot take ({error})"
        raise state.stop(Trouble.ENVIRONMENT, entry.line, reason) from None
    return Property(entry.key, value, state.file, entry.line, entry.column, raw)


def fill_variables(raw: str, environ: Mapping[str, str]) -> str:
    """Return a value with the variable at its very start replaced; an unset one is nothing (CAPO-6).

    As in pycapo, every further one gets the value of the first, and a backslash in that is taken for an
    escape: ``\\n`` is a newline. The strict form allows neither.
    """
    found = VARIABLE.match(raw)
    return VARIABLE.sub(environ.get(found[1], ""), raw) if found else raw
