"""Trees of files -> the database, incrementally: what ``runner index`` does, and what a job calls.

::

    from pathlib import Path
    from runner.archive.index.index import index_paths
    from runner.archive.settings import read_archive
    from runner.database.connect import connect
    from runner.database.migrate import prepare_schema

    with connect("sqlite:////archive/index.db") as database:
        prepare_schema(database)
        summary = index_paths(database, read_archive(Path("/home/ql")), ["/archive"])
    print(summary.describe())

Only files that are new or changed are read. It may be called by several at once, and killed at any moment: what
it wrote until then is right, and the next call does the rest (ARCH-29).
"""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain

from runner.archive.headers.reader import HeaderReader, Reading
from runner.archive.index.compare import Comparison, Difference, Rule
from runner.archive.index.known import is_anything_known, read_known
from runner.archive.index.read import Task, read_files
from runner.archive.index.roots import (
    Scope,
    find_mount,
    find_trouble,
    plan_roots,
    prepare_scopes,
    read_given,
    read_roots,
)
from runner.archive.index.summary import Summary
from runner.archive.index.walk import Walk, can_read, is_gone, make_name_test, make_signature
from runner.archive.index.write import Entry, Writer
from runner.archive.schema import add_columns
from runner.archive.settings import Archive
from runner.archive.tables import BAD
from runner.database.database import Database
from runner.document.collector import collector_off
from runner.errors import UserError, clean
from runner.home.product import find_maker, record_note

# A batch is written after so many files or so many seconds: what a kill may lose.
_FILES_A_BATCH = 2000
_BATCH_S = 2.0
# A watcher hears of every so many files.
_FILES_A_LOOK = 50

Watch = Callable[[Summary], None]


@dataclass(frozen=True, slots=True)
class Options:
    """How files are indexed.

    Attributes
    ----------
    reads_all
        Read what is unchanged too; it also says that files whose bytes ``--verify`` found changed are right.
    accepts_empty
        Where a root that had files is empty, they have vanished: its disk is mounted.
    is_dry
        Change nothing: count what is to be read, in ``Summary.total``, and what has vanished.
    processes
        How many read headers.
    run_id
        Of the run that this is a part of.
    """

    reads_all: bool = False
    accepts_empty: bool = False
    is_dry: bool = False
    processes: int = 1
    run_id: str | None = None


def index_paths(
    database: Database,
    archive: Archive,
    paths: Sequence[str] = (),
    options: Options = Options(),
    watch: Watch | None = None,
) -> Summary:
    """Index trees and files, and return what it came to.

    Inside of a run (``RUNNER_STATE`` and ``RUNNER_RUN_ID`` in the environment) the counts are recorded with it.

    Parameters
    ----------
    database
        Its schema is prepared (`prepare_schema`); missing columns are added.
    paths
        Directories and files; none: all that was ever indexed.
    watch
        Called again and again with what it has come to so far; how much there is to do in all is found out first.

    Raises
    ------
    UserError
        A path is not there, or it is none to be indexed; a column is there with another type. Nothing was changed.
    TryLater
        The database, or the disk of a path.
    """
    roots = read_roots(database)
    is_wanted = make_name_test(archive.names)
    given = read_given(paths, roots, is_wanted)
    if not given and not roots:
        raise UserError("nothing is indexed yet: name a directory")
    if options.is_dry:
        scopes = list(plan_roots(roots, given).scopes)
    else:
        add_columns(database, archive.all_columns)
        scopes = prepare_scopes(database, given)
    indexer = _Indexer(database, archive, options, watch)
    for scope in scopes:
        indexer.index(scope)
    if not options.is_dry:
        _record(indexer.summary)
    return indexer.summary


def _record(summary: Summary) -> None:
    """Note with the run that this is a part of, if there is one, what a call came to (ARCH-31)."""
    if maker := find_maker(os.environ):
        try:
            record_note(maker, f"index: {', '.join(summary.list_counts())}")
        except OSError as error:
            summary.warnings.append(f"what it came to is not in the journal: {error}")


