"""The few lines of a new entry, put into a file whose other bytes stay as they are."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from runner.document.faults import Faults, has_errors
from runner.document.parse import check_no_control, parse_document
from runner.document.quote import quote, quote_if_needed, quote_inside
from runner.document.tree import Mapping, Node, Scalar, is_empty
from runner.errors import Fault, FaultsFound, TryLater, UserError
from runner.launch.state import read_file, write_file
from runner.registry.read import JOBS, Registry, parse_registry, read_texts

# What a key of an entry can be: text, a list, a map.
Value = str | list["Value"] | dict[str, "Value"]

_INDENT = 2
_EMPTY_MAP = r"(\s*[\"']?jobs[\"']?\s*:)\s*\{\s*\}(.*)"


@dataclass(frozen=True, slots=True)
class Addition:
    """What adding an entry would do.

    Attributes
    ----------
    path
        The file, its links resolved.
    before, after
        Its bytes; `before` is None if there is none yet.
    lines
        The entry as it will stand there.
    """

    path: Path
    before: bytes | None
    after: bytes
    lines: tuple[str, ...]


def plan_entry(
    home: Path,
    job: str,
    when: str,
    run: Value,
    profile: str,
    file: str | None = None,
    more: AnyMapping[str, Value] = MappingProxyType({}),
    *,
    now: float,
) -> Addition:
    """Return what adding a job would do; nothing is written.

    Parameters
    ----------
    run
        A command line, or a list of steps.
    file
        A file of ``jobs/``, to be made if need be; None is the only one there is.
    more
        Further keys of the entry.
    now
        As for `read_registry`.

    Raises
    ------
    UserError
        If the id is taken, the file is not one of the registry, or the entry would be wrong or unreadable.
    """
    name = _choose_file(home, file)
    texts, _ = read_texts(home)
    keys = {"when": when, "run": run, "profile": profile, **more}
    for word in (job, *_list_texts(keys)):
        check_no_control(word)
    registry = parse_registry(texts, now)
    _refuse_taken_id(registry, job)
    before = texts.get(name)
    values = tuple([line for key, value in keys.items() for line in _write_key(key, value)])
    text, lines = _add_lines(before or b"", name, job, values)
    after = parse_registry({**texts, name: text}, now)
    _check_result(registry, after, job, keys)
    return Addition((home / name).resolve(), before, text, lines)


def write_entry(addition: Addition) -> None:
    """Do what `plan_entry` said; TryLater if the file has changed since."""
    path = str(addition.path)
    if read_file(path) != addition.before:
        raise TryLater(f"{path} has changed meanwhile; try again")
    old = addition.path.stat() if addition.before is not None else None
    write_file(path, addition.after, 0o666)
    if old:
        addition.path.chmod(old.st_mode & 0o7777)
        if os.geteuid() == 0:
            os.chown(path, old.st_uid, old.st_gid)


def _list_texts(value: Value) -> Iterator[str]:
    """Yield all texts of a value, the names in its maps too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from _list_texts(inner)
    else:
        for inner in value:
            yield from _list_texts(inner)


def _write_key(key: str, value: Value) -> list[str]:
    """Return the lines of one key: steps one below the other, everything else on one line."""
    if key == "run" and isinstance(value, list):
        return ["run:", *[f"  - {_write_inside(step)}" for step in value]]
    if isinstance(value, str):
        return [f"{key}: {quote(value) if key == 'when' else quote_if_needed(value)}"]
    return [f"{key}: {_write_inside(value)}"]


def _write_inside(value: Value) -> str:
    if isinstance(value, str):
        return quote_inside(value)
    if isinstance(value, dict):
        return "{" + ", ".join([f"{quote_inside(name)}: {_write_inside(inner)}" for name, inner in value.items()]) + "}"
    return "[" + ", ".join(map(_write_inside, value)) + "]"


def _choose_file(home: Path, file: str | None) -> str:
    """Return the path below the home of the file to change."""
    if file is None:
        names = sorted(read_texts(home)[0])
        if len(names) == 1:
            return names[0]
        listed = f": {', '.join(names)}" if names else ""
        raise UserError(f"there are {len(names)} files in {JOBS}/{listed}; say which with --file")
    folder = (home / JOBS).resolve()
    for path in (home / file, Path.cwd() / file, folder / file):
        if path.parent.resolve() == folder and path.suffix == ".yaml" and not path.name.startswith("."):
            return f"{JOBS}/{path.name}"
    raise UserError(f"{file} is not a file {JOBS}/NAME.yaml of {home}")


