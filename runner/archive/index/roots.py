"""Which directories are indexed, and what a PATH is of them.

Roots never lie within one another: a path within a root is a part of it, and a new root that holds older ones
takes their files over.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from runner.archive.index.walk import escape, is_utf8
from runner.archive.tables import FILES, ROOTS
from runner.database.database import Database
from runner.errors import TryLater, UserError, clean


@dataclass(frozen=True, slots=True)
class Given:
    """A PATH: its real path, and whether it is a directory."""

    path: str
    is_directory: bool


@dataclass(frozen=True, slots=True)
class Scope:
    """What is to be looked at: a root (`below` is empty), a directory of it (ends in a slash), or one file."""

    root: str
    below: str = ""

    def holds(self, other: Scope) -> bool:
        """Whether all of another scope is a part of this one."""
        is_below = self.below == "" or other.below == self.below
        return self.root == other.root and (is_below or (self.below[-1] == "/" and other.below.startswith(self.below)))


@dataclass(frozen=True, slots=True)
class RootPlan:
    """What becomes of the roots.

    Attributes
    ----------
    new
        Directories that become roots.
    taken_over
        Of each root that lies within a new one, which that is.
    scopes
        What is to be looked at, nothing twice.
    """

    new: tuple[str, ...]
    taken_over: Mapping[str, str]
    scopes: tuple[Scope, ...]


def plan_roots(known: Iterable[str], given: Sequence[Given]) -> RootPlan:
    """Return what PATHs mean where there are `known` roots; without PATHs all roots are looked at.

    Raises
    ------
    UserError
        A path is hidden below a root: the next look at all of it would take its files for vanished.
    """
    roots = set(known)
    if not given:
        return RootPlan((), {}, tuple(Scope(root) for root in sorted(roots)))
    wanted = {one.path if one.is_directory else str(Path(one.path).parent) for one in given}
    all_roots = _find_outermost(roots | wanted)
    new = tuple(root for root in all_roots if root not in roots)
    taken_over = {root: holder for root in sorted(roots) if (holder := _get_holder(root, all_roots)) != root}
    scopes: list[Scope] = []
    for one in sorted(given, key=lambda one: one.path):
        root = _get_holder(one.path, all_roots)
        below = one.path[len(_as_prefix(root)) :]
        if any(part.startswith(".") for part in below.split("/")):
            raise UserError(f"{clean(one.path)}: what is hidden below {clean(root)} is not indexed")
        scope = Scope(root, f"{below}/" if below and one.is_directory else below)
        if not any(other.holds(scope) for other in scopes):
            scopes.append(scope)
    return RootPlan(new, taken_over, tuple(scopes))


def _find_outermost(paths: Iterable[str]) -> list[str]:
    """Return those directories that lie within no other."""
    outermost: list[str] = []
    for path in sorted(paths, key=_as_prefix):
        if not outermost or not _as_prefix(path).startswith(_as_prefix(outermost[-1])):
            outermost.append(path)
    return outermost


def _get_holder(path: str, roots: Iterable[str]) -> str:
    return next(root for root in roots if _as_prefix(path).startswith(_as_prefix(root)))


def _as_prefix(path: str) -> str:
    return path if path.endswith("/") else f"{path}/"


def read_roots(database: Database) -> dict[str, int]:
    """Return the path and id of each root."""
    return dict(database.read(f"SELECT path, id FROM {ROOTS}"))


def read_given(paths: Iterable[str], roots: Iterable[str], is_wanted: Callable[[str], bool]) -> list[Given]:
    """Return what PATHs are.

    Raises
    ------
    UserError
        There is no such file or directory, or it is none that is indexed.
    TryLater
        It lies within a root that is not there, or empty: perhaps a disk is not mounted.
    """
    known = set(roots)
    return [_read_one(Path(path).resolve(), known, is_wanted) for path in paths]


def _read_one(given: Path, roots: set[str], is_wanted: Callable[[str], bool]) -> Given:
    path = str(given)
    shown = clean(escape(path))
    if not is_utf8(path):
        raise UserError(f"{shown}: its name is not UTF-8; rename it, or index the directory above")
    if given.is_dir() or path in roots:
        return Given(path, is_directory=True)
    if given.is_file():
        if not is_wanted(given.name):
            raise UserError(f'{shown}: no file of such a name is indexed; see "names" in envs/archive.yaml')
        return Given(path, is_directory=False)
    for root in roots:
        if path.startswith(_as_prefix(root)) and (trouble := find_trouble(root)):
            raise TryLater(trouble)
    raise UserError(f"{shown}: there is no such file or directory; if there was, index the directory above")


def find_trouble(root: str, *, is_bare: bool = False, accepts_empty: bool = False) -> str | None:
    """Return why nothing can be said of what is not there any more in a root; None if it is there (ARCH-30).

    Where a disk is not mounted there is a directory that can be read, and it is empty, or has a note that says so.

    Parameters
    ----------
    is_bare
        None of the files that the root had was found, nor any other.
    accepts_empty
        Whoever calls knows that it is mounted.
    """
    try:
        with os.scandir(root) as entries:
            is_empty = next(entries, None) is None
    except OSError as error:
        return f"{clean(root)}: {error.strerror}; none of its files is taken for vanished"
    if (is_empty or is_bare) and not accepts_empty:
        return f"{clean(root)} has no file any more: is its disk mounted? If it is, call with --accept-empty"
    return None


def find_mount(root: str) -> tuple[int, int] | None:
    """Return what changes when a disk is mounted or unmounted there; None if there is nothing."""
    try:
        status = Path(root).stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def write_roots(database: Database, plan: RootPlan) -> None:
    """Make the new roots, and give them the files of those that they take over; in a transaction of the caller."""
    roots = read_roots(database)
    first_id = max(roots.values(), default=0) + 1
    for root_id, path in enumerate(plan.new, first_id):
        database.execute(f"INSERT INTO {ROOTS} (id, path) VALUES (?, ?)", (root_id, path))
        roots[path] = root_id
    for path, holder in plan.taken_over.items():
        prefix = _as_prefix(path)[len(_as_prefix(holder)) :]
        values = (roots[holder], prefix, roots[path])
        database.execute(f"UPDATE {FILES} SET root_id = ?, path = ? || path WHERE root_id = ?", values)
        database.execute(f"DELETE FROM {ROOTS} WHERE id = ?", (roots[path],))


def prepare_scopes(database: Database, given: Sequence[Given]) -> list[Scope]:
    """Return what is to be looked at; its roots are in the database afterwards."""
    plan = plan_roots(read_roots(database), given)
    if plan.new:
        with database.writing():
            for table in (ROOTS, FILES):
                database.lock(table)
            # Again, now that nobody else changes them.
            plan = plan_roots(read_roots(database), given)
            write_roots(database, plan)
    return list(plan.scopes)


def list_sources(scope: Scope, roots: Mapping[str, int]) -> Iterator[tuple[int, str, str]]:
    """Yield where the database has the files of a scope: id of a root, what stands before its paths, and below what.

    That is one root, or several where a root that is new only in a dry run would take others over.
    """
    if scope.root in roots:
        yield roots[scope.root], "", scope.below
        return
    inside = [root for root in roots if _as_prefix(root).startswith(_as_prefix(scope.root))]
    for root in sorted(inside, key=_as_prefix):
        yield roots[root], _as_prefix(root)[len(_as_prefix(scope.root)) :], ""
