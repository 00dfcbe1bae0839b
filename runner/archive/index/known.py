"""What the database knows of files, in the order of their paths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from runner.archive.index.compare import Known
from runner.archive.index.roots import Scope, list_sources
from runner.archive.tables import FILES, VANISHED
from runner.database.database import Database

_PAGE = 5000


def read_known(database: Database, scope: Scope, roots: Mapping[str, int]) -> Iterator[Known]:
    """Yield the files of a scope in the order of their paths; page by page, as others write meanwhile."""
    for root_id, prefix, below in list_sources(scope, roots):
        pages = _read_pages(database, root_id, below)
        yield from ((prefix + known[0], *known[1:]) for known in pages) if prefix else pages


def choose_range(below: str) -> tuple[str, tuple[str, ...]]:
    """Return the condition and its values that choose the paths of a scope by the order that they have."""
    if not below:
        return "path > ?", ("",)
    if not below.endswith("/"):
        return "path = ?", (below,)
    # The character after the slash: up to there are all paths that begin with `below`.
    return "path > ? AND path < ?", (below, f"{below[:-1]}0")


def _read_pages(database: Database, root_id: int, below: str) -> Iterator[Known]:
    where, (first, *rest) = choose_range(below)
    columns = "path, size_bytes, mtime_ns, inode, layout, state, id"
    sql = f"SELECT {columns} FROM {FILES} WHERE root_id = ? AND {where} ORDER BY path LIMIT {_PAGE}"
    while page := database.read(sql, (root_id, first, *rest)):
        yield from page
        if len(page) < _PAGE:
            return
        first = page[-1][0]


def is_anything_known(database: Database, scope: Scope, roots: Mapping[str, int]) -> bool:
    """Whether the database has any file of a scope that has not vanished."""
    for root_id, _, below in list_sources(scope, roots):
        where, values = choose_range(below)
        sql = f"SELECT 1 FROM {FILES} WHERE root_id = ? AND {where} AND state <> '{VANISHED}' LIMIT 1"
        if database.read(sql, (root_id, *values)):
            return True
    return False
