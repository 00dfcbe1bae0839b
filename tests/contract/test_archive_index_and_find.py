"""What ``runner index`` read of real files is what ``runner find`` finds, over every database (ARCH-20, ARCH-40)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.units import Unit
from homes import SITE, Home

from runner.archive.find.find import find

SETTINGS = """\
header: true
columns:
  calibrated: {keyword: CALIB, type: bool}
  instrument_mode: {keyword: HIERARCH ESO INS MODE}
"""


@pytest.fixture
def archive(home: Home, database_url: str, tmp_path: Path) -> Home:
    """A home whose index has two good files and one that is cut short."""
    home.write("envs/site.yaml", f'{SITE}database: "{database_url}"\n')
    home.write("envs/archive.yaml", SETTINGS)
    data = tmp_path / "data" / "night"
    data.mkdir(parents=True)
    _write(data / "ib1_raw.fits", ra=150.1, date="2024-01-31T23:59:59.5", exptime=100, calibrated=True)
    _write(data / "ib2_raw.fits", ra=150.3, date="2024-02-01", exptime=350.5, calibrated=False)
    (data / "torn_raw.fits").write_bytes((data / "ib1_raw.fits").read_bytes()[:2000])
    answer = home.runner("index", str(tmp_path / "data"))
    assert answer.code == 0, answer.err
    return home


def _write(path: Path, *, ra: float, date: str, exptime: float, calibrated: bool) -> None:
    primary = fits.PrimaryHDU()
    cards = {"INSTRUME": "WFC3", "RA_TARG": ra, "DEC_TARG": 2.2, "DATE-OBS": date, "EXPTIME": exptime}
    primary.header.update(cards | {"CALIB": calibrated, "GAIN": 1.5, "OBJECT": "M 31 'core'"})
    primary.header["HIERARCH ESO INS MODE"] = "imaging"
    primary.header["HIERARCH ESO TEL ALT"] = 45
    image = fits.ImageHDU(np.zeros((3, 4), np.float32), name="SCI")
    fits.HDUList([primary, image]).writeto(path)


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("", ["ib1", "ib2"]),
        ('INSTRUME = "WFC3" and EXPTIME > 100 and cone(150.1, 2.2, 0.3)', ["ib2"]),
        ('cone("10:00:24", "+02:12:00", "1 arcsec")', ["ib1"]),
        ("obs_at = 2024-01-31", ["ib1"]),
        ("obs_at >= 2024-02", ["ib2"]),
        ("calibrated = T and object like \"%'core'\"", ["ib1"]),
        ('instrument_mode = "imaging" and header."ESO TEL ALT" = 45 and header.exptime < 101', ["ib1"]),
        ('header."HIERARCH ESO TEL ALT" > 45 or header.CALIB = F', ["ib2"]),
        ('type = "IMAGE" and dimensions = "4,3" and exptime = 100', ["ib1"]),
        ('state = "bad"', ["torn"]),
    ],
)
def test_files_are_found_by_their_headers(archive: Home, expression: str, names: list[str]) -> None:
    answer = archive.runner("find", expression, "--json", "-c", "path")
    assert [one["path"] for one in answer.objects] == [f"night/{name}_raw.fits" for name in names], answer.err


def test_values_are_those_of_the_headers(archive: Home, tmp_path: Path) -> None:
    columns = ["file", "exptime", "calibrated", "obs_at", "ra", "header.GAIN", "hdu_count"]
    table = find(columns=columns, sort=["-exptime"], home=archive.path)
    assert [tuple(row) for row in table] == [
        (f"{tmp_path}/data/night/ib2_raw.fits", 350.5, False, "2024-02-01T00:00:00.000000Z", 150.3, 1.5, 2),
        (f"{tmp_path}/data/night/ib1_raw.fits", 100.0, True, "2024-01-31T23:59:59.500000Z", 150.1, 1.5, 2),
    ]
    assert (table["exptime"].unit, table["ra"].unit) == (Unit("s"), Unit("deg"))


def test_what_is_missing_is_there_after_the_next_index(archive: Home, tmp_path: Path) -> None:
    rule = ("--missing", "*_raw.fits: *_flt.fits")
    assert [one["missing"] for one in archive.runner("find", *rule, "--json").objects] == [
        ["ib1_flt.fits"],
        ["ib2_flt.fits"],
    ]
    for name in ("ib1", "ib2"):
        _write(tmp_path / "data" / f"{name}_flt.fits", ra=1, date="2024-01-01", exptime=1, calibrated=True)
    archive.runner("index")
    answer = archive.runner("find", *rule)
    assert (answer.code, answer.out) == (0, "0 of 2 exposures lack something\n")
