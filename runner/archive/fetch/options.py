"""What a caller of fetch may ask for, and watch."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from runner.archive.fetch.results import Result
from runner.archive.fetch.source import Remote
from runner.home.product import Product


class Watch:
    """Who wants to see how it goes on; called from several threads."""

    def expect(self, remote: Remote) -> None:
        """Hear of a file that a source has."""

    def move(self, count: int) -> None:
        """Hear that so many bytes have come."""

    def finish(self, result: Result) -> None:
        """Hear what became of a file, or of a source that gave no list."""


@dataclass(frozen=True, slots=True)
class Options:
    """What is asked for besides sources and destination.

    Attributes
    ----------
    verify
        Read what is here, and fetch anew what is not as it was recorded.
    retry_failed
        Ask again for what failed for good.
    choose
        Returns those files of a source that are to be fetched; called for each source, in a thread of its own.
    act
        What is done with the path of each file that has come, before it counts as fetched and perhaps twice; it
        returns the files that it has made of it, if any, and a `Refused` that it raises is the file's.
    watch
        Who wants to see how it goes on.
    """

    verify: bool = False
    retry_failed: bool = False
    choose: Callable[[Iterable[Remote]], Iterable[Remote]] = iter
    act: Callable[[Path], Iterable[Product] | None] = lambda _: None
    watch: Watch = field(default_factory=Watch)
