"""A night of exposures as real FITS files, shaped like the calibrated images of WFC3 on the Hubble telescope.

Small images, but the units, keywords and comments of a ``*_flt.fits``: a primary unit without data, and for
each chip a science image; the infrared detector has one chip, the UVIS detector two.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.time import Time

EXPOSURES = 12
# The one that the archive itself holds only in part, as if its disk had been full.
TRUNCATED = 2

_SIDE = 64
_GAP = timedelta(minutes=15)
_SHORTEST_S, _LONGER_S = 277.94, 25.0
_PROPOSAL = 17301
_TARGETS = (("NGC-4258", 184.7401, 47.3037), ("M-83", 204.2538, -29.8657), ("NGC-1365", 53.4016, -36.1404))
_CONFIGURATIONS = (("IR", "F110W"), ("IR", "F160W"), ("UVIS", "F336W"), ("UVIS", "F814W"))


@dataclass(frozen=True, slots=True)
class Exposure:
    """What tells one exposure of the night from the others; times in UTC, coordinates ICRS degrees."""

    number: int
    rootname: str
    begun_at: datetime
    exptime_s: float
    detector: str
    filter: str
    target: str
    ra_deg: float
    dec_deg: float

    @property
    def file_name(self) -> str:
        """Name of the calibrated image in the archive."""
        return f"{self.rootname}_flt.fits"


def plan_exposures(begun_at: datetime) -> tuple[Exposure, ...]:
    """Return the exposures of a night that begins at `begun_at`, in order."""
    exposures = []
    for number in range(EXPOSURES):
        detector, element = _CONFIGURATIONS[number % len(_CONFIGURATIONS)]
        target, ra_deg, dec_deg = _TARGETS[number // len(_CONFIGURATIONS)]
        exposures.append(
            Exposure(
                number=number,
                rootname=f"if7q{number // 4 + 1:02d}{'dehk'[number % 4]}{'gjmq'[number % 4]}q",
                begun_at=begun_at + number * _GAP,
                exptime_s=_SHORTEST_S + _LONGER_S * number,
                detector=detector,
                filter=element,
                target=target,
                ra_deg=ra_deg,
                dec_deg=dec_deg,
            )
        )
    return tuple(exposures)


def write_exposure(exposure: Exposure, directory: Path) -> Path:
    """Write one exposure below `directory`, whole or, for number `TRUNCATED`, cut short in its data."""
    path = directory / exposure.file_name
    chips = 1 if exposure.detector == "IR" else 2
    units = [fits.PrimaryHDU(header=_make_primary(exposure, chips))]
    units += [_make_chip(exposure, version) for version in range(1, chips + 1)]
    fits.HDUList(units).writeto(path, checksum=True)
    if exposure.number == TRUNCATED:
        data = path.read_bytes()
        path.write_bytes(data[: len(data) * 3 // 4])
    return path


def _make_primary(exposure: Exposure, chips: int) -> fits.Header:
    begun = Time(exposure.begun_at)
    ended = Time(exposure.begun_at + timedelta(seconds=exposure.exptime_s))
    return fits.Header([
        ("NEXTEND", chips, "Number of standard extensions"),
        ("FILENAME", exposure.file_name, "name of file"),
        ("FILETYPE", "SCI", "type of data found in data file"),
        ("TELESCOP", "HST", "telescope used to acquire data"),
        ("INSTRUME", "WFC3", "identifier for instrument used to acquire data"),
        ("EQUINOX", 2000.0, "equinox of celestial coord. system"),
        ("ROOTNAME", exposure.rootname, "rootname of the observation set"),
        ("IMAGETYP", "EXT", "type of exposure identifier"),
        ("PRIMESI", "WFC3", "instrument designated as prime"),
        ("TARGNAME", exposure.target, "proposer's target name"),
        ("RA_TARG", exposure.ra_deg, "right ascension of the target (deg) (J2000)"),
        ("DEC_TARG", exposure.dec_deg, "declination of the target (deg) (J2000)"),
        ("PROPOSID", _PROPOSAL, "PEP proposal identifier"),
        ("LINENUM", f"01.{exposure.number + 1:03d}", "proposal logsheet line number"),
        ("PR_INV_L", "O'Hara", "last name of principal investigator"),
        ("SUNANGLE", 98.412537, "angle between sun and V1 axis"),
        ("FGSLOCK", "FINE", "commanded FGS lock (FINE,COARSE,GYROS,UNKNOWN)"),
        ("DATE-OBS", f"{exposure.begun_at:%Y-%m-%d}", "UT date of start of observation (yyyy-mm-dd)"),
        ("TIME-OBS", f"{exposure.begun_at:%H:%M:%S}", "UT time of start of observation (hh:mm:ss)"),
        ("EXPSTART", begun.mjd, "exposure start time (Modified Julian Date)"),
        ("EXPEND", ended.mjd, "exposure end time (Modified Julian Date)"),
        ("EXPTIME", exposure.exptime_s, "exposure duration (seconds)--calculated"),
        ("EXPFLAG", "NORMAL", "Exposure interruption indicator"),
        ("OBSTYPE", "IMAGING", "observation type - imaging or spectroscopic"),
        ("OBSMODE", "MULTIACCUM" if exposure.detector == "IR" else "ACCUM", "operating mode"),
        ("SUBARRAY", False, "data from a subarray (T) or full frame (F)"),
        ("DETECTOR", exposure.detector, "detector in use: UVIS or IR"),
        ("FILTER", exposure.filter, "element selected from filter wheel"),
        ("APERTURE", "IR-FIX" if exposure.detector == "IR" else "UVIS-CENTER", "aperture name"),
        ("FLATCORR", "COMPLETE", "Apply flat field correction"),
        ("DARKCORR", "COMPLETE", "Subtract dark image"),
    ])  # fmt: skip


def _make_chip(exposure: Exposure, version: int) -> fits.ImageHDU:
    """Return the science image of one chip: sky, noise and a few stars, the same at every call."""
    random = np.random.default_rng(100 * exposure.number + version)
    image = random.normal(1.2, 0.05, (_SIDE, _SIDE))
    rows, columns = np.mgrid[:_SIDE, :_SIDE]
    for row, column, peak in random.uniform((4, 4, 5), (_SIDE - 4, _SIDE - 4, 400), (15, 3)):
        image += peak * np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / (2 * 1.1**2))
    chip = fits.ImageHDU(image.astype(">f4"), name="SCI", ver=version)
    infrared = exposure.detector == "IR"
    scale_deg = (0.1283 if infrared else 0.0396) / 3600
    chip.header.extend([
        ("BUNIT", "ELECTRONS/S" if infrared else "ELECTRONS", "brightness units"),
        ("WCSAXES", 2, "number of World Coordinate System axes"),
        ("CRPIX1", _SIDE / 2, "x-coordinate of reference pixel"),
        ("CRPIX2", _SIDE / 2, "y-coordinate of reference pixel"),
        ("CRVAL1", exposure.ra_deg, "first axis value at reference pixel"),
        ("CRVAL2", exposure.dec_deg, "second axis value at reference pixel"),
        ("CTYPE1", "RA---TAN", "the coordinate type for the first axis"),
        ("CTYPE2", "DEC--TAN", "the coordinate type for the second axis"),
        ("CD1_1", -scale_deg, "partial of first axis coordinate w.r.t. x"),
        ("CD2_2", scale_deg, "partial of second axis coordinate w.r.t. y"),
        ("PHOTMODE", f"WFC3 {exposure.detector} {exposure.filter}", "observation con"),
        ("NGOODPIX", _SIDE * _SIDE, "number of good pixels"),
    ])  # fmt: skip
    return chip
