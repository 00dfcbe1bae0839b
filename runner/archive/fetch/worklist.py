"""``--not-indexed``: of what a source has only what the index has not.

A file is in the index if a file of the same base name and size is, in whatever directory: teams move what they
have fetched. So a file of which a half was copied is not in it. Where the source says no size, a file that is whole
counts. A sha256 that the source gives has to be that of the index, where it has one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from runner.archive.fetch.source import Remote
from runner.archive.tables import FILES, OK, VANISHED
from runner.database.connect import connect
from runner.database.database import Database

# A file that the index has: size, state, and digest if there is one.
Known = tuple[int, str, str | None]


def choose_not_indexed(remotes: Iterable[Remote], database_url: str) -> list[Remote]:
    """Return those files of a source that are not in the index at `database_url`; TryLater if it does not answer."""
    listed = list(remotes)
    # Opened here, by whoever lists the source: SQLite lets no other thread use it.
    with connect(database_url) as database:
        known = _read_known(database, set(map(_find_base, listed)))
    return [remote for remote in listed if not _is_known(remote, known)]


def _read_known(database: Database, names: Collection[str]) -> Mapping[str, list[Known]]:
    """Return what the index has under each of these base names.

    All paths are read once. To let the database look for the names costs as much for every thousand of them.
    """
    known: dict[str, list[Known]] = {}
    if not names or not database.has_table(FILES):
        return known
    rows = database.stream(f"SELECT path, size_bytes, state, digest FROM {FILES} WHERE state <> ?", (VANISHED,))
    for path, size_bytes, state, digest in rows:
        if (name := path.rpartition("/")[2]) in names:
            known.setdefault(name, []).append((size_bytes, state, digest))
    return known


def _is_known(remote: Remote, known: Mapping[str, Iterable[Known]]) -> bool:
    return any(_is_same(remote, *one) for one in known.get(_find_base(remote), ()))


def _is_same(remote: Remote, size_bytes: int, state: str, digest: str | None) -> bool:
    has_sha256 = remote.checksum is not None and remote.checksum.startswith("sha256:")
    if has_sha256 and digest and remote.checksum != digest:
        return False
    return state == OK if remote.size_bytes is None else remote.size_bytes == size_bytes


def _find_base(remote: Remote) -> str:
    return remote.name.rpartition("/")[2]