class _Indexer:
    """One call: scopes, one after the other."""

    def __init__(self, database: Database, archive: Archive, options: Options, watch: Watch | None) -> None:
        self.summary = Summary()
        self._database = database
        self._options = options
        self._watch = watch
        self._is_wanted = make_name_test(archive.names)
        self._columns = archive.all_columns
        self._make_reader = partial(HeaderReader, self._columns, keep_header=archive.header)
        self._rule = Rule(
            self._make_reader().layout, time.time_ns(), round(archive.settle * 1e9), reads_all=options.reads_all
        )

    def index(self, scope: Scope) -> None:
        """Look at a scope, read what is new or changed, and write it."""
        mount = find_mount(scope.root)
        roots = read_roots(self._database)
        walk = Walk(scope.root, scope.below, self._is_wanted)
        files = iter(walk)
        first = next(files, None)
        if first is None and is_anything_known(self._database, scope, roots):
            accepts_empty = self._options.accepts_empty
            trouble = find_trouble(scope.root, is_bare=not scope.below, accepts_empty=accepts_empty)
            if trouble:
                self.summary.troubles.append(trouble)
                return
        found = chain([first], files) if first else files
        comparison = Comparison(read_known(self._database, scope, roots), found, self._rule)
        run_id, accepts_changed = self._options.run_id, self._options.reads_all
        writer = Writer(self._database, scope.root, self._columns, run_id, accepts_changed=accepts_changed)
        with collector_off():
            for batch in self._make_batches(scope.root, self._choose_tasks(scope.root, comparison)):
                writer.write(batch, time.time())
                gc.collect(1)
        gone = [known[6] for known in comparison.gone if is_gone(scope.root, known[0], self._is_wanted)]
        if find_mount(scope.root) != mount:
            self.summary.troubles.append(f"{clean(scope.root)} was mounted or unmounted meanwhile: call again")
            return
        if not self._options.is_dry:
            writer.mark_vanished(gone, time.time())
        self.summary.add(comparison, walk, len(gone))

    def _choose_tasks(self, root: str, comparison: Comparison) -> Iterable[Task[Difference]]:
        """Return the files to be read; all are chosen first where somebody wants to know how many there are."""
        tasks = ((f"{root}/{difference.found[0]}", difference) for difference in comparison)
        if not self._watch and not self._options.is_dry:
            return tasks
        waiting = list(tasks)
        self.summary.to_read += len(waiting)
        return [] if self._options.is_dry else waiting

    def _make_batches(self, root: str, tasks: Iterable[Task[Difference]]) -> Iterator[list[Entry]]:
        """Read files; yield what is to be written, in pieces that are no great loss."""
        batch: list[Entry] = []
        until = time.monotonic() + _BATCH_S
        for difference, reading in read_files(self._make_reader, tasks, self._options.processes):
            self.summary.read += 1
            if entry := self._judge(root, difference, reading):
                batch.append(entry)
            if len(batch) >= _FILES_A_BATCH or time.monotonic() > until:
                yield batch
                batch, until = [], time.monotonic() + _BATCH_S
            if self._watch and self.summary.read % _FILES_A_LOOK == 0:
                self._watch(self.summary)
        if batch:
            yield batch

    def _judge(self, root: str, difference: Difference, reading: Reading | None) -> Entry | None:
        """Return what is to be written of a file; None if it changed or went while it was read (ARCH-25)."""
        path, size, mtime_ns, inode, flaw = difference.found
        signature, layout = (size, mtime_ns, inode), self._rule.layout
        if flaw is not None:
            entry = Entry(path, signature, BAD, flaw, layout, ())
        elif reading is None or make_signature(reading.status) != signature:
            self.summary.left += 1
            return None
        else:
            if reading.state == BAD and not reading.rows and not can_read(f"{root}/{path}"):
                layout = ""  # that it can be read again does not change it
            entry = Entry(path, signature, reading.state, reading.reason, layout, reading.rows)
        if entry.state != BAD:
            self.summary.indexed += 1
        elif difference.is_known_bad:
            self.summary.known_bad += 1
        else:
            self.summary.new_bad.append((f"{root}/{path}", entry.reason or ""))
        return entry
