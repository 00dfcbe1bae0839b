"""``list:FILE``, ``list:https://...`` or ``@FILE``: files named one a line, or in a table with sizes and checksums."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urljoin

from runner.archive.fetch.source import Body, Refused, Remote, Source
from runner.archive.fetch.sources.file import FileSource
from runner.archive.fetch.sources.http import HttpSource
from runner.archive.fetch.sources.lines import Listed, parse_list
from runner.archive.fetch.sources.schemes import FILE, LIST, WEB, find_scheme
from runner.errors import UserError

if TYPE_CHECKING:
    from runner.archive.fetch.sources.open import Opener


class ListSource(Source):
    """The files of a list, from wherever each of them comes."""

    def __init__(self, place: Path | HttpSource, opener: Opener) -> None:
        self._place = place
        self._opener = opener
        self._source_of: dict[str, Source] = {}
        self.host = place.host if isinstance(place, HttpSource) else ""

    def list(self) -> Iterator[Remote]:
        """Yield the files of all lines; `Refused` names a line that is none, and then nothing of the list counts."""
        text, base = self._read()
        opened = []
        for listed in parse_list(text):
            try:
                opened.append((listed, self._open_line(listed, base)))
            except UserError as error:
                raise Refused(f"line {listed.line}: {error}", is_permanent=True) from None
        for listed, source in opened:
            for remote in source.list():
                described = _describe(remote, listed)
                self._source_of[described.url] = source
                yield described

    def open(self, remote: Remote, offset: int, version: str) -> Body:
        """Return the bytes of a file, from its own source."""
        return self._source_of[remote.url].open(remote, offset, version)

    def _read(self) -> tuple[str, str]:
        """Return the text of the list, and the address of a web's: what its lines are relative to."""
        if isinstance(self._place, HttpSource):
            return self._place.read_list()
        try:
            return self._place.read_text("utf-8", "surrogateescape"), ""
        except OSError as error:
            raise Refused(f"{error.strerror}: {self._place}", is_permanent=True) from None

    def _open_line(self, listed: Listed, base: str) -> Source:
        scheme = find_scheme(listed.address)
        if scheme == LIST:
            raise UserError("a list names no lists")
        if isinstance(self._place, Path):
            return self._opener.open(listed.address) if scheme else FileSource(self._place.parent / listed.address)
        if scheme in ("", *WEB):
            address = quote(listed.address) if listed.is_path else listed.address
            return self._place.at(urljoin(base, address))
        if scheme == FILE:  # a server has no say in which files of ours are copied
            raise UserError("a list of the web names no files of this machine")
        return self._opener.open(listed.address)


def _describe(remote: Remote, listed: Listed) -> Remote:
    """Return a file with what the list says of it."""
    return replace(
        remote,
        name=listed.name or remote.name,
        size_bytes=remote.size_bytes if listed.size_bytes is None else listed.size_bytes,
        checksum=listed.checksum or remote.checksum,
    )
