"""The properties of a profile over its whole search path, strictly (CAPO-30 to CAPO-36)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from runner.errors import Fault
from runner.profiles.properties.files import Content, read_content
from runner.profiles.properties.java import BadEscape, parse_java
from runner.profiles.properties.strict import Strict, parse_strict
from runner.profiles.properties.values import Property, find_same_names, fold_key, merge

_OTHERS_READ, _OTHERS_WRITE = 0o004, 0o002

Parser = Callable[[bytes, str, Mapping[str, str]], Strict]


@dataclass(frozen=True, slots=True)
class Accepted:
    """What the files of a profile have, and everything wrong with them.

    Attributes
    ----------
    properties
        By the key that is asked for: in upper case, but for Java as it is written.
    faults
        Errors and warnings, in the order of the search path.
    files
        Those that are there.
    """

    properties: dict[str, Property]
    faults: tuple[Fault, ...]
    files: tuple[str, ...]


def read_strictly(files: Iterable[str], environ: Mapping[str, str]) -> Accepted:
    """Return the properties in `files`, of which the last one wins, as pycapo gives them to the programs of a job."""
    readings = _read_all(files, parse_strict, environ)
    found = [one for reading in readings.values() for one in reading.properties]
    merged = merge(found)
    across = [*_warn_of_case(found), *find_name_faults(merged.values())]
    return Accepted(merged, (*_list_faults(readings), *across), tuple(readings))


def read_for_java(files: Iterable[str], environ: Mapping[str, str]) -> Accepted:
    """Return the properties in `files`, of which the last one wins, as a Java program reads them (CAPO-33)."""
    readings = _read_all(files, _parse_java, environ)
    merged = {one.key: one for reading in readings.values() for one in reading.properties}
    return Accepted(merged, tuple(_list_faults(readings)), tuple(readings))


def find_name_faults(properties: Iterable[Property]) -> list[Fault]:
    """Return a fault for each property that is called in a shell as one before it (CAPO-31)."""
    return [
        _fault(one, f"{one.key} has the shell name of {before.key}", f"{before.file}:{before.line} has that")
        for before, one in find_same_names(properties)
    ]


def may_have_own(profile: str) -> bool:
    """Whether ``~/.capo`` may have values if nothing else is said: only for dev, by what is behind its last ``-``."""
    return profile.rpartition("-")[2] == "dev"


def judge_own(properties: Iterable[Property], own_file: str, *, is_allowed: bool) -> list[Fault]:
    """Return what is to be said of values from the caller's ``~/.capo``: a warning, or an error (CAPO-35)."""
    level = "warning" if is_allowed else "error"
    message, hint = "a value from ~/.capo", "your jobs would read it too; only profiles of dev may have some"
    return [_fault(one, message, hint, level) for one in properties if one.file == own_file]


def _fault(one: Property, message: str, hint: str, level: str = "error") -> Fault:
    return Fault(one.file, one.line, 1, level, message, hint)


def _read_all(files: Iterable[str], parse: Parser, environ: Mapping[str, str]) -> dict[str, Strict]:
    """Return file to reading, of the files that are there."""
    readings = {}
    for file in files:
        try:
            content = read_content(file)
            readings[file] = _judge_mode(content, parse(content.data, file, environ), file)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            readings[file] = Strict((), (Fault(file, 0, 0, "error", f"cannot be read: {error.strerror}"),))
    return readings


def _judge_mode(content: Content, reading: Strict, file: str) -> Strict:
    """Return `reading` with what is wrong with the mode of its file (CAPO-36)."""
    found = []
    if content.mode & _OTHERS_WRITE:
        found.append(Fault(file, 0, 0, "error", "anybody may write to it", f"chmod o-w {file}"))
    if content.mode & _OTHERS_READ and any(one.is_secret and one.value for one in reading.properties):
        found.append(Fault(file, 0, 0, "warning", "it has secrets, and anybody may read it", f"chmod o-r {file}"))
    return Strict(reading.properties, (*found, *reading.faults))


def _parse_java(data: bytes, file: str, _: Mapping[str, str]) -> Strict:
    try:
        return Strict(tuple(parse_java(data, file)), ())
    except BadEscape as error:
        return Strict((), (Fault(file, error.line, 1, "error", str(error), "four hexadecimal digits"),))


def _list_faults(readings: Mapping[str, Strict]) -> list[Fault]:
    return [fault for reading in readings.values() for fault in reading.faults]


def _warn_of_case(properties: Iterable[Property]) -> list[Fault]:
    """Return a warning for each key that another file writes in other letters: for Java they are two (CAPO-32)."""
    first: dict[str, Property] = {}
    found = []
    for one in properties:
        before = first.setdefault(fold_key(one.key), one)
        if before.key != one.key and before.file != one.file:
            message = f"{one.key} is {before.key} in {before.file}:{before.line}"
            found.append(_fault(one, message, "for Java these are two keys", "warning"))
    return found
