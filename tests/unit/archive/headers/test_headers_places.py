"""ARCH-21: positions in ICRS degrees, the same as `astropy.coordinates` has them (FITS Standard 4.0, section 8.3)."""

from __future__ import annotations

import pytest
from astropy.coordinates import FK4, FK5, Angle, SkyCoord
from astropy.time import Time
from hypothesis import given
from hypothesis import strategies as st

from runner.archive.headers.places import Pair, find_place, parse_angle, to_icrs
from runner.archive.headers.values import Value

_PAIRS = (Pair("RA_TARG", "DEC_TARG"), Pair("RA", "DEC"), Pair("CRVAL1", "CRVAL2"))
_WCS = {"CRVAL1": 150.1, "CRVAL2": 2.2, "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN"}


@pytest.mark.parametrize(
    ("header", "place"),
    [
        ({"RA": 150.1, "DEC": 2.2}, (150.1, 2.2)),
        ({"RA": 150, "DEC": -90}, (150.0, -90.0)),
        ({"RA": "10:00:24", "DEC": "+02 12 00"}, (150.1, 2.2)),
        ({"RA": "10h00m24.0s", "DEC": "-00d30m00s"}, (150.1, -0.5)),
        ({"RA": "150d06m00s", "DEC": "-00:30:00"}, (150.1, -0.5)),
        ({"RA": "150.1", "DEC": "2.2"}, (150.1, 2.2)),
        ({"RA": -10.0, "DEC": 0.0}, (350.0, 0.0)),
        ({"RA": 150.1, "DEC": 2.2, "EQUINOX": 2000.0}, (150.1, 2.2)),
        ({"RA": 150.1, "DEC": 2.2, "EQUINOX": 1950.0, "RADESYS": "ICRS"}, (150.1, 2.2)),
        (_WCS, (150.1, 2.2)),
        ({**_WCS, "CTYPE1": "DEC--TAN", "CTYPE2": "RA---TAN"}, (2.2, None)),
        ({**_WCS, "CRVAL1": -30.0, "CRVAL2": 201.0, "CTYPE1": "DEC--SIN", "CTYPE2": "RA---SIN"}, (201.0, -30.0)),
        ({**_WCS, "CTYPE1": "WAVE"}, (None, None)),
        ({**_WCS, "CUNIT1": "arcsec"}, (None, None)),
        ({"CRVAL1": 150.1, "CRVAL2": 2.2}, (None, None)),
        ({"RA_TARG": "", "DEC_TARG": "", **_WCS}, (150.1, 2.2)),
        ({"RA_TARG": 1.0, "DEC_TARG": 2.0, **_WCS}, (1.0, 2.0)),
        ({}, (None, None)),
    ],
)
def test_a_position_is_found(header: dict[str, Value], place: tuple[float | None, float | None]) -> None:
    found, findings = find_place(_PAIRS, header)
    if place[1] is None and place[0] is not None:
        assert findings == ["CRVAL1 is 150.1, no declination"]
    else:
        assert (found, findings) == (pytest.approx(place, abs=1e-12), [])


@pytest.mark.parametrize(
    ("header", "finding"),
    [
        ({"RA": 150.1}, "DEC is missing"),
        ({"RA": 150.1, "DEC": "unknown"}, "DEC is 'unknown', no angle"),
        ({"RA": 150.1, "DEC": 91.0}, "DEC is 91.0, no declination"),
        ({"RA": 400.0, "DEC": 1.0}, "RA is 400.0, no right ascension"),
        ({"RA": "10:60:00", "DEC": 1.0}, "RA is '10:60:00', no angle"),
        ({"RA": True, "DEC": 1.0}, "RA is T, no angle"),
        ({"RA": 1.0, "DEC": 1.0, "RADESYS": "GAPPT"}, "RADESYS is 'GAPPT', no frame that leads to ICRS"),
        ({"RA": 1.0, "DEC": 1.0, "EQUINOX": "never"}, "EQUINOX is 'never', no year"),
    ],
)
def test_what_is_no_position_is_a_finding(header: dict[str, Value], finding: str) -> None:
    assert find_place(_PAIRS, header) == ((None, None), [finding])


def test_both_numbers_are_of_one_pair() -> None:
    found, findings = find_place(_PAIRS, {"RA_TARG": 1.0, "RA": 150.1, "DEC": 2.2})
    assert (found, findings) == ((150.1, 2.2), ["DEC_TARG is missing"])


@pytest.mark.parametrize(
    ("said", "frame"),
    [
        ({"RADESYS": "FK5", "EQUINOX": 2000.0}, FK5(equinox="J2000")),
        ({"RADESYS": "FK5"}, FK5(equinox="J2000")),
        ({"EQUINOX": 1990.5}, FK5(equinox="J1990.5")),
        ({"EQUINOX": "J2015.0"}, FK5(equinox="J2015")),
        ({"EQUINOX": 1950.0}, FK4(equinox="B1950")),
        ({"EPOCH": 1950.0}, FK4(equinox="B1950")),
        ({"RADECSYS": "FK4", "EQUINOX": 1975.0}, FK4(equinox="B1975")),
    ],
)
def test_other_frames_are_turned_to_icrs(said: dict[str, Value], frame: FK4 | FK5) -> None:
    (ra, dec), _ = find_place(_PAIRS, {"RA": 201.3, "DEC": -47.5, **said})
    there = SkyCoord(201.3, -47.5, unit="deg", frame=frame).icrs
    assert (ra, dec) == pytest.approx((there.ra.deg, there.dec.deg), abs=1e-11)


@given(st.floats(0, 360), st.floats(-90, 90), st.sampled_from((1985.0, 2000.0, 2026.2)))
def test_fk5_of_any_place_is_turned_as_astropy_turns_it(ra: float, dec: float, equinox: float) -> None:
    there = SkyCoord(ra, dec, unit="deg", frame=FK5(equinox=Time(equinox, format="jyear"))).icrs
    ours = to_icrs(ra, dec, "FK5", equinox)
    assert SkyCoord(*ours, unit="deg").separation(there).arcsec < 1e-7


@given(
    st.integers(0, 23), st.integers(0, 59), st.floats(0, 59.99).map(lambda s: f"{s:.4f}"), st.sampled_from((":", " "))
)
def test_sexagesimal_text_is_the_angle_of_astropy(hours: int, minutes: int, seconds: str, separator: str) -> None:
    text = separator.join((str(hours), f"{minutes:02d}", seconds.zfill(7)))
    assert parse_angle("RA", text, hours=True) == pytest.approx(Angle(text, unit="hourangle").deg, abs=1e-12)
