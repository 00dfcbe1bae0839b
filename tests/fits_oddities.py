"""FITS files as observatories write them, with what went wrong, and with what nobody should have written."""

from __future__ import annotations

import gzip
import io
from typing import Any

import numpy as np
from astropy.io import fits
from fits_files import card, header, image, primary

_TEXT = "It's a long story of a filter wheel that stuck at -40 C, told by those who were there; "


def _as_bytes(*hdus: Any) -> bytes:
    buffer = io.BytesIO()
    fits.HDUList(list(hdus)).writeto(buffer)
    return buffer.getvalue()


def _make_pixels(dtype: str) -> Any:
    return (np.arange(20 * 12).reshape(20, 12) % 251).astype(dtype)


def make_image_extensions() -> bytes:
    """Return an exposure of HST: a primary header without data, and SCI, ERR and DQ twice."""
    head = fits.PrimaryHDU()
    head.header.update(
        {
            "TELESCOP": ("HST", "telescope used to acquire data"),
            "INSTRUME": ("WFC3", "identifier for instrument used to acquire data"),
            "DETECTOR": ("UVIS", "detector in use: UVIS or IR"),
            "FILTER": ("F606W", "element selected from filter wheel"),
            "TARGNAME": ("O'NEILL-1", "proposer's target name"),
            "RA_TARG": (150.116321, "right ascension of the target (deg) (J2000)"),
            "DEC_TARG": (2.2058, "declination of the target (deg) (J2000)"),
            "DATE-OBS": ("2026-03-08", "UT date of start of observation"),
            "TIME-OBS": ("07:00:01", "UT time of start of observation"),
            "EXPTIME": (348.5, "exposure duration (seconds)--calculated"),
            "SUBARRAY": (False, "data from a subarray (T) or full frame (F)"),
            "PROPOSID": (17001, "PEP proposal identifier"),
        }
    )
    extensions = []
    for version in (1, 2):
        for name, dtype in (("SCI", "float32"), ("ERR", "float32"), ("DQ", "int16")):
            one = fits.ImageHDU(_make_pixels(dtype), name=name, ver=version)
            one.header["BUNIT"] = "UNITLESS" if name == "DQ" else "ELECTRONS"
            extensions.append(one)
    return _as_bytes(head, *extensions)


def make_tiles() -> bytes:
    """Return an image compressed by tiles, as fpack writes it."""
    pixels = fits.CompImageHDU(_make_pixels("int16"), name="SCI", compression_type="RICE_1")
    pixels.header["EXPTIME"] = (30.0, "seconds")
    pixels.header["OBJECT"] = ("M 13", "in Hercules")
    pixels.header.add_history("compressed by tiles")
    return _as_bytes(fits.PrimaryHDU(), pixels)


def make_ascii_table() -> bytes:
    """Return a table of text."""
    columns = [
        fits.Column("NAME", "A8", array=np.array(["a", "bc", ""]), ascii=True),
        fits.Column("FLUX", "E15.7", unit="Jy", array=np.array([1.5, -2e-8, 0]), ascii=True),
    ]
    return _as_bytes(fits.PrimaryHDU(), fits.TableHDU.from_columns(columns, name="CATALOG"))


def make_binary_table() -> bytes:
    """Return a table with a column whose cells differ in length, so that it has a heap."""
    cells = np.array([np.arange(3), np.arange(0), np.arange(5)], dtype=object)
    columns = [
        fits.Column("ID", "J", array=np.arange(3)),
        fits.Column("SPECTRUM", "PJ()", array=cells),
        fits.Column("POINTS", "6E", dim="(3,2)", array=np.zeros((3, 2, 3))),
    ]
    return _as_bytes(fits.PrimaryHDU(), fits.BinTableHDU.from_columns(columns, name="spectra", ver=3))


def make_hierarch() -> bytes:
    """Return a header of ESO."""
    return primary(
        "HIERARCH ESO INS MODE = 'IMAGE   ' / Instrument mode",
        "HIERARCH ESO DET WIN1 UIT1 = 12.500000 / user defined integration time",
        "HIERARCH ESO TEL AIRM START= 1.104",
        "HIERARCH ESO OBS ID=200123456 / no blank before the =",
        "HIERARCH  ESO  DPR  CATG  = 'SCIENCE'",
        "HIERARCH eso lower case = T",
        "HIERARCH ESO NO VALUE AT ALL",
        "HIERARCH ESO UNDEFINED =",
        "HIERARCH ESO TWO = 'a = b' / and = again",
        card("EXPTIME", 12.5),
    )


def make_long_strings() -> bytes:
    """Return strings that go on in CONTINUE cards, by the convention of OGIP and as FITS 4.0 has it."""
    with_astropy = fits.Header([("LONGSTR", _TEXT * 3, "a comment that is long, and goes on too " * 2)])
    return primary(
        with_astropy.tostring(sep="", endcard=False, padding=False),
        "OGIP    = 'begins &'",
        "CONTINUE  ' goes on &'",
        "CONTINUE  'ends''s' / with a comment",
        "ALONE   = 'an ampersand at the end &'",
        card("EXPTIME", 1.0),
        "CONTINUE  'belongs to no text'",
        "LAST    = 'x&'",
        "CONTINUE  '&' / one",
        "CONTINUE  '' / two",
    )


