"""Cones on the sky: the words of one, and the band of declination and right ascension that holds it (ARCH-42)."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

_HOURS = re.compile(r"(\d{1,2})(?:\s*[h:]\s*|\s+)(\d{1,2})(?:\s*[m:]\s*|\s+)(\d{1,2}(?:\.\d*)?)\s*s?", re.ASCII)
_DEGREES = re.compile(
    r"([+-]?)(\d{1,2})(?:\s*[d:]\s*|\s+)(\d{1,2})(?:\s*[m:]\s*|\s+)(\d{1,2}(?:\.\d*)?)\s*s?", re.ASCII
)
_RADIUS = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*(deg|arcmin|arcsec)", re.ASCII)
_UNITS = {"deg": 1.0, "arcmin": 60.0, "arcsec": 3600.0}
# What the band is wider than the cone, so that no rounding leaves out what is on its edge.
_PAD_DEG = 1e-6


@dataclass(frozen=True, slots=True)
class Band:
    """What holds a cone, and a little more; degrees.

    Attributes
    ----------
    low_dec, high_dec
        The range of declination.
    ra_ranges
        Ranges of right ascension, two where the cone lies across 0; none where it goes all around.
    """

    low_dec: float
    high_dec: float
    ra_ranges: tuple[tuple[float, float], ...]


def plan_band(ra_deg: float, dec_deg: float, radius_deg: float) -> Band:
    """Return the band of a cone.

    Away from the poles a circle of radius r around declination d reaches as far in right ascension as
    asin(sin r / cos d), by the rule of sines in the triangle of pole, centre and tangent.
    """
    radius = radius_deg + _PAD_DEG
    low, high = dec_deg - radius, dec_deg + radius
    if low <= -90 or high >= 90:
        return Band(low, high, ())
    reach = math.degrees(math.asin(min(1.0, math.sin(math.radians(radius)) / math.cos(math.radians(dec_deg)))))
    west, east = ra_deg % 360 - reach - _PAD_DEG, ra_deg % 360 + reach + _PAD_DEG
    if west < 0:
        return Band(low, high, ((west + 360, 360.0), (0.0, east)))
    if east >= 360:
        return Band(low, high, ((west, 360.0), (0.0, east - 360)))
    return Band(low, high, ((west, east),))


def parse_ra(text: str) -> float:
    """Return the degrees of a right ascension, like ``10:00:24.5`` or ``10h00m24.5s``; ValueError for all else."""
    found = _HOURS.fullmatch(text.strip())
    if not found:
        raise ValueError("a right ascension is a number of degrees, or a text like 10:00:24.5")
    return 15 * _add(found[1], found[2], found[3], 24)


def parse_dec(text: str) -> float:
    """Return the degrees of a declination, like ``+02:12:20`` or ``2d12m20s``; ValueError for all else."""
    found = _DEGREES.fullmatch(text.strip())
    if not found:
        raise ValueError("a declination is a number of degrees, or a text like +02:12:20")
    degrees = _add(found[2], found[3], found[4], 90)
    return -degrees if found[1] == "-" else degrees


def parse_radius(text: str) -> float:
    """Return the degrees of a radius, like ``5 arcmin``; ValueError for all else."""
    found = _RADIUS.fullmatch(text.strip())
    if not found:
        raise ValueError("a radius is a number of degrees, or a text like 5 arcmin, 30 arcsec")
    return float(found[1]) / _UNITS[found[2]]


def _add(whole: str, minutes: str, seconds: str, most: int) -> float:
    value = int(whole) + int(minutes) / 60 + float(seconds) / 3600
    if int(minutes) > 59 or float(seconds) >= 60 or value > most:
        raise ValueError(f"{whole}:{minutes}:{seconds} is no position")
    return value
