"""Damaged FITS files, read as the index reads them."""

from __future__ import annotations

import gzip
from functools import lru_cache
from pathlib import Path
from random import Random

from fits_files import BLOCK
from fits_kinds import DIRECTORY
from fuzz_kind import Kind, make_directory, mutate, split_words

from runner.archive.headers.reader import HeaderReader, Reading
from runner.archive.settings import DEFAULT_COLUMNS

_SAMPLES = tuple(path.read_bytes()[: 4 * BLOCK] for path in sorted(DIRECTORY.glob("*.f*")) if path.suffix != ".gz")
_WORDS = (
    *split_words(
        "END¦END     ¦CONTINUE¦HIERARCH¦HIERARCH ESO ¦COMMENT ¦SIMPLE  =¦XTENSION= 'IMAGE   '¦XTENSION= 'BINTABLE'¦"
        "NAXIS   = ¦NAXIS1  =  99999999999999999999¦BITPIX  =  -64¦ZIMAGE  =                    T¦ZNAXIS  = 999¦"
        "GROUPS  =                    T¦DATE-OBS= '9999-12-31T23:59:60.9999999'¦TIMESYS = 'TDB'¦RADESYS = 'FK4'¦"
        "EQUINOX = 1e9¦= ¦=¦'¦''¦'&'¦/¦T¦F¦NaN¦1D5¦(1,2)¦'A.B: 1'¦MJD-OBS = 1e300¦EXTNAME = ¦EXTVER  = "
    ),
    b" " * 80,
    b"END".ljust(80),
    bytes(BLOCK),
    b" " * BLOCK,
)


class _Index:
    """A file that is written anew, and a reader that has learnt from all of them."""

    def __init__(self) -> None:
        self.file: Path = make_directory() / "file.fits"
        self.reader = HeaderReader(dict(DEFAULT_COLUMNS), keep_header=True)


@lru_cache
def _get_index() -> _Index:
    return _Index()


def _make(chance: Random) -> bytes:
    data = mutate(chance, _SAMPLES, _WORDS)
    if chance.random() < 0.1:
        return mutate(chance, (gzip.compress(data, 1, mtime=0),), _WORDS)
    return data


def _read(data: bytes) -> None:
    """Read it: a good file or a bad one, said in a line, and the same to a reader that knows no other file."""
    index = _get_index()
    index.file.write_bytes(data)
    known = index.reader.read(str(index.file))
    new = HeaderReader(dict(DEFAULT_COLUMNS), keep_header=True).read(str(index.file))
    assert _show(known) == _show(new)
    assert known.state == "ok" or known.reason
    assert str(known.reason).isprintable()


def _show(reading: Reading) -> str:
    return repr((reading.state, reading.reason, reading.rows))


KINDS = (Kind("fits", 5, _make, _read),)
