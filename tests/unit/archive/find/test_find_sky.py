"""The words of a cone and its band (ARCH-42); that a cone is exact is told in tests/contract/test_archive_find.py."""

from __future__ import annotations

import hypothesis
import pytest
from astropy.coordinates import Angle
from expressions import separate
from hypothesis import strategies as st

from runner.archive.find.sky import parse_dec, parse_ra, parse_radius, plan_band


@pytest.mark.parametrize(
    "text", ["10:00:24.5", " 10 00 24.5 ", "10h00m24.5s", "10 h 0 m 24.5", "0:0:0", "23:59:59.999"]
)
def test_a_right_ascension_in_hours_is_astropys(text: str) -> None:
    assert parse_ra(text) == pytest.approx(Angle(text.strip(), "hourangle").deg, abs=1e-12)


@pytest.mark.parametrize("text", ["+02:12:20", "-00:00:01", "-0 30 0", "2d12m20.25s", "90:00:00", "-89 59 59.9"])
def test_a_declination_is_astropys(text: str) -> None:
    assert parse_dec(text) == pytest.approx(Angle(text, "deg").deg, abs=1e-12)


@pytest.mark.parametrize(
    ("text", "deg"), [("5 arcmin", 5 / 60), ("30arcsec", 30 / 3600), (".5 deg", 0.5), ("2.deg", 2)]
)
def test_a_radius_has_a_unit(text: str, deg: float) -> None:
    assert parse_radius(text) == deg


@pytest.mark.parametrize(
    "text", ["", "10", "10:60:00", "10:00:60", "25:00:00", "-1:00:00", "24:00:01", "a:b:c", "1:2:3:4"]
)
def test_what_is_no_right_ascension_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"right ascension|no position"):
        parse_ra(text)


@pytest.mark.parametrize("text", ["", "91:00:00", "90:00:01", "10:61:00", "--1:0:0", "1h2m3s"])
def test_what_is_no_declination_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"declination|no position"):
        parse_dec(text)


@pytest.mark.parametrize("text", ["", "5", "5 m", "-1 deg", "1e3 arcsec", "5 arcmin 3 arcsec"])
def test_what_is_no_radius_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a radius is"):
        parse_radius(text)


ras, decs = st.floats(0, 360, exclude_max=True), st.floats(-90, 90)


@hypothesis.given(ra=ras, dec=decs, radius=st.one_of(st.floats(0, 180), st.floats(0, 1)), east=ras, north=decs)
def test_a_band_holds_its_cone(ra: float, dec: float, radius: float, east: float, north: float) -> None:
    band = plan_band(ra, dec, radius)
    is_in_band = band.low_dec <= north <= band.high_dec and (
        not band.ra_ranges or any(low <= east <= high for low, high in band.ra_ranges)
    )
    assert is_in_band or separate({"ra": east, "dec": north}, ra, dec) > radius


@pytest.mark.parametrize(
    ("cone", "ranges"),
    [((10, 0, 1), [(9, 11)]), ((0.5, 0, 1), [(359.5, 360), (0, 1.5)]), ((359.5, 0, 1), [(358.5, 360), (0, 0.5)]),
     ((10, 89.5, 1), []), ((10, -90, 0), []), ((10, 0, 90), []), ((360, 0, 1), [(359, 360), (0, 1)])],
)  # fmt: skip
def test_a_band_has_ranges_of_right_ascension_unless_it_goes_around_a_pole(
    cone: tuple[float, float, float], ranges: list[tuple[float, float]]
) -> None:
    found = plan_band(*cone).ra_ranges
    assert [pytest.approx(one, abs=1e-5) for one in ranges] == list(found)
