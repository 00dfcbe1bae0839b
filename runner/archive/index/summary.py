"""What a call of the index came to, in numbers and in words (ARCH-31, FAULT-54)."""

from __future__ import annotations

from dataclasses import dataclass, field

from runner.archive.index.compare import Comparison
from runner.archive.index.walk import Walk
from runner.errors import clean

_NAMES_SHOWN = 5
_WORDS = {"new_bad": "new bad", "known_bad": "known bad", "left": "left for later", "unread": "not looked at"}


@dataclass(slots=True)
class Summary:
    """What a call came to.

    Attributes
    ----------
    indexed
        Files that were read and are good.
    new_bad
        Real path and reason of each file that was read and is bad, and was not known to be.
    known_bad
        Bad files that are as they were.
    unchanged
        Good files that are as they were, and were not read.
    vanished
        Files that are not there any more.
    left
        Files for the next call: too young, or changed or gone while they were read.
    unread
        Real path and reason of each directory and file that could not be looked at.
    troubles
        Why nothing can be said of what is not there any more in a root, a line each (ARCH-30).
    warnings
        What could not be recorded.
    read, to_read
        How many files were read, and how many there are to be read: 0 where nobody watches and it is no dry run.
    """

    indexed: int = 0
    new_bad: list[tuple[str, str]] = field(default_factory=list)
    known_bad: int = 0
    unchanged: int = 0
    vanished: int = 0
    left: int = 0
    unread: list[tuple[str, str]] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    read: int = 0
    to_read: int = 0

    def add(self, comparison: Comparison, walk: Walk, vanished: int) -> None:
        """Add what became of a scope, apart from the files that were read."""
        self.unchanged += comparison.unchanged
        self.known_bad += comparison.known_bad
        self.left += comparison.young
        self.unread += walk.unread
        self.vanished += vanished

    @property
    def bad(self) -> int:
        """How many bad files there are, new or known."""
        return len(self.new_bad) + self.known_bad

    def describe(self) -> dict[str, int]:
        """Return all the counts by name."""
        return {
            "indexed": self.indexed,
            "new_bad": len(self.new_bad),
            "known_bad": self.known_bad,
            "unchanged": self.unchanged,
            "vanished": self.vanished,
            "left": self.left,
            "unread": len(self.unread),
        }

    def list_counts(self) -> list[str]:
        """Return the counts in words; what is nought is left out, but how many were indexed."""
        counts = self.describe()
        first = f"{counts.pop('indexed')} indexed"
        return [first, *(f"{count} {_WORDS.get(name, name)}" for name, count in counts.items() if count)]

    def list_findings(self) -> list[str]:
        """Return what somebody should know of, a line each; what was known before is not said again."""
        lines = [*self.warnings, *self.troubles]
        if self.unread:
            lines.append(f"{len(self.unread)} not looked at: {_list_some(self.unread)}")
        if self.new_bad:
            read = self.indexed + len(self.new_bad)
            lines.append(f"{self.indexed} of {read} indexed, {len(self.new_bad)} new bad: {_list_some(self.new_bad)}")
        return lines


def _list_some(reasons: list[tuple[str, str]]) -> str:
    """Return the first of some paths with their reasons."""
    shown = [f"{clean(path)}: {clean(reason)}" for path, reason in reasons[:_NAMES_SHOWN]]
    more = [f"and {len(reasons) - len(shown)} more"] if len(reasons) > len(shown) else []
    return "; ".join(shown + more)
