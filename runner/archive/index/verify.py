"""``runner index --verify``: whether the files are what the database says, byte for byte (ARCH-24).

A file whose digest nobody has computed yet gets it now. Nothing else is changed: what is new or vanished is
reported, and ``runner index`` puts it right.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from runner.archive.index.compare import Comparison, Known, Rule
from runner.archive.index.known import read_known
from runner.archive.index.roots import Scope, find_trouble, plan_roots, read_given, read_roots
from runner.archive.index.sums import read_sums
from runner.archive.index.walk import Walk, is_gone, make_name_test, make_signature
from runner.archive.settings import Archive
from runner.archive.tables import BAD, CHANGED, DIGEST_OK, FILES, VANISHED
from runner.database.database import Database
from runner.errors import TryLater, UserError

# Digests are kept after so many seconds: what a kill may lose.
_KEEP_S = 2.0


@dataclass(frozen=True, slots=True)
class Finding:
    """Where disk and database differ, or a file is damaged.

    Attributes
    ----------
    path
        Its real path.
    kind
        ``missing unindexed changed bad digest checksum datasum structure unreadable``.
    hdu
        Which one, counted from 0; None where it is the file as a whole.
    """

    path: str
    kind: str
    message: str
    hdu: int | None = None

    def describe(self) -> dict[str, object]:
        """Return the object of ``--json``."""
        return {"path": self.path, "finding": self.kind, "hdu": self.hdu, "message": self.message}


class Verification:
    """One verification: an iterable of `Finding`.

    Attributes
    ----------
    files, size_bytes
        How many files were read so far, and how long they are together.
    sums
        How many CHECKSUM and DATASUM were compared.
    digests
        How many digests were computed that nobody had before.
    """

    def __init__(self, database: Database, archive: Archive, paths: Sequence[str] = ()) -> None:
        """Find out what is to be verified.

        Raises
        ------
        UserError
            A path is not there, or within no root.
        """
        self.files = self.size_bytes = self.sums = self.digests = 0
        self._database = database
        self._is_wanted = make_name_test(archive.names)
        roots = read_roots(database)
        plan = plan_roots(roots, read_given(paths, roots, self._is_wanted))
        if plan.new or not roots:
            raise UserError(f"{(*plan.new, 'a directory')[0]} is not indexed: there is nothing to compare it with")
        self._scopes = plan.scopes
        self._digests: list[tuple[str, str, Known]] = []
        self._kept_at = time.monotonic()

    def __iter__(self) -> Iterator[Finding]:
        for scope in self._scopes:
            yield from self._verify(scope)
            self._keep_digests()

    def _verify(self, scope: Scope) -> Iterator[Finding]:
        roots = read_roots(self._database)
        walk = Walk(scope.root, scope.below, self._is_wanted)
        comparison = Comparison(read_known(self._database, scope, roots), walk, Rule("", 0, reads_all=True))
        is_bare = not scope.below
        for difference in comparison:
            is_bare = False
            path, *signature, _ = difference.found
            known = difference.known
            if known is None or known[5] == VANISHED:
                yield Finding(f"{scope.root}/{path}", "unindexed", "it is not in the database")
            elif tuple(signature) != known[1:4]:
                yield Finding(f"{scope.root}/{path}", "changed", "it changed since it was indexed")
            else:
                yield from self._verify_file(f"{scope.root}/{path}", known)
        for path, reason in walk.unread:
            yield Finding(path, "unreadable", reason)
        if comparison.gone and (trouble := find_trouble(scope.root, is_bare=is_bare)):
            raise TryLater(trouble)
        for known in comparison.gone:
            if is_gone(scope.root, known[0], self._is_wanted):
                yield Finding(f"{scope.root}/{known[0]}", "missing", "it is in the database and not there")

    def _verify_file(self, path: str, known: Known) -> Iterator[Finding]:
        """Read one file, which is as old and as long as the database says."""
        sql = f"SELECT digest, state, reason FROM {FILES} WHERE id = ?"
        digest, state, reason = self._database.read(sql, (known[6],))[0]
        if state == BAD:
            yield Finding(path, "bad", reason or "")
        try:
            with open(path, "rb") as file:
                sums = read_sums(file, is_fits=state != BAD)
                signature = make_signature(os.fstat(file.fileno()))
        except OSError as error:
            yield Finding(path, "unreadable", error.strerror or str(error))
            return
        if signature != known[1:4]:
            yield Finding(path, "changed", "it changed while it was read")
            return
        self.files += 1
        self.size_bytes += known[1]
        self.sums += sums.checked
        self.digests += digest is None
        self._note_digest(known, digest or sums.digest, DIGEST_OK if digest in (None, sums.digest) else CHANGED)
        if digest not in (None, sums.digest):
            hint = 'if that is right: "runner index --full"'
            yield Finding(path, "digest", f"its bytes are not those that it had, though it is as old and long; {hint}")
        for flaw in sums.flaws:
            yield Finding(path, flaw.kind, flaw.message, flaw.hdu)

    def _note_digest(self, known: Known, digest: str, state: str) -> None:
        self._digests.append((digest, state, known))
        if time.monotonic() - self._kept_at > _KEEP_S:
            self._keep_digests()

    def _keep_digests(self) -> None:
        """Write down the digests, each of a file that is in the database as it was when we began with it."""
        sql = f"UPDATE {FILES} SET digest = ?, digest_state = ? WHERE id = ? AND size_bytes = ? AND mtime_ns = ?"
        with self._database.writing():
            for digest, state, known in self._digests:
                self._database.execute(sql, (digest, state, known[6], known[1], known[2]))
        self._digests.clear()
        self._kept_at = time.monotonic()
