#!/usr/bin/env python3
"""Download what is new for one instrument: ``download.py INSTRUMENT``.

The archive lists its files in ``$ARCHIVE_URL/INSTRUMENT/products.csv``, name and size of each. A file under its
final name in ``$DATA`` is whole, and is not fetched again; one that was cut is gone on with.

Exit code 1: some files failed, the others are here. 75: the archive does not answer, try later.
"""

import os
import sys
from pathlib import Path

from runner.archive.fetch.fetch import fetch_all
from runner.errors import RunnerError


def main(instrument):
    """Fetch what the archive has and we have not; return the exit code."""
    products = f"list:{os.environ['ARCHIVE_URL']}/{instrument}/products.csv"
    try:
        summary = fetch_all([products], Path(os.environ["DATA"]), home=Path(os.environ["RUNNER_HOME"]))
    except RunnerError as error:
        print(f"download.py: {error}", file=sys.stderr)
        return error.exit_code
    for result in summary.results:
        if result.result == "failed":
            print(f"download.py: {result.name or result.source}: {result.reason}", file=sys.stderr)
        elif result.result == "fetched":
            print(f"fetched {result.name}, {result.size_bytes} bytes")
    counts = ", ".join(f"{summary.counts[word]} {word}" for word in ("fetched", "present", "failed"))
    print(f"slot {os.environ['RUNNER_SLOT']}: {counts}")
    if summary.down:
        return 75
    return 1 if summary.counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
