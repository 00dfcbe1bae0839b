"""What is on the disk against what the database knows of it: new, changed, vanished (ARCH-24, ARCH-25)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from runner.archive.index.walk import Found
from runner.archive.tables import BAD, VANISHED

# Path below the root, size in bytes, mtime in ns, inode, layout, state, id.
Known = tuple[str, int, int, int, str, str, int]


@dataclass(frozen=True, slots=True)
class Rule:
    """What counts as unchanged.

    Attributes
    ----------
    layout
        Of which columns a file must have been read for (`runner.archive.tables`).
    now_ns, settle_ns
        A file that was changed less than `settle_ns` before now, or that claims to be later, waits.
    reads_all
        Whether what is unchanged is read as well.
    """

    layout: str
    now_ns: int
    settle_ns: int = 0
    reads_all: bool = False

    def is_young(self, mtime_ns: int) -> bool:
        """Whether a file may still be written; one of a clock that is far ahead must not wait for ever."""
        return abs(self.now_ns - mtime_ns) < self.settle_ns


class Difference(NamedTuple):
    """A file to be read, and what was known of it; None if it is new."""

    found: Found
    known: Known | None

    @property
    def is_known_bad(self) -> bool:
        """Whether it was bad when it was read last and is the same file still: nobody needs to hear of it again."""
        return self.known is not None and self.known[5] == BAD and self.known[1:4] == self.found[1:4]


class Comparison:
    """The differences between two lists of files, each in the order of paths; an iterable that is read once.

    Attributes
    ----------
    unchanged, known_bad, young
        How many files are as they were and good, as they were and bad, and too young to be looked at, so far.
    gone
        What was known and not found, so far.
    """

    def __init__(self, known: Iterator[Known], found: Iterable[Found], rule: Rule) -> None:
        self.unchanged = 0
        self.known_bad = 0
        self.young = 0
        self.gone: list[Known] = []
        self._known = known
        self._found = found
        self._rule = rule

    def __iter__(self) -> Iterator[Difference]:
        layout, reads_all = self._rule.layout, self._rule.reads_all
        known = next(self._known, None)
        last = ""
        for found in self._found:
            path = found[0]
            if path <= last:
                # Two names that are the same when they are shown, one of them not UTF-8: the first counts.
                continue
            last = path
            while known is not None and known[0] < path:
                self._miss(known)
                known = next(self._known, None)
            if known is None or known[0] != path:
                if not self._is_young(found):
                    yield Difference(found, None)
                continue
            if known[1:4] == found[1:4] and known[4] == layout and known[5] != VANISHED and not reads_all:
                self.unchanged += known[5] != BAD
                self.known_bad += known[5] == BAD
            elif not self._is_young(found):
                yield Difference(found, known)
            known = next(self._known, None)
        while known is not None:
            self._miss(known)
            known = next(self._known, None)

    def _miss(self, known: Known) -> None:
        if known[5] != VANISHED:
            self.gone.append(known)

    def _is_young(self, found: Found) -> bool:
        is_young = self._rule.is_young(found[2])
        self.young += is_young
        return is_young
