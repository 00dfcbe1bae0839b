"""What was read of files -> the database, a batch in one transaction (ARCH-28, ARCH-29).

Who writes is alone with the table of files until the batch is committed: two indexers never give one id twice,
and what a kill leaves is whole batches.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

from runner.archive.tables import CHANGED, FILE_COLUMNS, FILES, HDU_COLUMNS, HDUS, ROOTS, VANISHED
from runner.database.database import Database
from runner.errors import TryLater
from runner.launch.instant import format_instant

if TYPE_CHECKING:
    from runner.archive.index.walk import Signature
    from runner.archive.settings import Column

# How many values one query may have: older SQLites take 999.
_VALUES = 900
_HDU_KEY = ("file_id", "number")


class Entry(NamedTuple):
    """What is to be written of one file.

    Attributes
    ----------
    signature
        Size in bytes, mtime in ns, inode, as they were when it was read.
    layout
        Of which columns it was read for; empty: it is to be read again the next time, changed or not.
    rows
        Its rows of ``hdus`` without the id of the file, HDU 0 first.
    """

    path: str
    signature: Signature
    state: str
    reason: str | None
    layout: str
    rows: Sequence[tuple[Any, ...]]


class _Old(NamedTuple):
    """What the database has of a file, as far as it outlives that the file is read again."""

    id: int
    signature: Signature
    first_seen_at: str
    digest: str | None
    digest_state: str | None


class Writer:
    """Writes the files of one root."""

    def __init__(
        self, database: Database, root: str, columns: Mapping[str, Column], run_id: str | None, *, accepts_changed: bool
    ) -> None:
        """`columns` are the configured ones.

        With `accepts_changed` a digest that ``--verify`` found wrong is forgotten: what is read now is right.
        """
        self._database = database
        self._root = root
        self._columns = (*HDU_COLUMNS, *columns)
        self._run_id = run_id
        self._accepts_changed = accepts_changed

    def write(self, entries: Sequence[Entry], now: float) -> None:
        """Write a batch: all of it or nothing. `now` is in POSIX seconds.

        Raises
        ------
        TryLater
            Another indexer took over the files of this root.
        """
        at = format_instant(now)
        with self._database.writing():
            self._database.lock(FILES)
            root_id = self._get_root_id()
            old = self._read_old(root_id, [entry.path for entry in entries])
            ids = count(self._database.read(f"SELECT coalesce(max(id), 0) + 1 FROM {FILES}")[0][0])
            files: list[tuple[Any, ...]] = []
            first: list[tuple[Any, ...]] = []
            others: list[tuple[Any, ...]] = []
            for entry in entries:
                before = old.get(entry.path) or _Old(next(ids), entry.signature, at, None, None)
                files.append(self._make_row(root_id, entry, before, at))
                for row in entry.rows:
                    (others if row[0] else first).append((before.id, *row))
            self._delete_hdus([one.id for one in old.values()])
            self._database.upsert(FILES, FILE_COLUMNS, files, ("id",))
            # Apart, since most columns of the others are null.
            for rows in (first, others):
                self._database.upsert(HDUS, self._columns, rows, _HDU_KEY)

    def mark_vanished(self, ids: Sequence[int], now: float) -> None:
        """Mark files as vanished; what was known of them stays."""
        sql = f"UPDATE {FILES} SET state = '{VANISHED}', indexed_at = ?, run_id = ?"
        for some in _split(ids):
            with self._database.writing():
                values = (format_instant(now), self._run_id, *some)
                self._database.execute(f"{sql} WHERE id IN ({_places(some)})", values)

    def _get_root_id(self) -> int:
        rows = self._database.read(f"SELECT id FROM {ROOTS} WHERE path = ?", (self._root,))
        if not rows:
            raise TryLater(f"{self._root} became a part of another root meanwhile")
        return int(rows[0][0])

    def _read_old(self, root_id: int, paths: Sequence[str]) -> dict[str, _Old]:
        columns = "path, id, size_bytes, mtime_ns, inode, first_seen_at, digest, digest_state"
        old = {}
        for some in _split(paths):
            where = f"root_id = ? AND path IN ({_places(some)})"
            for row in self._database.read(f"SELECT {columns} FROM {FILES} WHERE {where}", (root_id, *some)):
                old[row[0]] = _Old(row[1], row[2:5], *row[5:])
        return old

    def _make_row(self, root_id: int, entry: Entry, before: _Old, at: str) -> tuple[Any, ...]:
        """Return a row of ``files``, in the order of `FILE_COLUMNS`; a digest is of the file that it was."""
        is_right = before.digest_state != CHANGED or not self._accepts_changed
        is_same = before.signature == entry.signature and is_right
        digest = (before.digest, before.digest_state) if is_same else (None, None)
        return (
            before.id, root_id, entry.path, *entry.signature, *digest, len(entry.rows), entry.state, entry.reason,
            entry.layout, before.first_seen_at, at, self._run_id,
        )  # fmt: skip

    def _delete_hdus(self, ids: Sequence[int]) -> None:
        for some in _split(ids):
            self._database.execute(f"DELETE FROM {HDUS} WHERE file_id IN ({_places(some)})", some)


def _split(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for first in range(0, len(values), _VALUES):
        yield values[first : first + _VALUES]


def _places(values: Sequence[Any]) -> str:
    return ", ".join("?" * len(values))
