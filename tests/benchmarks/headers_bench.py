"""How fast headers are read: against the bytes alone, and against astropy (ARCH-23, PERF-9)."""

from __future__ import annotations

import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

from measure import Figure, median_of

from runner.archive.headers.reader import HeaderReader
from runner.archive.settings import DEFAULT_COLUMNS

sys.path.insert(0, str(Path(__file__).parents[1]))
from fits_files import BLOCK, write_many

_FILES = 20_000
_OF_ASTROPY = 500
_ROUNDS = 5


def run_benchmarks(directory: Path) -> Iterator[Figure]:
    """Yield what a file costs whose instrument was seen before, on a warm cache and in one process."""
    paths = [os.fsencode(path) for path in write_many(directory / "many", _FILES)]
    spans = _learn_spans(paths)
    limit_s = _time(lambda: _read_bytes(spans)) / _FILES
    ours_s = _time(lambda: _read_values(paths)) / _FILES
    theirs_s = _time(lambda: _ask_astropy(paths[:_OF_ASTROPY])) / _OF_ASTROPY
    seen = f"{1 / ours_s:,.0f} files/s; bytes alone {1 / limit_s:,.0f}, getheader {1 / theirs_s:,.0f}"
    yield Figure("headers: open and pread of them", ours_s / limit_s, 8, "x", seen)
    yield Figure("headers: getheader of the primary alone", theirs_s / ours_s, 20, "x slower", at_least=True)


def _time(action: Callable[[], None]) -> float:
    """Return the seconds of CPU, the median of some rounds after one that does not count."""

    def once() -> float:
        begun = time.process_time()
        action()
        return time.process_time() - begun

    action()
    return median_of(_ROUNDS, once)


def _learn_spans(paths: list[bytes]) -> list[tuple[bytes, list[tuple[int, int]]]]:
    """Return where the headers of each file are: offset and size."""
    reader = HeaderReader(dict(DEFAULT_COLUMNS), keep_header=False)
    found = []
    for path in paths:
        places, offset = [], 0
        for number, *_, bitpix in reader.read(path).rows:
            # 150 cards and 34, and 32 x 32 pixels.
            size = BLOCK if number else 5 * BLOCK
            places.append((offset, size))
            offset += size + -(-32 * 32 * abs(int(str(bitpix))) // 8 // BLOCK) * BLOCK if number else size
        found.append((path, places))
    return found


def _read_bytes(spans: list[tuple[bytes, list[tuple[int, int]]]]) -> None:
    for path, places in spans:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        for offset, size in places:
            os.pread(fd, size, offset)
        os.close(fd)


def _read_values(paths: list[bytes]) -> None:
    reader = HeaderReader(dict(DEFAULT_COLUMNS), keep_header=False)
    for path in paths:
        assert reader.read(path).rows


def _ask_astropy(paths: list[bytes]) -> None:
    from astropy.io import fits

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for path in paths:
            header = fits.getheader(os.fsdecode(path))
            for column in dict(DEFAULT_COLUMNS).values():
                next((header[keyword] for keyword in column.keywords if keyword in header), None)
