#!/usr/bin/env python3
"""Download what is new for one instrument: ``download.py INSTRUMENT``.

The archive lists its files in ``$ARCHIVE_URL/INSTRUMENT/products.csv``, name and size of each. A file under
its final name in ``$DATA`` is whole: it grows as ``NAME.part`` and is renamed when all of it is on the disk.

Exit code 1: some files failed, the others are here. 75: the archive gave no list, try later.
"""

import csv
import os
import sys
from pathlib import Path

import requests
from requests.adapters import HTTPAdapter, Retry

TIMEOUT_S = 60


def main(instrument):
    """Fetch what the archive has and we have not; return the exit code."""
    archive = f"{os.environ['ARCHIVE_URL']}/{instrument}"
    data = Path(os.environ["DATA"])
    data.mkdir(parents=True, exist_ok=True)
    session = connect()
    try:
        products = list_products(session, archive)
    except (requests.RequestException, KeyError, ValueError) as error:
        print(f"download.py: no list of products: {error}", file=sys.stderr)
        return 75
    missing = {name: size for name, size in products.items() if not is_present(data / name, size)}
    failed = 0
    for name, size in missing.items():
        try:
            fetch(session, f"{archive}/{name}", data / name, size)
        except (requests.RequestException, OSError) as error:
            failed += 1
            print(f"download.py: {name}: {error}", file=sys.stderr)
    print(
        f"slot {os.environ['RUNNER_SLOT']}: {len(missing) - failed} fetched, "
        f"{len(products) - len(missing)} present, {failed} failed"
    )
    return 1 if failed else 0


def connect():
    """Return a session that asks again, politely, when the archive is busy."""
    session = requests.Session()
    session.mount("http", HTTPAdapter(max_retries=Retry(3, backoff_factor=1, status_forcelist=(429, 502, 503, 504))))
    return session


def list_products(session, archive):
    """Return the size of each file in the archive; ValueError where a name would leave our directory."""
    answer = session.get(f"{archive}/products.csv", timeout=TIMEOUT_S)
    answer.raise_for_status()
    products = {row["name"]: int(row["size"]) for row in csv.DictReader(answer.text.splitlines())}
    for name in products:
        if "/" in name or name.startswith("."):
            raise ValueError(f"not a file name: {name!r}")
    return products


def is_present(path, size):
    """Whether the file is here, whole."""
    return path.is_file() and path.stat().st_size == size


def fetch(session, url, path, size):
    """Download one file; raises OSError where the archive sends more or less than it announced."""
    part = path.with_name(f"{path.name}.part")
    with session.get(url, stream=True, timeout=TIMEOUT_S) as answer:
        answer.raise_for_status()
        with part.open("wb") as file:
            for chunk in answer.iter_content(1 << 20):
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
    if part.stat().st_size != size:
        raise OSError(f"{part.stat().st_size} bytes came, {size} were announced")
    part.rename(path)
    print(f"fetched {path.name}, {size} bytes")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
