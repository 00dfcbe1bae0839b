"""The files of ``tests/data/fits``: one small file of each kind that an archive has; made once, by running this module.

Each name says what its file is; those that begin with ``bad-`` are damaged.
"""

from __future__ import annotations

import gzip
from io import BytesIO
from pathlib import Path

from fits_files import BLOCK, card, header, image, primary

DIRECTORY = Path(__file__).parent / "data" / "fits"
_OBSERVED = (
    card("TELESCOP", "UT1", "one of four"),
    card("INSTRUME", "FORS2"),
    card("OBJECT", "NGC 1068"),
    card("RA", 40.669879, "02:42:40.8"),
    card("DEC", -0.013289),
    card("DATE-OBS", "2026-03-08T07:00:00.4129"),
    card("EXPTIME", 120.5),
)


def make_plain() -> dict[str, bytes]:
    """Return the files that are made of cards as they stand here."""
    whole = primary(*_OBSERVED) + image(card("EXTNAME", "SCI"), axes=(8, 6), bitpix=-32)
    cut = header(card("SIMPLE", True), card("BITPIX", 16), card("NAXIS", 2), card("NAXIS1", 100), card("NAXIS2", 100))
    return {
        "multi-extension.fits": whole + image(card("EXTNAME", "DQ"), card("EXTVER", 2), axes=(8, 6)),
        "hierarch.fits": primary(
            *_OBSERVED,
            "HIERARCH ESO INS FILT1 NAME = 'R_SPECIAL' / name of the filter",
            "HIERARCH ESO DET DIT        = 1.5E+01 / seconds",
            "HIERARCH ESO TEL AIRM START=1.204",
            "HIERARCH ESO without a value",
            "HIERARCH EXPTIME = 7",
        ),
        "continue.fits": primary(
            *_OBSERVED,
            "LONGSTRN= 'OGIP 1.0'",
            "FILTER  = 'a name that goes on in the next card and then in one more, as OGIP &'",
            "CONTINUE  'has it &' / its comment",
            "CONTINUE  'to the end' / goes on too",
            "PROGRAM = 'no ampersand'",
            "CONTINUE  'so this is left alone'",
        ),
        "values.fits": primary(
            "FLOAT_D =             1.25D-03 / FORTRAN",
            "FLOAT_E =                1.E10",
            "FLOAT_IN=                1E999 / more than a double holds",
            "INTEGER =                 0042",
            "INT_BIG = 123456789012345678901234567890",
            "INT_NEG =                  -17",
            "PLUS    =                   +5",
            "SPACED  =                 - 5.0 E 3",
            "COMPLEX =           (1.5, -2.0)",
            "TRUE    =                    T",
            "FALSE   =                    F / no",
            "QUOTED  = 'O''Neill''s'",
            "QUOTES  = ''''''",
            "EMPTY   = ''",
            "BLANKS  = '   '",
            "LEADING = '  two before   '",
            "SLASH   = 'a/b' / a slash",
            "NULL    =                      / undefined",
            "NOTHING =",
            "NAN     =                  NaN / no quotes",
            "HALF    = 'no end",
            "DP1     = 'AXIS.1: 2' / a record-valued card",
            "FREE    = 5/no blank",
        ),
        "keywords.fits": primary(
            card("EXPTIME", 1.0, "the first counts"),
            card("EXPTIME", 2.0),
            "object  = 'lower case'",
            "A.B     =                    1 / illegal",
            "EQUALS= 5",
            "NOVALUE this card has none",
            "COMMENT a comment",
            "HISTORY = 'no value'",
            "",
            "        = 'nor this'",
        ),
        "after-end.fits": header(card("SIMPLE", True), card("BITPIX", 8), card("NAXIS", 0))[:320]
        + card("EXPTIME", 5.0, "after END").encode().ljust(BLOCK - 320),
        "not-ascii.fits": primary(
            card("OBSERVER", "Müller"), b"PLACE   = 'Cerro Paranal \xc2\xb0' / 70\xb0 W", card("OBJECT", "M 31")
        ),
        # FITS Standard 4.0, section 6.1: the data are BITPIX GCOUNT (PCOUNT + NAXIS2 NAXIS3) / 8 bytes.
        "random-groups.fits": header(
            card("SIMPLE", True),
            card("BITPIX", -32),
            card("NAXIS", 3),
            *(card(f"NAXIS{axis}", size) for axis, size in ((1, 0), (2, 1), (3, 400))),
            *(card("GROUPS", True), card("PCOUNT", 2), card("GCOUNT", 3), card("PTYPE1", "UU"), card("PTYPE2", "VV")),
        )
        + bytes(2 * BLOCK)
        + image(card("EXTNAME", "AFTER")),
        "dates.fits": primary(card("DATE-OBS", "19/05/94"), card("TIME-OBS", "15:41:16"), card("TIMESYS", "UTC")),
        "tai.fits": primary(card("DATE-OBS", "2017-01-01T00:00:36"), card("TIMESYS", "TAI")),
        "fk4.fits": primary(card("RA", "12 00 00.0"), card("DEC", "-45 30 00"), card("EQUINOX", 1950.0)),
        "fk5.fits": primary(card("RA", 10.5), card("DEC", 41.2), card("RADESYS", "FK5"), card("EQUINOX", 2000.0)),
        "spectrum.fits": primary(card("CTYPE1", "WAVE"), card("CRVAL1", 5500.0), card("CRVAL2", 1.0)),
        "turned.fits": primary(
            card("CTYPE1", "DEC--TAN"), card("CTYPE2", "RA---TAN"), card("CRVAL1", -30.5), card("CRVAL2", 201.25)
        ),
        "misfit.fits": primary(card("EXPTIME", "long"), card("EXPOSURE", 3.0), card("PROPOSID", 12345)),
        "zeros-after.fits": whole + bytes(2 * BLOCK),
        "not-simple.fits": whole.replace(b"SIMPLE  =                    T", b"SIMPLE  =                    F"),
        "padding-missing.fits": whole[:-2000],
        "bad-empty.fits": b"",
        "bad-text.fits": b"This is no FITS file.\n",
        "bad-header-cut.fits": cut[:1000],
        "bad-second-header-cut.fits": whole[: BLOCK + 700],
        "bad-no-end.fits": primary(*_OBSERVED, end=False),
        "bad-data-cut.fits": cut + bytes(5000),
        "bad-data-missing.fits": cut,
        "bad-bitpix.fits": cut.replace(b"BITPIX  =                   16", b"BITPIX  =                   17"),
        "bad-naxis.fits": cut.replace(b"NAXIS1  =                  100", b"NAXIS1  =                 -100")
        + bytes(BLOCK),
        "bad-naxis-missing.fits": cut.replace(b"NAXIS2  ", b"NAXISTWO") + bytes(BLOCK),
        "bad-junk-after.fits": whole + b"junk" * 1000,
    }


