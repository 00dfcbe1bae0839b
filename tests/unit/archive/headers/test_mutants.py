"""What a reader has learnt from one file is not seen in the next, which is like it and changed somewhere (ARCH-22)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from random import Random

import pytest
from fits_files import card, image, primary
from fits_mutants import mutate
from fits_oddities import make_all

from runner.archive.headers.reader import HeaderReader, Reading
from runner.archive.settings import DEFAULT_COLUMNS, Column

_OBSERVED = (
    *(card("TELESCOP", "HST"), card("INSTRUME", "WFC3"), card("OBJECT", "M 31"), card("FILTER", "F606W", "its filter")),
    *(card("RA_TARG", 150.116321), card("DEC_TARG", 2.2058), card("EQUINOX", 2000.0), card("RADESYS", "FK5")),
    *(card("DATE-OBS", "2026-03-08"), card("TIME-OBS", "07:00:01"), card("TIMESYS", "UTC"), card("EXPTIME", 348.5)),
    *("", card("EXPSTART", 61107.291), card("PROPOSID", 17001), "COMMENT a comment", card("OTHER", False)),
)
_EXTENSION = (card("EXTNAME", "SCI"), card("EXTVER", 1), card("BUNIT", "ELECTRONS"), card("CRVAL1", 150.1))
_ODDITIES = make_all()
_FILES = {
    "plain": primary(*_OBSERVED) + image(*_EXTENSION, axes=(8, 4)) + image(*_EXTENSION, axes=(8, 4)),
    **{name: _ODDITIES[name] for name in ("hierarch.fits", "long_strings.fits", "keywords.fits", "numbers.fits")},
    **{name: _ODDITIES[name] for name in ("random_groups.fits", "binary_table.fits", "tiles.fits.fz")},
}
# The others are of one header, or cost astropy most.
_HOW_MANY = {"plain": 200, "tiles.fits.fz": 50}
_KEYWORDS = (
    *("OBJECT", "EXTNAME", "NAXIS", "NAXIS1", "PCOUNT", "TFIELDS", "TFORM1", "LONGSTR", "OGIP", "A.B", "NOVALUE"),
    *("SHORT", "DEXP", "HUGEINT", "FREE", "QUOTES", "TRUE", "TEXT", "INFINITE", "OTHER", "GROUPS", "NOBLANK"),
    *("HIERARCH ESO INS MODE", "HIERARCH ESO OBS ID", "HIERARCH ESO DET WIN1 UIT1"),
)
_COLUMNS = {
    **dict(DEFAULT_COLUMNS),
    **{f"c{n}": Column((keyword,), "text", "", "each") for n, keyword in enumerate(_KEYWORDS)},
    **{f"n{n}": Column((keyword,), "float", "", "each") for n, keyword in enumerate(_KEYWORDS[:12])},
    "yes": Column(("OTHER", "TRUE"), "bool", "", "first"),
    "size": Column(("NAXIS1", "SHORT", "FREE"), "int", "", "first"),
}


def _say(reading: Reading) -> tuple[str, str | None, str]:
    """Return all that a reading says, as text: so 1, 1.0 and True differ."""
    return reading.state, reading.reason, repr(reading.rows)


def _read_new(path: Path, *, keep_header: bool) -> Reading:
    return HeaderReader(_COLUMNS, keep_header=keep_header).read(str(path))


@pytest.mark.parametrize("keep_header", [False, True])
@pytest.mark.parametrize("name", _FILES)
def test_a_changed_file_reads_as_it_does_to_who_has_seen_no_other(
    tmp_path: Path, name: str, *, keep_header: bool
) -> None:
    chance, path = Random(name), tmp_path / "file.fits"
    reader = HeaderReader(_COLUMNS, keep_header=keep_header)
    for number in range(_HOW_MANY.get(name, 190) // (2 if keep_header else 1)):
        # What it has learnt of the whole file is soon pushed out by what it has learnt of its copies.
        path.write_bytes(_FILES[name] if number % 10 == 0 else mutate(_FILES[name], chance))
        assert _say(reader.read(str(path))) == _say(_read_new(path, keep_header=keep_header)), number


_BEGINS, _ENDS = ("OGIP    = 'begins'", "OGIP    = 'begins&'"), "CONTINUE  ' and ends'"
_ALIKE: Mapping[str, tuple[str, str]] = {
    "no blank after the equal sign": ("FREE    = 12", "FREE    =12"),
    "no equal sign": ("FREE    = 12", "FREE      12"),
    "a long keyword that has no equal sign": ("HIERARCH ESO OBS ID", "HIERARCH ESO OBS ID = 5"),
    "a long keyword that goes on": ("HIERARCH ESO OBS = 5", "HIERARCH ESO OBS ID = 5"),
    "a long keyword with another blank": ("HIERARCH ESO OBS ID= 5", "HIERARCH ESO  OBS ID= 5"),
    "a quote that is doubled": ("QUOTES  = 'it'", "QUOTES  = 'it''s'"),
    "a quote that ends too early": ("QUOTES  = 'its'", "QUOTES  = 'it' s'"),
    "a record-valued card": ("TEXT    = 'AXIS 1: 2'", "TEXT    = 'AXIS.1: 2'"),
    "a truth value": ("TRUE    =                    1", "TRUE    =                    T"),
    "a number in text": ("TEXT    = '12'", "TEXT    = 12"),
    "an exponent of FORTRAN": ("DEXP    = 1.25E+03", "DEXP    = 1.25D+03"),
    "more than a double holds": ("DEXP    = 1E99", "DEXP    = 1E999"),
    "a sign apart": ("DEXP    = -5.0", "DEXP    = - 5.0"),
    "zeros that lead": ("DEXP    = 12.0", "DEXP    = 0012.0"),
    "digits with underscores": ("DEXP    =                 1000", "DEXP    =                1_000"),
    "blank text": ("OBJECT  = 'M 31'", "OBJECT  = '    '"),
    "no value": ("OBJECT  = 'M 31'", "OBJECT  =       "),
    "text that goes on": (f"{_BEGINS[0]:80}{_ENDS}", f"{_BEGINS[1]:80}{_ENDS}"),
    "a byte that is not ASCII": ("OBJECT  = 'Cafe'", "OBJECT  = 'Caf\xe9'"),
    "a control character": ("OBJECT  = 'Cafe'", "OBJECT  = 'Caf\t'"),
    "small letters": ("EXPTIME = 3.5", "exptime = 4.5"),
}


@pytest.mark.parametrize("what", _ALIKE)
def test_two_headers_that_differ_in_one_card_are_both_read_right(tmp_path: Path, what: str) -> None:
    path = tmp_path / "file.fits"
    reader = HeaderReader(_COLUMNS, keep_header=True)
    one, other = (primary(card("EXPTIME", 1.5), here) for here in _ALIKE[what])
    for contents in (one, other, one, other):
        path.write_bytes(contents)
        assert _say(reader.read(str(path))) == _say(_read_new(path, keep_header=True))
