#!/usr/bin/env python3
"""Index the FITS headers of the files in ``$DATA`` into the database of this home; ``runner find`` asks it.

Files that have not changed are not read again, so it may run as often as it likes. New damaged files are one line
on stderr, once, and rows that say why; the others are indexed. Which keywords become columns: envs/archive.yaml.

Exit code 75: the database does not answer, or the disk seems not to be mounted: try later.
"""

import os
import sys
from pathlib import Path

from runner.archive.here import open_database
from runner.archive.index.index import Options, index_paths
from runner.archive.settings import read_archive
from runner.errors import RunnerError


def main():
    """Index what is new or changed; return the exit code."""
    home, data = Path(os.environ["RUNNER_HOME"]), Path(os.environ["DATA"])
    data.mkdir(parents=True, exist_ok=True)
    options = Options(run_id=os.environ["RUNNER_RUN_ID"])
    try:
        with open_database(home) as database:
            summary = index_paths(database, read_archive(home), [str(data)], options)
    except RunnerError as error:
        print(f"index.py: {error}", file=sys.stderr)
        return error.exit_code
    for line in summary.list_findings():
        print(f"index.py: {line}", file=sys.stderr)
    counts = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in summary.describe().items())
    print(f"slot {os.environ['RUNNER_SLOT']}: {counts}")
    return 75 if summary.troubles else 0


if __name__ == "__main__":
    sys.exit(main())
