"""Where it points: degrees of ICRS, whatever form, frame and order the header has (ARCH-21)."""

from __future__ import annotations

import pytest
from astropy.coordinates import SkyCoord

from runner.archive.headers.places import Pair, find_place
from runner.archive.headers.values import UNREADABLE, Value

_PAIRS = (Pair("RA_TARG", "DEC_TARG"), Pair("RA", "DEC"), Pair("CRVAL1", "CRVAL2"))
_ARCSEC = 1 / 3600


@pytest.mark.parametrize(
    ("ra", "dec", "place"),
    [
        (150.5, -2.25, (150.5, -2.25)),
        (150, -2, (150.0, -2.0)),
        (-10.0, 0.0, (350.0, 0.0)),
        ("150.5", "-2.25", (150.5, -2.25)),
        ("10:02:00", "-02:15:00", (150.5, -2.25)),
        ("10 02 00.00", "-02 15 00.0", (150.5, -2.25)),
        ("10h02m00s", "-02d15m00s", (150.5, -2.25)),
        ("150d30m00s", "-02d15m00s", (150.5, -2.25)),
        ("10h02m", "-02d15m", (150.5, -2.25)),
        ("00:00:00", "-00:30:00", (0.0, -0.5)),
        ("00:00:00", "+90:00:00", (0.0, 90.0)),
        (" 10:02:00 ", "-2:15:0", (150.5, -2.25)),
    ],
)
def test_numbers_are_degrees_and_sexagesimal_right_ascension_is_hours(
    ra: Value, dec: Value, place: tuple[float, float]
) -> None:
    found, findings = find_place(_PAIRS, {"RA": ra, "DEC": dec})
    assert found == pytest.approx(place, abs=1e-12)
    assert findings == []


@pytest.mark.parametrize("text", ["12:34:56.789", "23 59 59.999", "0:0:0.001", "05h35m17.3s"])
def test_sexagesimal_text_is_the_angle_of_astropy(text: str) -> None:
    theirs = SkyCoord(text, "-05:23:28.1", unit=("hourangle", "deg"))
    found, _ = find_place(_PAIRS, {"RA": text, "DEC": "-05:23:28.1"})
    assert found == pytest.approx((theirs.ra.deg, theirs.dec.deg), abs=1e-11)


@pytest.mark.parametrize(
    ("header", "frame"),
    [
        ({"RADESYS": "FK5", "EQUINOX": 2000.0}, {"frame": "fk5", "equinox": "J2000"}),
        ({"RADESYS": "FK5", "EQUINOX": 1975.0}, {"frame": "fk5", "equinox": "J1975"}),
        ({"RADESYS": "FK5"}, {"frame": "fk5", "equinox": "J2000"}),
        ({"EQUINOX": 2015.5}, {"frame": "fk5", "equinox": "J2015.5"}),
        ({"EQUINOX": "J2015.5"}, {"frame": "fk5", "equinox": "J2015.5"}),
        ({"RADECSYS": "FK4"}, {"frame": "fk4", "equinox": "B1950"}),
        ({"RADESYS": "FK4", "EQUINOX": 1950.0}, {"frame": "fk4", "equinox": "B1950"}),
        ({"EQUINOX": 1950}, {"frame": "fk4", "equinox": "B1950"}),
        ({"EPOCH": 1975.0}, {"frame": "fk4", "equinox": "B1975"}),
        ({"RADESYS": "FK4-NO-E"}, {"frame": "fk4noeterms", "equinox": "B1950"}),
        ({"RADESYS": "ICRS", "EQUINOX": 2000.0}, {"frame": "icrs"}),
        ({"RADESYS": "icrs"}, {"frame": "icrs"}),
        ({"EQUINOX": 2000.0}, {"frame": "icrs"}),
        ({}, {"frame": "icrs"}),
    ],
)
@pytest.mark.parametrize("place", [(150.1, 2.2), (0.0, -89.9), (359.99, 45.0)])
def test_a_position_of_an_older_frame_is_turned_as_astropy_turns_it(
    header: dict[str, Value], frame: dict[str, str], place: tuple[float, float]
) -> None:
    theirs = SkyCoord(*place, unit="deg", **frame).icrs
    found, findings = find_place(_PAIRS, {"RA": place[0], "DEC": place[1], **header})
    assert found[0] is not None
    assert found[1] is not None
    assert theirs.separation(SkyCoord(*found, unit="deg")).deg < 1e-5 * _ARCSEC
    assert findings == []


