"""What became of each file, and of a call as a whole (ARCH-11)."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Final

from runner.errors import clean

FETCHED: Final = "fetched"
PRESENT: Final = "present"
FAILED: Final = "failed"
_NAMES_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a file, or of a source that gave no list of them.

    Attributes
    ----------
    source
        Where it was asked for, as the caller wrote it, without a password.
    url
        Its address, without a password; that of the source if there is no list.
    name
        Below the destination; empty for a source that gave no list.
    result
        ``fetched``, ``present`` or ``failed``.
    size_bytes, sha256
        Of the whole file; none and empty if it failed.
    reason
        Why it failed: one line.
    is_permanent
        It is not asked for again, until ``--retry-failed`` or the source changes.
    is_down
        The host did not answer, or said that it is out of order.
    """

    source: str
    url: str
    name: str
    result: str
    size_bytes: int | None = None
    sha256: str = ""
    reason: str = ""
    is_permanent: bool = False
    is_down: bool = False

    def describe(self) -> dict[str, object]:
        """Return its fields for JSON."""
        return asdict(self)


@dataclass(slots=True)
class Summary:
    """What a call did.

    Attributes
    ----------
    results
        One a file, in the order in which they were done.
    warnings
        What could not be recorded.
    """

    results: list[Result] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def counts(self) -> Counter[str]:
        """How many files were fetched, were present, failed."""
        return Counter(result.result for result in self.results)

    def describe_sources(self) -> list[str]:
        """Return what became of each source, a line each, in the order of their names."""
        sources: dict[str, list[Result]] = {}
        for result in self.results:
            sources.setdefault(result.source, []).append(result)
        return [f"{clean(source)}: {_describe(sources[source])}" for source in sorted(sources)]

    @property
    def fetched_bytes(self) -> int:
        """The size of all files that were fetched."""
        return sum(result.size_bytes or 0 for result in self.results if result.result == FETCHED)

    @property
    def down(self) -> list[str]:
        """The sources from which nothing could be had, since they do not answer."""
        silent = {result.source for result in self.results if result.is_down}
        return sorted(silent - {result.source for result in self.results if result.result != FAILED})


def _describe(results: list[Result]) -> str:
    """Return how many files of one source were fetched, were present and failed, and why the first of those did."""
    counts = Counter(result.result for result in results)
    failed = sorted((result.name, result.reason, result.is_permanent) for result in results if result.result == FAILED)
    reasons = [
        ": ".join(filter(None, (clean(name), reason))) + (", for good" if is_permanent else "")
        for name, reason, is_permanent in failed[:_NAMES_SHOWN]
    ]
    if len(failed) > _NAMES_SHOWN:
        reasons.append(f"and {len(failed) - _NAMES_SHOWN} more")
    said = ", ".join(f"{counts[word]} {word}" for word in (FETCHED, PRESENT, FAILED))
    return f"{said}: {'; '.join(reasons)}" if reasons else said
