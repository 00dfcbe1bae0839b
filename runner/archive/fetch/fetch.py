"""Sources -> whole files below a directory: what ``runner fetch`` does, and what job scripts may call.

::

    from runner.archive.fetch.fetch import fetch_all

    summary = fetch_all(["list:https://archive.example.org/wfc3/products.csv"], Path("/data/wfc3"))
    for result in summary.results:
        print(result.name, result.result, result.reason)

A file under its final name is whole. What is here is not fetched again, what was begun is gone on with, and a second
call after one that was killed at any moment comes to what one undisturbed call comes to.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from runner.archive.fetch.call import Call
from runner.archive.fetch.errands import Listing
from runner.archive.fetch.options import Options
from runner.archive.fetch.place import open_destination
from runner.archive.fetch.results import Summary
from runner.archive.fetch.sources.open import Opener, show_source
from runner.archive.settings import Archive, read_archive
from runner.home.product import find_maker


def fetch_all(
    sources: Sequence[str],
    destination: Path,
    options: Options | None = None,
    *,
    home: Path | None = None,
    archive: Archive | None = None,
) -> Summary:
    """Fetch all files of `sources` that are not in `destination`; return what became of each.

    Inside of a run (``RUNNER_STATE`` and ``RUNNER_RUN_ID`` in the environment) each file is recorded as its product,
    and with it what became of each source.

    Parameters
    ----------
    sources
        As on the command line: ``https://...``, ``file:...``, ``list:...``, ``s3://...``, ``astroquery:...``.
    destination
        A directory; it is made if only it is missing.
    options
        What else is asked for.
    home
        What relative ``file:`` paths are relative to, and whose settings count; None: the current directory.
    archive
        The settings, if not those of `home`.

    Raises
    ------
    UserError
        A source is none; nothing was changed.
    """
    archive = archive or read_archive(home)
    maker = find_maker(os.environ)
    with Opener(archive, home) as opener:
        opened = [(show_source(text), opener.open(text)) for text in sources]
        directory = open_destination(destination, is_made=True)
        call = Call(destination.absolute(), directory, options or Options(), archive.fetch, maker)
        try:
            for text, source in opened:
                call.pool.add(source.host or text, Listing(call, text, source))
            call.pool.run()
            call.record_sources()
        finally:
            call.manifest.close()
            os.close(directory)
    return call.summary
