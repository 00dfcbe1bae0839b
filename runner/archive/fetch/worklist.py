"""``--not-indexed``: of what a source has only what the index has not.

A file is in the index if a file of the same base name and size is, in whatever directory: teams move what they
have fetched. So a file of which a half was copied is not in it. Where the source says no size, a file that is whole
counts. A sha256 that the source gives has to be that of the index, where it has one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import islice

from runner.archive.fetch.source import Remote
from runner.archive.tables import FILES, OK, VANISHED
from runner.database.connect import connect
from runner.database.database import Database

# SQLite before 3.32 takes 999 values in a statement.
_AT_ONCE = 900
# What comes after the last slash of a path, in functions that both databases have.
_BASE_NAME = "substr(path, length(rtrim(path, replace(path, '/', ''))) + 1)"

# A file that the index has: size, state, and digest if there is one.
Known = tuple[int, str, str | None]


def choose_not_indexed(remotes: Iterable[Remote], database_url: str) -> Iterator[Remote]:
    """Yield those files of a source that are not in the index at `database_url`; TryLater if it does not answer."""
    remaining = iter(remotes)
    # Opened by who asks for the first file: SQLite lets no other thread use it.
    with connect(database_url) as database:
        is_empty = not database.has_table(FILES)
        while some := list(islice(remaining, _AT_ONCE)):
            # What cannot be printed is no value for a database, and no name that is fetched.
            names = {name for name in map(_find_base, some) if name.isprintable()}
            known = {} if is_empty else _read_known(database, names)
            yield from (remote for remote in some if not _is_known(remote, known))


def _is_known(remote: Remote, known: Mapping[str, Iterable[Known]]) -> bool:
    return any(_is_same(remote, *one) for one in known.get(_find_base(remote), ()))


def _is_same(remote: Remote, size_bytes: int, state: str, digest: str | None) -> bool:
    has_sha256 = remote.checksum is not None and remote.checksum.startswith("sha256:")
    if has_sha256 and digest and remote.checksum != digest:
        return False
    return state == OK if remote.size_bytes is None else remote.size_bytes == size_bytes


def _read_known(database: Database, names: Collection[str]) -> dict[str, list[Known]]:
    """Return what the index has under each of these base names: one pass over its paths for all of them."""
    places = ", ".join("?" * len(names))
    sql = f"SELECT {_BASE_NAME}, size_bytes, state, digest FROM {FILES} WHERE state <> ? AND {_BASE_NAME} IN ({places})"
    known: dict[str, list[Known]] = {}
    for name, size_bytes, state, digest in database.read(sql, (VANISHED, *names)):
        known.setdefault(name, []).append((size_bytes, state, digest))
    return known


def _find_base(remote: Remote) -> str:
    return remote.name.rpartition("/")[2]