@pytest.mark.parametrize(
    ("header", "place"),
    [
        ({"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN"}, (150.5, 2.25)),
        ({"CTYPE1": "DEC--TAN", "CTYPE2": "RA---TAN"}, (2.25, 150.5)),
        ({"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CUNIT1": "deg", "CUNIT2": "deg"}, (150.5, 2.25)),
        ({"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CUNIT1": "arcsec", "CUNIT2": "arcsec"}, (None, None)),
        ({"CTYPE1": "GLON-CAR", "CTYPE2": "GLAT-CAR"}, (None, None)),
        ({"CTYPE1": "WAVE", "CTYPE2": "DEC--TAN"}, (None, None)),
        ({"CTYPE1": 7}, (None, None)),
        ({}, (None, None)),
    ],
)
def test_the_axes_of_an_image_are_a_position_if_their_types_say_so(
    header: dict[str, Value], place: tuple[float | None, float | None]
) -> None:
    turned = place == (2.25, 150.5)
    values = {"CRVAL1": 2.25, "CRVAL2": 150.5} if turned else {"CRVAL1": 150.5, "CRVAL2": 2.25}
    assert find_place(_PAIRS, {**values, **header}) == ((150.5, 2.25) if turned else place, [])


@pytest.mark.parametrize(
    ("header", "finding"),
    [
        ({"RA": "north", "DEC": 1.0}, "RA is 'north', no angle"),
        ({"RA": "10:61:00", "DEC": 1.0}, "RA is '10:61:00', no angle"),
        ({"RA": 361.0, "DEC": 1.0}, "RA is 361.0, no right ascension"),
        ({"RA": 1.0, "DEC": -90.5}, "DEC is -90.5, no declination"),
        ({"RA": 1.0, "DEC": "91:00:00"}, "DEC is '91:00:00', no declination"),
        ({"RA": True, "DEC": 1.0}, "RA is T, no angle"),
        ({"RA": UNREADABLE, "DEC": 1.0}, "RA is unreadable, no angle"),
        ({"RA": float("inf"), "DEC": 1.0}, "RA is inf, no right ascension"),
        ({"RA": 10**400, "DEC": 1.0}, "RA is 1000"),
        ({"RA": 1.0}, "DEC is missing"),
        ({"RA": 1.0, "DEC": 1.0, "RADESYS": "GAPPT"}, "RADESYS is 'GAPPT', no frame that leads to ICRS"),
        ({"RA": 1.0, "DEC": 1.0, "EQUINOX": "old"}, "EQUINOX is 'old', no year"),
        ({"RA": 1.0, "DEC": 1.0, "EQUINOX": True}, "EQUINOX is T, no year"),
        ({"RA": 1.0, "DEC": 1.0, "EQUINOX": 3.0}, "EQUINOX is 3.0, no year"),
    ],
)
def test_what_is_no_position_is_none_and_a_finding(header: dict[str, Value], finding: str) -> None:
    place, findings = find_place(_PAIRS, header)
    assert (place, len(findings)) == ((None, None), 1)
    assert findings[0].startswith(finding)


def test_a_pair_without_values_leaves_it_to_the_next() -> None:
    header: dict[str, Value] = {"RA_TARG": None, "DEC_TARG": "", "RA": 150.5, "DEC": 2.25}
    assert find_place(_PAIRS, header) == ((150.5, 2.25), [])


def test_a_pair_that_is_no_position_leaves_it_to_the_next() -> None:
    header: dict[str, Value] = {"RA_TARG": "?", "DEC_TARG": "?", "RA": 150.5, "DEC": 2.25}
    assert find_place(_PAIRS, header) == ((150.5, 2.25), ["RA_TARG is '?', no angle"])
