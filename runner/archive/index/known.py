"""What the database knows of files, in the order of their paths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from runner.archive.index.compare import Known
from runner.archive.index.roots import Scope, list_sources
from runner.archive.tables import FILES, VANISHED
from runner.database.database import Database

_PAGE = 5000
# Greater than every path: no character of UTF-8 is beyond it.
_END = "\U0010ffff"


def read_known(database: Database, scope: Scope, roots: Mapping[str, int]) -> Iterator[Known]:
    """Yield the files of a scope in the order of their paths; page by page, as others write meanwhile."""
    for root_id, prefix, below in list_sources(scope, roots):
        pages = _read_pages(database, root_id, *choose_range(below))
        yield from ((prefix + known[0], *known[1:]) for known in pages) if prefix else pages


def choose_range(below: str) -> tuple[str, str]:
    """Return the first and the last path that the database may have of a scope."""
    if not below:
        return "", _END
    return (below, f"{below}{_END}") if below.endswith("/") else (below, below)


def _read_pages(database: Database, root_id: int, first: str, last: str) -> Iterator[Known]:
    columns = "path, size_bytes, mtime_ns, inode, layout, state, id"
    sign = ">="
    while True:
        where = f"root_id = ? AND path {sign} ? AND path <= ? ORDER BY path LIMIT {_PAGE}"
        page = database.read(f"SELECT {columns} FROM {FILES} WHERE {where}", (root_id, first, last))
        yield from page
        if len(page) < _PAGE:
            return
        sign, first = ">", page[-1][0]


def is_anything_known(database: Database, scope: Scope, roots: Mapping[str, int]) -> bool:
    """Whether the database has any file of a scope that has not vanished."""
    sql = f"SELECT 1 FROM {FILES} WHERE root_id = ? AND path >= ? AND path <= ? AND state <> '{VANISHED}' LIMIT 1"
    sources = list_sources(scope, roots)
    return any(database.read(sql, (root_id, *choose_range(below))) for root_id, _, below in sources)
