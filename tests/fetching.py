"""Fetches as the tests call them: the settings of a home without any, and little patience."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from runner.archive.fetch.fetch import fetch_all
from runner.archive.fetch.options import Options
from runner.archive.fetch.results import Result, Summary
from runner.archive.settings import Archive, read_archive

# The servers of the tests are on this machine, whatever stands between it and the world.
for _name in ("http_proxy", "https_proxy", "all_proxy"):
    os.environ.pop(_name, None)
    os.environ.pop(_name.upper(), None)

BODY = bytes(range(256)) * 1024


def make_archive(**fetch: object) -> Archive:
    """Return the default settings, with these of ``fetch:``; nobody waits long."""
    archive = read_archive(None)
    return replace(archive, fetch=replace(archive.fetch, **{"backoff": 0.01, "longest_wait": 0.05, **fetch}))


def fetch(sources: str | list[str], out: Path, options: Options | None = None, **settings: object) -> Summary:
    """Fetch a source, or several."""
    texts = [sources] if isinstance(sources, str) else sources
    return fetch_all(texts, out, options, archive=make_archive(**settings))


def fetch_one(source: str, out: Path, options: Options | None = None, **settings: object) -> Result:
    """Fetch a source that has one file; return what became of it."""
    (result,) = fetch(source, out, options, **settings).results
    return result


def list_files(directory: Path) -> dict[str, bytes]:
    """Return all files below a directory but the manifest."""
    files = (path for path in sorted(directory.rglob("*")) if path.is_file() and path.name != ".manifest.jsonl")
    return {str(path.relative_to(directory)): path.read_bytes() for path in files}
