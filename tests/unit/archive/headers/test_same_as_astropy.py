"""What a reading says is what astropy says: units, names, cards and values of good files, and which files are damaged.

Good and damaged ones, those of astropy's own tests among them (ARCH-22, ARCH-27).
"""

from __future__ import annotations

import json
import math
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import astropy
import pytest
from astropy.io import fits
from fits_kinds import DIRECTORY
from fits_oddities import make_all

from runner.archive.headers.reader import HeaderReader, Reading
from runner.archive.settings import Column

_TYPES = {str: "text", bool: "bool", int: "int", float: "float"}
_COMMENTARY = frozenset({"", "COMMENT", "HISTORY", "END"})
_ESCAPE = re.compile(r"\\x[89a-f][0-9a-f]")
_ODDITIES = make_all()
_PACKAGE = Path(astropy.__file__).parent
_THEIRS = {str(path.relative_to(_PACKAGE)): path for path in sorted(_PACKAGE.rglob("*.fit*")) if path.is_file()}
_CUT = ("truncated", "Error validating header")
# Its four bytes of data are there, what fills up the block is not: all can be read.
_NOT_FILLED_UP = {"wcs/tests/data/header_with_time_wcslib71.fits"}
# Once opened, astropy gives its random groups an axis.
_CHANGED_BY_ASTROPY = {"io/fits/tests/data/invalid/group_invalid.fits"}


@dataclass(slots=True)
class Unit:
    """What astropy says of one unit."""

    name: str
    version: int
    dimensions: str
    cards: list[list[Any]]
    values: dict[str, Any]


@dataclass(slots=True)
class Witness:
    """What astropy says of a file."""

    units: list[Unit] = field(default_factory=list)
    is_damaged: bool = False


def ask_astropy(path: Path) -> Witness:
    """Return what astropy says of a file."""
    witness = Witness()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            with fits.open(path, memmap=False) as hdus:
                for hdu in hdus:
                    witness.units.append(_describe(hdu))
        except Exception:
            witness.is_damaged = True
    witness.is_damaged |= any(word in str(one.message) for one in caught for word in _CUT)
    return witness


def _describe(hdu: Any) -> Unit:
    header = hdu.header
    # Opening a file adds it to a primary header that has extensions after it.
    written = [card for card in header.cards if card.keyword != "EXTEND"]
    return Unit(
        hdu.name,
        hdu.ver,
        ",".join(str(header[f"NAXIS{axis}"]) for axis in range(1, header["NAXIS"] + 1)),
        [[card.keyword, _get(lambda: card.value), _get(lambda: card.comment) or ""] for card in written],  # noqa: B023
        {
            keyword: _get(lambda: header[keyword])  # noqa: B023
            for keyword in header
            if keyword not in _COMMENTARY and keyword != "EXTEND"
        },
    )


def _get(read: Callable[[], Any]) -> Any:
    try:
        value = read()
    except fits.VerifyError:
        return None
    return None if isinstance(value, fits.card.Undefined) else value


def _as_column(value: Any) -> Any:
    """Return what a column of its own type has for a value of astropy."""
    if type(value) is int and not -(2**63) <= value < 2**63:
        return None
    if type(value) is float and not math.isfinite(value):
        return None
    return _plain(value)


def _as_json(value: Any) -> Any:
    if isinstance(value, complex) or (isinstance(value, float) and not math.isfinite(value)):
        return str(value)
    return _plain(value)


