"""An archive on loopback: what ``jobs/download.py`` asks, answered by files in a directory.

It grows like a real one: exposures appear as the night goes on, and ``products.csv`` lists what is there.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from runner.demo.exposures import Exposure, write_exposure

INSTRUMENT = "wfc3"
_PRODUCTS = "products.csv"


def publish(archive: Path, exposures: tuple[Exposure, ...]) -> None:
    """Put `exposures` beside those that the archive has already."""
    directory = archive / INSTRUMENT
    directory.mkdir(parents=True, exist_ok=True)
    for exposure in exposures:
        write_exposure(exposure, directory)
    with (directory / _PRODUCTS).open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("name", "size"))
        rows.writerows((path.name, path.stat().st_size) for path in sorted(directory.glob("*.fits")))


@contextmanager
def serve(archive: Path) -> Iterator[str]:
    """Serve a directory while the context lasts; yields the address without a trailing slash."""
    handler = partial(_QuietHandler, directory=str(archive))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class _QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing: the demo's stderr is for what went wrong."""
