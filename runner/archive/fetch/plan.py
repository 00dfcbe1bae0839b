"""What a fetch would do, without doing it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from runner.archive.fetch.address import show_url
from runner.archive.fetch.look import Deed, choose_deed
from runner.archive.fetch.manifest import Manifest
from runner.archive.fetch.names import check_name
from runner.archive.fetch.options import Options
from runner.archive.fetch.place import Place, open_destination
from runner.archive.fetch.source import Refused, Remote
from runner.archive.fetch.sources.open import Opener
from runner.archive.settings import Archive
from runner.errors import clean


@dataclass(frozen=True, slots=True)
class Planned:
    """A file that a source has, and what would be done.

    Attributes
    ----------
    url, name, size_bytes
        As the source says it; the address without a password.
    deed
        What would be done.
    reason
        Why it would fail.
    """

    url: str
    name: str
    size_bytes: int | None
    deed: Deed
    reason: str = ""

    def describe(self) -> dict[str, object]:
        """Return its fields for JSON."""
        return {
            "url": self.url,
            "name": self.name,
            "size_bytes": self.size_bytes,
            "deed": self.deed.value,
            "reason": self.reason,
        }


def plan_fetch(
    sources: Sequence[str], destination: Path, options: Options, *, home: Path | None, archive: Archive
) -> Iterator[Planned]:
    """Yield what `fetch_all` would do with each file; nothing is changed, and nothing but lists is asked for.

    Raises
    ------
    UserError
        A source is none.
    Refused
        A source gives no list.
    """
    with Opener(archive, home) as opener, ExitStack() as stack:
        opened = [opener.open(text) for text in sources]
        here = _Here(destination, stack)
        for source in opened:
            for remote in options.choose(source.list()):
                yield here.plan(remote, options)


class _Here:
    """What is at the destination, which may not be there yet."""

    def __init__(self, destination: Path, stack: ExitStack) -> None:
        self._directory = -1
        self._manifest: Manifest | None = None
        with suppress(FileNotFoundError):
            self._directory = open_destination(destination, is_made=False)
            stack.callback(os.close, self._directory)
            self._manifest = Manifest(self._directory, is_kept=False)
            stack.callback(self._manifest.close)

    def plan(self, remote: Remote, options: Options) -> Planned:
        """Return what would be done with a file."""
        facts = (show_url(remote.url), clean(remote.name), remote.size_bytes)
        try:
            check_name(remote.name)
            if not self._manifest:
                return Planned(*facts, Deed.FETCH)
            failed = None if options.retry_failed else self._manifest.find_failed(remote.name)
            deed = choose_deed(remote, self._read_size(remote.name), self._manifest.find_whole(remote.name), failed)
        except Refused as refused:
            return Planned(*facts, Deed.LEAVE, refused.reason)
        return Planned(*facts, deed, failed.reason if failed and deed is Deed.LEAVE else "")

    def _read_size(self, name: str) -> int | None:
        try:
            with Place(self._directory, name, is_made=False) as place:
                return place.read_size()
        except FileNotFoundError:
            return None
