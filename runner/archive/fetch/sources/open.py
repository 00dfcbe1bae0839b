"""The text of a source -> the source (ARCH-10)."""

from __future__ import annotations

from pathlib import Path

from runner.archive.fetch.address import show_url
from runner.archive.fetch.source import Source
from runner.archive.fetch.sources.connections import Connections
from runner.archive.fetch.sources.file import FileSource, find_path
from runner.archive.fetch.sources.http import HttpSource
from runner.archive.fetch.sources.listed import ListSource
from runner.archive.fetch.sources.schemes import FILE, LIST, QUERY, S3, WEB, find_scheme
from runner.archive.settings import Archive
from runner.errors import clean


class Opener:
    """Opens the sources of one call; to be closed, and all of them with it."""

    def __init__(self, archive: Archive, home: Path | None) -> None:
        self._archive = archive
        self._home = home
        self._connections = Connections(archive.fetch.timeout)
        self._opened: list[Source] = []

    def __enter__(self) -> Opener:
        return self

    def __exit__(self, *_: object) -> None:
        for source in self._opened:
            source.close()
        self._connections.close()

    def open(self, text: str) -> Source:
        """Return a source; UserError if the text is none."""
        source = self._open(find_scheme(text), text)
        self._opened.append(source)
        return source

    def _open(self, scheme: str, text: str) -> Source:
        if scheme in WEB:
            return HttpSource(text, self._connections)
        if scheme == LIST:
            return ListSource(self._find_list(text), self)
        # What these two need takes longer to import than most calls take.
        if scheme == S3:
            from runner.archive.fetch.sources.s3 import S3Source

            return S3Source(text, self._archive.s3, self._archive.fetch.timeout, self._connections)
        if scheme == QUERY:
            from runner.archive.fetch.sources.mast import MastSource

            return MastSource(text, self._archive.fetch.timeout, self._connections)
        return FileSource(find_path(text, self._home))

    def _find_list(self, text: str) -> Path | HttpSource:
        """Return where a list is: ``@FILE`` relative to where we are, as in curl, the path of ``list:`` to the home."""
        place = text[1:] if text.startswith("@") else text[len(f"{LIST}:") :]
        if find_scheme(place) in WEB:
            return HttpSource(place, self._connections)
        return find_path(place if text.startswith("@") else f"{FILE}:{place}", self._home)


def show_source(text: str) -> str:
    """Return the text of a source as it may be shown: without a password."""
    return clean(show_url(text) if "://" in text else text)
