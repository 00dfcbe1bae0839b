"""The journal's files: which there are, reading a piece of one, and what is remembered beside them.

``journal/drained`` says how far each file was in the ledger when it was last drained. It is only a hint, so
that nothing has to be asked of a database while there is nothing to drain; the truth is in the ledger.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from runner.launch import lines
from runner.launch.instant import format_slot, parse_instant
from runner.launch.state import DRAINED, JOURNAL, REJECTED, open_own, read_file, write_file

PIECE_BYTES = 1 << 20
_NAME = re.compile(r"\d{4}-\d\d-\d\d\.jsonl")
_SHOWN_BYTES = 4096
_DAY_S = 86400


@dataclass(frozen=True, slots=True)
class JournalFile:
    """One file of the journal: its size when it was looked at, and when it last grew (POSIX seconds)."""

    name: str
    size_bytes: int
    written_at: float


@dataclass(frozen=True, slots=True)
class Rejected:
    """A line that is no event: where it begins, why, and its bytes, cut and with the odd ones shown."""

    name: str
    position: int
    reason: str
    line: str


NumberedLine = tuple[int, bytes]


@dataclass(frozen=True, slots=True)
class Piece:
    """Whole lines of a file, each with its position; the next piece begins at `end`."""

    lines: list[NumberedLine]
    end: int


def list_files(state: str) -> list[JournalFile]:
    """Return the files of a state directory's journal, oldest first."""
    try:
        with os.scandir(f"{state}/{JOURNAL}") as entries:
            found = [_look_at(entry) for entry in entries if _NAME.fullmatch(entry.name)]
    except FileNotFoundError:
        return []
    return sorted(found, key=lambda file: file.name)


def _look_at(entry: os.DirEntry[str]) -> JournalFile:
    stat = entry.stat()
    return JournalFile(entry.name, stat.st_size, stat.st_mtime)


def read_piece(state: str, name: str, position: int, *, is_final: bool, size: int = PIECE_BYTES) -> Piece:
    """Return the next lines of a file from `position`; a file that became shorter is read from its beginning.

    A last line without newline waits: its writer may be at work. Only when nobody can be (`is_final`), or
    when a whole piece has no newline, it is taken as it is.
    """
    with open(f"{state}/{JOURNAL}/{name}", "rb") as file:
        if os.fstat(file.fileno()).st_size < position:
            position = 0
        file.seek(position)
        data = file.read(size)
    end = len(data) if is_final and len(data) < size else data.rfind(b"\n") + 1
    if not end and len(data) == size:
        end = size
    return Piece(_split(data[:end], position), position + end)


def _split(data: bytes, position: int) -> list[NumberedLine]:
    """Return the lines that are not blank: an event begins and ends with a newline."""
    numbered = []
    for line in data.split(b"\n"):
        if line:
            numbered.append((position, line))
        position += len(line) + 1
    return numbered


def is_final(file: JournalFile, now: float) -> bool:
    """Whether nobody can be writing to a file any more: its day ended a day ago."""
    return now - parse_instant(f"{file.name[:10]}T00:00:00Z") > 2 * _DAY_S


def set_aside(state: str, rejected: Iterable[Rejected], now: float) -> None:
    """Append bad lines to ``journal/rejected.jsonl``, synced; one that stands there already is not added again."""
    path = f"{state}/{JOURNAL}/{REJECTED}"
    there = {(entry.get("file"), entry.get("position")) for entry in _read_rejected(path)}
    new = [one for one in rejected if (one.name, one.position) not in there]
    if not new:
        return
    with open(open_own(path, os.O_WRONLY | os.O_APPEND), "wb") as file:
        for one in new:
            entry = {"at": format_slot(int(now)), "file": one.name, "position": one.position}
            # Between newlines like an event: what a killed writer left behind spoils only itself.
            file.write(b"\n%s\n" % json.dumps({**entry, "reason": one.reason, "line": one.line}).encode())
        file.flush()
        os.fsync(file.fileno())


def make_rejected(name: str, position: int, line: bytes, error: Exception) -> Rejected:
    """Return the record of a bad line."""
    shown = line[:_SHOWN_BYTES].decode("utf-8", "backslashreplace")
    return Rejected(name, position, str(error).splitlines()[0], shown)


def _read_rejected(path: str) -> list[dict[str, object]]:
    entries = []
    for line in (read_file(path) or b"").split(b"\n"):
        try:
            entries.append(dict(json.loads(line)))
        except ValueError:
            continue  # blank, or torn by a kill
    return entries


def read_on(state: str, read_bytes: dict[str, int]) -> Iterator[bytes]:
    """Yield the whole lines that are new in the journal, and enter into `read_bytes` how far each file is read.

    A file that is gone is forgotten.
    """
    files = list_files(state)
    for name in read_bytes.keys() - {file.name for file in files}:
        del read_bytes[name]
    for file in files:
        position = read_bytes.get(file.name, 0)
        while position != file.size_bytes:
            piece = read_piece(state, file.name, position, is_final=False)
            yield from (line for _, line in piece.lines)
            if piece.end == position:
                break
            position = piece.end
        read_bytes[file.name] = position


def read_drained(state: str) -> tuple[str, dict[str, int]]:
    """Return which database was drained into last, and how many bytes of each file it has."""
    try:
        drained = lines.decode_dict(read_file(f"{state}/{JOURNAL}/{DRAINED}") or b"")
        return drained.pop("database", ""), {name: int(value) for name, value in drained.items()}
    except (OSError, ValueError):
        return "", {}


def has_undrained(state: str, database: str = "") -> bool:
    """Whether there may be something to drain: asks no database.

    Parameters
    ----------
    database
        Its URL without password (`hide_password`); empty for the one that was drained into last.
    """
    last, drained = read_drained(state)
    if database not in ("", last):
        drained = {}
    return any(file.size_bytes != drained.get(file.name, 0) for file in list_files(state))


def write_drained(state: str, database: str, drained_bytes: dict[str, int]) -> None:
    """Remember how many bytes of each file are in `database`, which is named by its URL without password."""
    pairs = [("database", database), *((name, str(size)) for name, size in sorted(drained_bytes.items()))]
    write_file(f"{state}/{JOURNAL}/{DRAINED}", lines.encode(pairs), sync=False)