def make_by_astropy() -> dict[str, bytes]:
    """Return the files whose data astropy has to write."""
    import numpy as np
    from astropy.io import fits

    pixels = np.arange(30 * 20, dtype="i2").reshape(20, 30)
    observed = fits.Header.fromstring("".join(_OBSERVED))
    columns = [
        fits.Column(name="ID", format="J", array=np.arange(4)),
        fits.Column(name="TIMES", format="PE()", array=np.array([[1.0], [2.0, 3.0], [], [4.0]], dtype=object)),
    ]
    table = fits.BinTableHDU.from_columns(columns, name="EVENTS")
    ascii = fits.TableHDU.from_columns([fits.Column(name="NAME", format="A8", array=np.array(["a", "b"]))], name="LIST")
    packed = fits.CompImageHDU(pixels, observed, name="CHIP1", compression_type="RICE_1")
    packed.header["BUNIT"] = "adu"
    lists = {
        "tables.fits": [fits.PrimaryHDU(header=observed), table, ascii],
        "tile-compressed.fits.fz": [fits.PrimaryHDU(), packed],
        "image.fits": [fits.PrimaryHDU(pixels, observed)],
    }
    return {name: _write(hdus) for name, hdus in lists.items()}


def _write(hdus: list[object]) -> bytes:
    from astropy.io import fits

    stream = BytesIO()
    fits.HDUList(hdus).writeto(stream)
    return stream.getvalue()


def make_all() -> dict[str, bytes]:
    """Return every file by its name."""
    files = {**make_plain(), **make_by_astropy()}
    whole = files["multi-extension.fits"]
    files["whole.fits.gz"] = gzip.compress(whole, mtime=0)
    files["members.fits.gz"] = gzip.compress(whole[:BLOCK], mtime=0) + gzip.compress(whole[BLOCK:], mtime=0)
    files["bad-cut.fits.gz"] = files["whole.fits.gz"][:-40]
    files["packed-again.fits.gz"] = gzip.compress(files["tile-compressed.fits.fz"], mtime=0)
    return files


if __name__ == "__main__":
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    for name, data in make_all().items():
        (DIRECTORY / name).write_bytes(data)
