"""FITS files for tests and benchmarks: many at once, as observatories write them, and cards by hand."""

from __future__ import annotations

from pathlib import Path
from random import Random

BLOCK = 2880


def card(keyword: str, value: object = None, comment: str = "") -> str:
    """Return one card in the fixed format; text in quotes, a number to column 30, no value if it is None."""
    if value is None:
        return f"{keyword:8} {comment}"[:80].ljust(80)
    written = {True: "T", False: "F"}[value] if isinstance(value, bool) else str(value)
    field = f"'{written:8}'".ljust(20) if isinstance(value, str) else f"{written:>20}"
    return f"{keyword:8}= {field} / {comment}"[:80].ljust(80)


def header(*cards: str | bytes, end: bool = True) -> bytes:
    """Return cards as the blocks of a header; each card is filled up to 80 bytes."""
    raw = [one.encode("latin-1") if isinstance(one, str) else one for one in cards]
    text = b"".join(one.ljust(-(-len(one) // 80) * 80) for one in raw) + (b"END".ljust(80) if end else b"")
    return text.ljust(-(-len(text) // BLOCK) * BLOCK)


def primary(*cards: str | bytes, end: bool = True) -> bytes:
    """Return a primary header without data, with more cards."""
    return header(card("SIMPLE", True), card("BITPIX", 8), card("NAXIS", 0), *cards, end=end)


def image(*cards: str | bytes, axes: tuple[int, ...] = (), bitpix: int = 16, data: bool = True) -> bytes:
    """Return an image extension, its data zeros."""
    named = [card(f"NAXIS{number}", axis) for number, axis in enumerate(axes, 1)]
    first = [card("XTENSION", "IMAGE"), card("BITPIX", bitpix), card("NAXIS", len(axes)), *named]
    raw = header(*first, card("PCOUNT", 0), card("GCOUNT", 1), *cards)
    size = abs(bitpix) // 8 if axes else 0
    for axis in axes:
        size *= axis
    return raw + bytes(size + -size % BLOCK if data else 0)


# What differs from file to file is {named}; a kind has its own cards and its own order, as instruments do.
_HEAD = (
    card("SIMPLE", True, "conforms to FITS standard"),
    card("BITPIX", 16, "array data type"),
    card("NAXIS", 0, "number of array dimensions"),
    card("EXTEND", True, "there may be extensions"),
    "ORIGIN  = 'STScI-STSDAS/TABLES' / Tables version 2002-02-22",
    card("DATE", "2026-03-09", "date this file was written (yyyy-mm-dd)"),
    "NEXTEND = {extensions:20d} / number of standard extensions",
    "FILENAME= '{rootname}_raw.fits' / name of file",
    card("FILETYPE", "SCI", "type of data found in data file"),
    "",
    card("TELESCOP", "HST", "telescope used to acquire data"),
    "INSTRUME= '{instrument:8}' / identifier for instrument used to acquire data",
    card("EQUINOX", 2000.0, "equinox of celestial coord. system"),
)
_MIDDLE = (
    "",
    "              / DATA DESCRIPTION KEYWORDS",
    "",
    "ROOTNAME= '{rootname:9}'          / rootname of the observation set",
    "IMAGETYP= 'EXT               ' / type of exposure identifier",
    "PRIMESI = '{instrument:8}' / instrument designated as prime",
    "",
    "              / TARGET INFORMATION",
    "",
    "TARGNAME= '{target:8}                   ' / proposer's target name",
    "RA_TARG =   {ra:18.12f} / right ascension of the target (deg) (J2000)",
    "DEC_TARG=   {dec:18.12f} / declination of the target (deg) (J2000)",
    "",
    "              / PROPOSAL INFORMATION",
    "",
    "PROPOSID= {proposal:20d} / PEP proposal identifier",
    "LINENUM = '{line:<6}         ' / proposal logsheet line number",
    "PR_INV_L= 'O''Neill                      ' / last name of principal investigator",
    "",
    "              / EXPOSURE INFORMATION",
    "",
    "SUNANGLE=   {sun:18.6f} / angle between sun and V1 axis",
    "DATE-OBS= '{day}'         / UT date of start of observation (yyyy-mm-dd)",
    "TIME-OBS= '{time}'           / UT time of start of observation (hh:mm:ss)",
    "EXPSTART=   {start:18.8f} / exposure start time (Modified Julian Date)",
    "EXPEND  =   {stop:18.8f} / exposure end time (Modified Julian Date)",
    "EXPTIME =   {exposure:18.6f} / exposure duration (seconds)--calculated",
    "EXPFLAG = 'NORMAL       '      / Exposure interruption indicator",
    "QUALCOM1= '                                                                    '",
    "",
    "              / INSTRUMENT CONFIGURATION INFORMATION",
    "",
    "OBSTYPE = 'IMAGING       '     / observation type - imaging or spectroscopic",
    "DETECTOR= '{detector:8}' / detector in use",
    "FILTER  = '{filter:8}' / element selected from filter wheel",
    "SUBARRAY=                    F / data from a subarray (T) or full frame (F)",
)
_EXTENSION = (
    card("XTENSION", "IMAGE", "IMAGE extension"),
    "BITPIX  = {bitpix:20d} / number of bits per data pixel",
    card("NAXIS", 2, "number of data axes"),
    "NAXIS1  = {width:20d} / length of data axis 1",
    "NAXIS2  = {height:20d} / length of data axis 2",
    card("PCOUNT", 0, "required keyword; must = 0"),
    card("GCOUNT", 1, "required keyword; must = 1"),
    "EXTNAME = '{name:8}'           / extension name",
    "EXTVER  = {version:20d} / extension version number",
    "ROOTNAME= '{rootname:9}'          / rootname of the observation set",
    card("BUNIT", "COUNTS", "brightness units"),
    "",
    "              / World Coordinate System and Related Parameters",
    "",
    card("WCSAXES", 2, "number of World Coordinate System axes"),
    "CRPIX1  =                512.0 / x-coordinate of reference pixel",
    "CRPIX2  =                512.0 / y-coordinate of reference pixel",
    "CRVAL1  =   {ra:18.12f} / first axis value at reference pixel",
    "CRVAL2  =   {dec:18.12f} / second axis value at reference pixel",
    card("CTYPE1", "RA---TAN", "the coordinate type for the first axis"),
    card("CTYPE2", "DEC--TAN", "the coordinate type for the second axis"),
    "PA_APER =   {sun:18.6f} / Position Angle of reference aperture center (deg)",
)
_INSTRUMENTS = (("WFC3", "UVIS", "F606W"), ("ACS", "WFC", "F814W"), ("NICMOS", "NIC2", "F160W"))
_CARDS = 150


def _make_template(cards: tuple[str, ...], number: int, letter: str) -> str:
    """Return a header of `number` cards as text to be formatted: filled up with keywords that nobody asks for."""
    more = [card(f"{letter}KEY{i:04d}", round(i * 1.37, 3), "a parameter of the calibration") for i in range(number)]
    return "\n".join([*cards, *more[: number - len(cards)]])


def _fill(template: str, values: dict[str, object]) -> bytes:
    lines = template.format_map(values).split("\n")
    text = "".join([line[:80].ljust(80) for line in lines]) + "END".ljust(80)
    return text.ljust(-(-len(text) // BLOCK) * BLOCK).encode("ascii")


def write_many(directory: Path, number: int, seed: int = 1) -> list[Path]:
    """Write files of 150 primary cards and 0 to 3 extensions, a thousand to a directory; return their paths.

    They are of three instruments, each with its own keywords; their data are holes.
    """
    chance = Random(seed)
    heads = {
        name: _make_template((*_HEAD, *_MIDDLE), _CARDS, name[0]).replace("{instrument:8}", f"{name:8}")
        for name, _, _ in _INSTRUMENTS
    }
    extension = _make_template(_EXTENSION, 34, "E")
    paths = []
    for index in range(number):
        place = directory / f"{index // 1000:04d}"
        if index % 1000 == 0:
            place.mkdir(parents=True)
        values = _make_values(chance, index)
        path = place / f"{values['rootname']}_raw.fits"
        with path.open("wb") as file:
            file.write(_fill(heads[str(values["instrument"])], values))
            for which in range(int(str(values["extensions"]))):
                names = {"name": ("SCI", "ERR", "DQ")[which], "version": 1, "bitpix": (-32, -32, 16)[which]}
                file.write(_fill(extension, {**values, **names}))
                file.seek(-(-32 * 32 * abs(names["bitpix"]) // 8 // BLOCK) * BLOCK, 1)
            file.truncate()
        paths.append(path)
    return paths


def _make_values(chance: Random, index: int) -> dict[str, object]:
    instrument, detector, filter = _INSTRUMENTS[index // 100 % 3]
    start = 60000 + index * 0.013 + chance.random() * 0.01
    return {
        "instrument": instrument,
        "detector": detector,
        "filter": filter,
        "rootname": f"{instrument[0].lower()}{index:08d}",
        "extensions": chance.choice((0, 1, 2, 3)),
        "target": f"NGC{chance.randrange(7000):04d}",
        "ra": chance.uniform(0, 360),
        "dec": chance.uniform(-90, 90),
        "proposal": chance.randrange(10000, 18000),
        "line": f"{chance.randrange(99)}.{chance.randrange(999):03d}",
        "sun": chance.uniform(50, 180),
        "day": f"20{20 + index % 7:02d}-{1 + index % 12:02d}-{1 + index % 28:02d}",
        "time": f"{index % 24:02d}:{index % 60:02d}:{chance.randrange(60):02d}",
        "start": start,
        "stop": start + 0.004,
        "exposure": chance.choice((30.0, 348.5, 1203.25)),
        "width": 32,
        "height": 32,
    }
