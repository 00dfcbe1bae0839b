"""The archive of the demo: real FITS files, served as they appear."""

from datetime import UTC, datetime
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from astropy.io import fits
from astropy.utils.exceptions import AstropyUserWarning

from runner.demo.archive import publish, serve
from runner.demo.exposures import EXPOSURES, TRUNCATED, plan_exposures, write_exposure

NIGHT = plan_exposures(datetime(2026, 11, 20, 4, tzinfo=UTC))


def test_a_night_has_a_dozen_exposures_with_names_of_their_own():
    assert len({exposure.file_name for exposure in NIGHT}) == EXPOSURES == 12


@pytest.mark.parametrize("exposure", [one for one in NIGHT if one.number != TRUNCATED], ids=lambda one: one.rootname)
def test_an_exposure_is_valid_fits(exposure, tmp_path):
    with fits.open(write_exposure(exposure, tmp_path), checksum=True) as units:
        units.verify("exception")
        assert units[0].header["NEXTEND"] == len(units) - 1
        assert units["SCI", 1].data.shape == (64, 64)


def test_an_infrared_exposure_has_one_chip_and_a_uvis_exposure_two(tmp_path):
    chips = {
        one.detector: len(fits.info(write_exposure(one, tmp_path), output=False)) - 1 for one in (NIGHT[0], NIGHT[3])
    }
    assert chips == {"IR": 1, "UVIS": 2}


def test_the_truncated_exposure_ends_within_its_data(tmp_path):
    path = write_exposure(NIGHT[TRUNCATED], tmp_path)
    with (
        pytest.warns(AstropyUserWarning, match="File may have been truncated"),
        fits.open(path, lazy_load_hdus=False) as units,
    ):
        assert len(units) == 3


def test_an_exposure_is_the_same_file_at_every_writing(tmp_path):
    (tmp_path / "again").mkdir()
    first = fits.getdata(write_exposure(NIGHT[0], tmp_path), 1)
    assert (first == fits.getdata(write_exposure(NIGHT[0], tmp_path / "again"), 1)).all()


def test_the_archive_lists_what_was_published_so_far(tmp_path):
    publish(tmp_path, NIGHT[:1])
    publish(tmp_path, NIGHT[1:2])
    listed = (tmp_path / "wfc3" / "products.csv").read_text().split()
    assert listed == ["name,size", "if7q01dgq_flt.fits,25920", "if7q01ejq_flt.fits,25920"]


def test_the_archive_is_served_on_loopback(tmp_path):
    publish(tmp_path, NIGHT[:1])
    with serve(tmp_path) as url, urlopen(f"{url}/wfc3/{NIGHT[0].file_name}") as answer:
        assert answer.read(9) == b"SIMPLE  ="


def test_an_empty_archive_answers_that_there_is_nothing(tmp_path):
    with serve(tmp_path / "absent") as url, pytest.raises(HTTPError, match="404") as caught:
        urlopen(f"{url}/wfc3/products.csv")
    caught.value.close()
