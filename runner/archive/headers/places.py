"""Where it points, as ICRS degrees (FITS Standard 4.0, section 8.3; ARCH-21).

A number is degrees. Text is sexagesimal: right ascension in hours, unless it says degrees as ``150d06m41s`` does.

The frame is RADESYS, else EQUINOX says it: FK4 before 1984, FK5 after. An EQUINOX of 2000 without RADESYS is left as
it is: FK5 and ICRS differ by less than 0.03 arcsec there, and who leaves RADESYS out has seldom meant that.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from runner.archive.headers.values import Value, is_blank, show

_SEXAGESIMAL = re.compile(
    r"([+-]?) ?(\d{1,3})(?:[: ]| ?([hd]) ?)(\d\d?)(?:[: ]| ?m ?)(?:(\d\d?(?:\.\d*)?) ?s?)?", re.ASCII
)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_REFERENCE = re.compile(r"CRVAL([1-9]\d?)([A-Z]?)")
_FK5_FROM = 1984.0  # FITS Standard 4.0, section 8.3
_FRAMES = frozenset({"ICRS", "FK5", "FK4", "FK4-NO-E"})

Position = tuple[float | None, float | None]


@dataclass(frozen=True, slots=True)
class Pair:
    """A keyword of right ascension and the one of declination that belongs to it; an empty one is not configured."""

    ra: str
    dec: str

    @property
    def helpers(self) -> tuple[str, ...]:
        """The other keywords that say what their values mean."""
        found = tuple(_REFERENCE.fullmatch(keyword) for keyword in (self.ra, self.dec))
        axes = [f"{word}{match[1]}{match[2]}" for match in found if match for word in ("CTYPE", "CUNIT")]
        letter = next((match[2] for match in found if match), "")
        return (*axes, f"RADESYS{letter}", f"EQUINOX{letter}", *(("RADECSYS", "EPOCH") if not letter else ()))


def find_place(pairs: tuple[Pair, ...], header: Mapping[str, Value]) -> tuple[Position, list[str]]:
    """Return the ICRS position of the first pair that a header has with values, and what was wrong with others."""
    findings: list[str] = []
    for pair in pairs:
        pair_there = choose_pair(pair, header)
        if pair_there is None or all(is_blank(header.get(keyword)) for keyword in (pair_there.ra, pair_there.dec)):
            continue
        try:
            return _read_place(pair_there, pair.helpers, header), findings
        except ValueError as error:
            findings.append(str(error))
    return (None, None), findings


def choose_pair(pair: Pair, header: Mapping[str, Value]) -> Pair | None:
    """Return a pair of CRVAL in the order that CTYPE says, None if it is none of right ascension and declination."""
    axes = [_REFERENCE.fullmatch(keyword) for keyword in (pair.ra, pair.dec)]
    if not any(axes):
        return pair
    kinds = []
    for axis in axes:
        kind = header.get(f"CTYPE{axis[1]}{axis[2]}") if axis else None
        unit = header.get(f"CUNIT{axis[1]}{axis[2]}") if axis else None
        kinds.append(str(kind).partition("-")[0] if is_blank(unit) or unit in ("deg", "degree") else "")
    turns = {("RA", "DEC"): pair, ("DEC", "RA"): Pair(pair.dec, pair.ra)}
    return turns.get((kinds[0], kinds[1]))


def _read_place(pair: Pair, helpers: tuple[str, ...], header: Mapping[str, Value]) -> Position:
    ra = _degrees(pair.ra, header, hours=True)
    dec = _degrees(pair.dec, header, hours=False)
    if ra is not None and not -360 <= ra <= 360:
        raise ValueError(f"{pair.ra} is {show(header[pair.ra])}, no right ascension")
    if dec is not None and not -90 <= dec <= 90:
        raise ValueError(f"{pair.dec} is {show(header[pair.dec])}, no declination")
    if ra is not None and ra < 0:
        ra += 360.0
    frame = find_frame(helpers, header)
    if frame == ("ICRS", None):
        return ra, dec
    if ra is None or dec is None:
        raise ValueError(f"{pair.ra or pair.dec} is {frame[0]}, and half a position cannot be turned to ICRS")
    return to_icrs(ra, dec, *frame)


def _degrees(keyword: str, header: Mapping[str, Value], *, hours: bool) -> float | None:
    value = header.get(keyword) if keyword else None
    if value is None:
        if keyword:
            raise ValueError(f"{keyword} is missing")
        return None
    if isinstance(value, str):
        return parse_angle(keyword, value, hours=hours)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{keyword} is {show(value)}, no angle")
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"{keyword} is {show(value)}, no angle") from None


def parse_angle(keyword: str, text: str, *, hours: bool) -> float:
    """Return the degrees of an angle in text; ValueError if it is none.

    Parameters
    ----------
    hours
        What sexagesimal text is in that does not say so itself.
    """
    text = text.strip()
    if _NUMBER.fullmatch(text):
        return float(text)
    match = _SEXAGESIMAL.fullmatch(text)
    minutes, seconds = (float(match[4]), float(match[5] or 0)) if match else (60.0, 60.0)
    if not match or minutes >= 60 or seconds >= 60:
        raise ValueError(f"{keyword} is {show(text)}, no angle")
    degrees = float(match[2]) + minutes / 60 + seconds / 3600
    if match[3] == "h" or (hours and not match[3]):
        degrees *= 15
    return -degrees if match[1] == "-" else degrees


def find_frame(helpers: tuple[str, ...], header: Mapping[str, Value]) -> tuple[str, float | None]:
    """Return the frame of a header's positions and its equinox, which ICRS has not.

    Raises
    ------
    ValueError
        It is none that can be turned to ICRS, as apparent places cannot.
    """
    system = _first(header, [keyword for keyword in helpers if keyword.startswith("RADE")])
    equinox = _first(header, [keyword for keyword in helpers if keyword.startswith("E")])
    frame = "" if system is None else str(system).strip().upper()
    year = _year(equinox)
    if frame not in {*_FRAMES, ""}:
        raise ValueError(f"RADESYS is {show(system)}, no frame that leads to ICRS")
    if frame == "ICRS" or (not frame and year in (None, 2000.0)):
        return "ICRS", None
    if not frame:
        frame = "FK5" if year is not None and year >= _FK5_FROM else "FK4"
    return frame, year if year is not None else (2000.0 if frame == "FK5" else 1950.0)


def _first(header: Mapping[str, Value], keywords: list[str]) -> Value:
    return next((header[keyword] for keyword in keywords if not is_blank(header.get(keyword))), None)


def _year(equinox: Value) -> float | None:
    if equinox is None:
        return None
    try:
        # Older files write it as text, some as J2000.0.
        year = float(equinox.strip().lstrip("JjBb")) if isinstance(equinox, str) else float(equinox)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        year = math.nan
    if isinstance(equinox, bool) or not 1500 <= year <= 2500:
        raise ValueError(f"EQUINOX is {show(equinox)}, no year")
    return year


def to_icrs(ra_deg: float, dec_deg: float, frame: str, equinox: float | None) -> tuple[float, float]:
    """Return a position as ICRS degrees, as astropy turns it."""
    if frame == "ICRS" or equinox is None:
        return ra_deg, dec_deg
    if frame == "FK5":
        return _rotate(_find_rotation(equinox), ra_deg, dec_deg)
    return _ask_astropy(((ra_deg, dec_deg),), frame, equinox)[0]


@lru_cache(maxsize=64)
def _find_rotation(equinox: float) -> tuple[tuple[float, ...], ...]:
    """Return the matrix from FK5 to ICRS: to let astropy turn each position would cost a thousand times as much."""
    axes = _ask_astropy(((0.0, 0.0), (90.0, 0.0), (0.0, 90.0)), "FK5", equinox)
    return tuple(zip(*(_to_vector(*place) for place in axes), strict=True))


def _rotate(matrix: tuple[tuple[float, ...], ...], ra_deg: float, dec_deg: float) -> tuple[float, float]:
    vector = _to_vector(ra_deg, dec_deg)
    x, y, z = (sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix)
    return math.degrees(math.atan2(y, x)) % 360.0, math.degrees(math.atan2(z, math.hypot(x, y)))


def _to_vector(ra_deg: float, dec_deg: float) -> tuple[float, float, float]:
    ra, dec = math.radians(ra_deg), math.radians(dec_deg)
    return math.cos(dec) * math.cos(ra), math.cos(dec) * math.sin(ra), math.sin(dec)


def _ask_astropy(places: tuple[tuple[float, float], ...], frame: str, equinox: float) -> list[tuple[float, float]]:
    from astropy.coordinates import FK4, FK5, FK4NoETerms, SkyCoord
    from astropy.time import Time

    frames = {"FK5": FK5, "FK4": FK4, "FK4-NO-E": FK4NoETerms}
    epoch = Time(equinox, format="jyear" if frame == "FK5" else "byear")
    there = SkyCoord(
        [ra for ra, _ in places], [dec for _, dec in places], unit="deg", frame=frames[frame](equinox=epoch)
    ).icrs
    return list(zip(map(float, there.ra.deg), map(float, there.dec.deg), strict=True))
