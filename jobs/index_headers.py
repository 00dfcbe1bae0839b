#!/usr/bin/env python3
"""Index the FITS headers of the files in ``$DATA`` into SQLite: ``index_headers.py DATABASE``.

Files that have not changed are not read again, so it may run as often as it likes. A damaged file gets one
line on stderr, once, and a row that says why; the others are indexed.
"""

import os
import sqlite3
import sys
import warnings
from pathlib import Path

from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning

# Column -> keyword; the first header unit that has it gives the value.
KEYWORDS = {
    "rootname": "ROOTNAME", "instrument": "INSTRUME", "detector": "DETECTOR", "filter": "FILTER",
    "target": "TARGNAME", "ra_deg": "RA_TARG", "dec_deg": "DEC_TARG", "date_obs": "DATE-OBS",
    "time_obs": "TIME-OBS", "mjd_start": "EXPSTART", "exptime_s": "EXPTIME", "unit": "BUNIT",
}  # fmt: skip
TABLE = f"""
    CREATE TABLE IF NOT EXISTS files (
        path TEXT PRIMARY KEY, size_bytes INTEGER, mtime_ns INTEGER,
        state TEXT CHECK (state IN ('ok', 'bad')), reason TEXT, slot TEXT, {", ".join(KEYWORDS)}
    )"""


def main(database):
    """Index what is new or changed; return the exit code."""
    index = sqlite3.connect(database)
    index.execute(TABLE)
    known = {path: seen for path, *seen in index.execute("SELECT path, size_bytes, mtime_ns FROM files")}
    paths = sorted(Path(os.environ["DATA"]).glob("*.fits"))
    changed = [path for path in paths if known.get(str(path)) != look_at(path)]
    rows = [index_file(path) for path in changed]
    with index:  # one transaction: all of this run, or nothing of it
        places = ", ".join("?" * (6 + len(KEYWORDS)))
        index.executemany(f"INSERT OR REPLACE INTO files VALUES ({places})", rows)
    bad = sum(row[3] == "bad" for row in rows)
    print(f"slot {os.environ['RUNNER_SLOT']}: {len(rows) - bad} indexed, {bad} bad, {len(paths) - len(rows)} unchanged")


def look_at(path):
    """Return size and time of last change: while both stay, so does the row."""
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]


def index_file(path):
    """Return the row of a file."""
    seen = look_at(path)
    slot = os.environ["RUNNER_SLOT"]
    try:
        return (str(path), *seen, "ok", None, slot, *read_values(path))
    except (OSError, ValueError, AstropyWarning) as error:
        reason = " ".join(str(error).split())
        print(f"index_headers.py: {path.name}: {reason}", file=sys.stderr)
        return (str(path), *seen, "bad", reason, slot, *[None] * len(KEYWORDS))


def read_values(path):
    """Return the values of the keywords, None for those that the file lacks."""
    with warnings.catch_warnings():
        # To astropy a file that was cut short is only worth a warning.
        warnings.filterwarnings("error", "File may have been truncated|Error validating header")
        with fits.open(path, lazy_load_hdus=False) as units:
            headers = [unit.header for unit in units]
    return [find_value(headers, keyword) for keyword in KEYWORDS.values()]


def find_value(headers, keyword):
    """Return the value of the first header that has the keyword, None if there is none or it is undefined."""
    value = next((header[keyword] for header in headers if keyword in header), None)
    return None if isinstance(value, fits.card.Undefined) else value


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