def make_random_groups() -> bytes:
    """Return visibilities as radio astronomers wrote them."""
    parameters = [card(f"PTYPE{n}", name) for n, name in enumerate(("UU", "VV", "DATE", "DATE"), 1)]
    axes = [card("NAXIS", 5), *[card(f"NAXIS{n}", size) for n, size in enumerate((0, 4, 3, 1, 1), 1)]]
    groups = [card("GROUPS", True), card("PCOUNT", 4), card("GCOUNT", 2)]
    head = header(card("SIMPLE", True), card("BITPIX", -32), *axes, *groups, *parameters)
    return head + bytes(2880) + image(card("EXTNAME", "AFTER"))


def make_cut_header() -> bytes:
    """Return an image whose extension's header ends after one card of its second block."""
    return (
        primary(card("OBJECT", "M 42"))
        + header(card("XTENSION", "IMAGE"), *[card(f"KEY{i}", i) for i in range(60)], card("NAXIS", 0))[: 2880 + 80]
    )


def make_cut_data() -> bytes:
    """Return an image of which the last block is missing."""
    return primary(card("OBJECT", "M 42")) + image(card("EXTNAME", "SCI"), axes=(60, 60))[:-2880]


def make_not_ascii() -> bytes:
    """Return names and comments as people type them, in Latin-1 and in UTF-8."""
    return primary(
        "OBSERVER= 'Jos\xe9 \xc5ngstr\xf6m' / \xb5m".encode("latin-1"),
        "OBJECT  = '\u03b2 Pic'".encode(),
        b"EXPTIME =                 12.5 / 20 \xb0C",
        b"COMMENT caf\xe9",
        b"TEL\xc9    = 'odd'",
        b"NUL     = 'a\0b'",
        b"TAB     =\t3",
    )


def make_keywords() -> bytes:
    """Return keywords that are there twice, in small letters, illegal, or blank."""
    return primary(
        card("EXPTIME", 1.5, "the first"),
        card("EXPTIME", 99, "the second"),
        "filter  = 'r       '           / small letters",
        "FILTER  = 'g       '",
        "A.B     =                    4 / a dot",
        "A B     =                    5 / a blank within",
        " LEAD   =                    6 / a blank before",
        "OBS$ID  = 'x'",
        "NOVALUE = / undefined",
        "NOVALUE2=",
        "NOEQUAL   'text without ='",
        "NOBLANK ='tight'",
        "SHORT=7",
        "",
        "HISTORY one",
        "HISTORY two",
        "COMMENT = 'looks like a value'",
        "        = 'no keyword'",
        "DP1     = 'AXIS.1: 2'",
        "DP1     = 'NAXES: 3'",
        card("OBJECT", "after"),
    )


def make_numbers() -> bytes:
    """Return numbers in all spellings."""
    return primary(
        "DEXP    =             1.25D+03 / as Fortran writes",
        "DLOW    =              -4.5d-7",
        "DINT    =                 12D2",
        "HUGEINT = 123456789012345678901234567890",
        "MOSTINT =  9223372036854775807",
        "OVERINT =  9223372036854775808",
        "LEADZERO=                 0007",
        "PLUS    =                  +12",
        "POINT   =                  12.",
        "NOZERO  =                  -.5",
        "INFINITE=                1E999",
        "NAN     =                  NaN",
        "MINUS0  =                 -0.0",
        "FREE    =5/free format",
        "LATE    =                                                 -17.25",
        "COMPLEX = (1.5, -2.0)",
        "COMPLEXI= (1, 2) / of integers",
        "UNDER   =                1_000",
        "SPACED  =                  1 2",
        "LONG    = 3.14159265358979323846264338327950288",
        "TRUE    =                    T",
        "FALSE   =F",
        "LOWER   =                    t",
        "TEXT    = '12'",
        "HEX     =                 0x1F",
        "QUOTES  = 'it''s ''quoted'''   / and ''this'' too",
        "BLANKS  = '   led and trailed   '",
        "EMPTY   = ''",
        "BLANK   = '    '",
        "SLASH   = 'a/b' / c",
        "OPEN    = 'never closed",
        "AFTER   = 'closed' no slash",
    )


def make_all() -> dict[str, bytes]:
    """Return the contents of all files by name."""
    extensions, long_header = make_image_extensions(), header(card("SIMPLE", True), *[""] * 50, end=False)
    return {
        "image_extensions.fits": extensions,
        "image_extensions.fits.gz": gzip.compress(extensions, mtime=0),
        "cut.fits.gz": gzip.compress(extensions, mtime=0)[:1000],
        "tiles.fits.fz": make_tiles(),
        "ascii_table.fits": make_ascii_table(),
        "binary_table.fits": make_binary_table(),
        "hierarch.fits": make_hierarch(),
        "long_strings.fits": make_long_strings(),
        "random_groups.fits": make_random_groups(),
        "cut_header.fits": make_cut_header(),
        "cut_data.fits": make_cut_data(),
        "no_end.fits": long_header,
        "empty.fits": b"",
        "zeros.fits": bytes(2880),
        "zeros_after.fits": primary(card("OBJECT", "M 42")) + bytes(2880),
        "junk_after.fits": primary(card("OBJECT", "M 42")) + b"junk" * 720,
        "not_ascii.fits": make_not_ascii(),
        "keywords.fits": make_keywords(),
        "numbers.fits": make_numbers(),
        "wrong_bitpix.fits": header(card("SIMPLE", True), card("BITPIX", 17), card("NAXIS", 0)),
        "wrong_naxis.fits": header(card("SIMPLE", True), card("BITPIX", 8), card("NAXIS", 2), card("NAXIS1", 5)),
        "simple_is_false.fits": primary(card("OBJECT", "M 42")).replace(b" T /", b" F /", 1),
    }