def _refuse_taken_id(registry: Registry, job: str) -> None:
    for other in registry.jobs:
        if other.id == job:
            where = f"{other.source.file}:{other.source.id.line}:{other.source.id.column}"
            raise UserError(f'{where}: there is a job "{job}" already')


def _add_lines(data: bytes, name: str, job: str, values: tuple[str, ...]) -> tuple[bytes, tuple[str, ...]]:
    """Return the text with the entry, and the entry as it stands there."""
    faults = Faults(name)
    root = parse_document(data, faults)
    if root is None and faults.found:
        raise FaultsFound(faults.found)
    lines = data.decode("utf-8").split("\n")
    jobs = root.entries.get("jobs") if isinstance(root, Mapping) else None
    outer, inner = _find_indents(jobs)
    entry = (" " * outer + f"{quote_if_needed(job)}:", *[" " * inner + value for value in values])
    if jobs is None:
        return _insert(lines, _end_of_content(lines, 0, len(lines), -1), ("jobs:", *entry)), entry
    key, node = jobs
    if isinstance(node, Mapping) and node.entries and not node.flow:
        last = list(node.entries.values())[-1][0].line
        at = _end_of_content(lines, last - 1, _next_section(lines, last, key.column), outer)
        return _insert(lines, at, entry), entry
    if not is_empty(node):
        emptied = re.fullmatch(_EMPTY_MAP, lines[key.line - 1])
        if not emptied:
            raise UserError(f'{name}:{node.line}:{node.column}: "jobs" is written in braces; add the entry by hand')
        lines[key.line - 1] = emptied[1] + emptied[2]
    return _insert(lines, key.line, entry), entry


def _find_indents(jobs: tuple[Scalar, Node] | None) -> tuple[int, int]:
    """Return the blanks before the ids of the file's entries, and before their keys."""
    outer = (jobs[0].column - 1 if jobs else 0) + _INDENT
    if not jobs or not isinstance(jobs[1], Mapping):
        return outer, outer + _INDENT
    for key, entry in jobs[1].entries.values():
        outer = key.column - 1
        if isinstance(entry, Mapping) and not entry.flow and entry.entries:
            return outer, entry.column - 1
    return outer, outer + _INDENT


def _next_section(lines: list[str], start: int, column: int) -> int:
    """Return the index of the first line from `start` on that is outside ``jobs:``, or of the end."""
    for index in range(start, len(lines)):
        line = lines[index].rstrip("\r")
        inside = not line.strip() or line.lstrip().startswith("#") or len(line) - len(line.lstrip()) >= column
        if not inside or line == "...":
            return index
    return len(lines)


def _end_of_content(lines: list[str], start: int, end: int, indent: int) -> int:
    """Return the index after the last line with content, or with a comment deeper than `indent`."""
    last = start
    for index in range(start, end):
        text = lines[index].strip()
        deep = len(lines[index]) - len(lines[index].lstrip()) > indent
        if text and (deep or not text.startswith("#")):
            last = index + 1
    return last


def _insert(lines: list[str], at: int, entry: tuple[str, ...]) -> bytes:
    """Return the text with `entry` before line `at`, in the file's own line ends, its last one as it was."""
    return_ = "\r" if lines[0].endswith("\r") else ""
    added = [line + return_ for line in entry]
    if at == len(lines):
        lines[-1] += return_
        added[-1] = entry[-1]
    return "\n".join([*lines[:at], *added, *lines[at:]]).encode("utf-8")


def _check_result(before: Registry, after: Registry, job: str, keys: dict[str, Value]) -> None:
    """Raise FaultsFound for errors that were not there before, UserError if the entry is not what was meant."""
    more = Counter(map(_what, after.faults)) - Counter(map(_what, before.faults))
    new = [fault for fault in after.faults if _what(fault) in more]
    if has_errors(new):
        raise FaultsFound(new)
    added = next((other for other in after.jobs if other.id == job), None)
    if added is None or _read_back(added.source.entry) != keys:
        raise UserError(f'the entry "{job}" cannot be added to this file by a program; write it there by hand')


def _read_back(node: Node) -> Value:
    """Return what a node says."""
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Mapping):
        return {name: _read_back(value) for name, (_, value) in node.entries.items()}
    return [_read_back(item) for item in node.items]


def _what(fault: Fault) -> tuple[str, str, str, str]:
    """Return a fault without its place, which an entry above it has moved."""
    return (fault.file, fault.level, fault.message, fault.hint)