def _plain(value: Any) -> Any:
    """Return text with escapes; for a byte that is not ASCII astropy has only a question mark."""
    if not isinstance(value, str):
        return value
    return _ESCAPE.sub("?", "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in value))


def _make_columns(witness: Witness) -> dict[str, Column]:
    """Return a column for each keyword and each type that it has."""
    wanted = {(k, _TYPES[type(v)]) for unit in witness.units for k, v in unit.values.items() if type(v) in _TYPES}
    return {f"c{n}": Column((keyword,), type, "", "each") for n, (keyword, type) in enumerate(sorted(wanted))}


def _check(path: Path) -> tuple[Witness, Reading]:
    """Assert that all that is read is what astropy says, when the file is met first and when it is known."""
    witness = ask_astropy(path)
    columns = _make_columns(witness)
    reader = HeaderReader(columns, keep_header=True)
    first, known = reader.read(str(path)), reader.read(str(path))
    assert (first.state, first.reason, repr(first.rows)) == (known.state, known.reason, repr(known.rows))
    for row, unit in zip(first.rows, witness.units, strict=False):
        _check_unit(row, unit, columns)
    return witness, first


def _check_unit(row: tuple[Any, ...], unit: Unit, columns: dict[str, Column]) -> None:
    number, name, version, _, dimensions, header, *values = row
    # A compressed image without a name, and what is no image, have one from astropy that no card says.
    assert name.strip().upper() == unit.name.upper() or unit.name in ("COMPRESSED_IMAGE", "")
    assert version == unit.version
    # Of a unit whose size its header does not say there are none.
    assert dimensions in (unit.dimensions, "")
    for column, value in zip(columns.values(), values, strict=True):
        theirs = unit.values.get(column.keywords[0])
        if theirs is None or _TYPES.get(type(theirs)) == column.type:
            assert repr(_plain(value)) == repr(_as_column(theirs)), (number, column.keywords)
    ours = [[_plain(part) for part in card] for card in json.loads(header) if card[0] != "EXTEND"]
    assert repr(ours) == repr([[_plain(k), _as_json(v), _plain(c)] for k, v, c in unit.cards])


def _check_units(witness: Witness, reading: Reading) -> None:
    if reading.state == "ok":
        assert [row[4] for row in reading.rows] == [unit.dimensions for unit in witness.units]


@pytest.mark.parametrize("name", sorted({*_THEIRS} - _CHANGED_BY_ASTROPY))
def test_astropys_own_files_say_what_astropy_says(name: str) -> None:
    witness, reading = _check(_THEIRS[name])
    _check_units(witness, reading)
    if name in _NOT_FILLED_UP:
        assert "not filled up" in str(reading.reason) or "SIMPLE is F" in str(reading.reason)
    else:
        assert reading.state == ("bad" if witness.is_damaged else "ok")


@pytest.mark.parametrize("path", sorted(DIRECTORY.iterdir()), ids=lambda path: path.name)
def test_files_of_each_kind_say_what_astropy_says(path: Path) -> None:
    witness, reading = _check(path)
    _check_units(witness, reading)
    assert (reading.state == "bad") == path.name.startswith("bad-")
    assert reading.state == "bad" or not witness.is_damaged or "not filled up" in str(reading.reason)


@pytest.mark.parametrize("name", sorted(_ODDITIES))
def test_odd_files_say_what_astropy_says(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(_ODDITIES[name])
    witness, reading = _check(path)
    _check_units(witness, reading)
    if witness.is_damaged:
        assert reading.state == "bad"


@pytest.mark.parametrize(
    ("name", "reason", "units"),
    [
        ("cut.fits.gz", "gzip stream is damaged after", 2),
        ("cut_header.fits", "HDU 1: no END card in its header, which is cut off after 2960 bytes", 1),
        ("cut_data.fits", "HDU 1: its data are cut off: 5760 of 7200 bytes are there", 2),
        ("no_end.fits", "HDU 0: no END card", 0),
        ("empty.fits", "it is empty", 0),
        ("zeros.fits", "not a FITS file", 0),
        ("junk_after.fits", "HDU 1: no header at byte 2880, but b'junk", 1),
        ("wrong_bitpix.fits", "HDU 0: BITPIX is 17", 1),
        ("wrong_naxis.fits", "HDU 0: NAXIS2 is missing", 1),
    ],
)
def test_a_damaged_file_is_bad_for_a_reason_in_one_line(tmp_path: Path, name: str, reason: str, units: int) -> None:
    path = tmp_path / name
    path.write_bytes(_ODDITIES[name])
    reading = HeaderReader({}, keep_header=False).read(str(path))
    assert (reading.state, len(reading.rows)) == ("bad", units)
    assert reason in str(reading.reason)
    assert str(reading.reason).isprintable()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("zeros_after.fits", "zeros follow the last HDU, from byte 2880 on"),
        ("not_ascii.fits", "HDU 0: bytes in its header are not ASCII"),
        ("simple_is_false.fits", "HDU 0: SIMPLE is F"),
        ("keywords.fits", None),
    ],
)
def test_an_odd_file_is_good_and_says_what_is_odd(tmp_path: Path, name: str, reason: str | None) -> None:
    path = tmp_path / name
    path.write_bytes(_ODDITIES[name])
    reading = HeaderReader({}, keep_header=False).read(str(path))
    assert (reading.state, reading.reason) == ("ok", reason)


def test_a_good_file_cut_anywhere_is_bad(tmp_path: Path) -> None:
    path = tmp_path / "cut.fits"
    whole = _ODDITIES["image_extensions.fits"]
    reader = HeaderReader({}, keep_header=False)
    for size in range(0, len(whole) - 2880, 720):
        path.write_bytes(whole[:size])
        reading = reader.read(str(path))
        # Between two units nothing shows that there were more.
        assert reading.state == "bad" or (size % 2880 == 0 and reading.rows) or "filled up" in str(reading.reason)
