"""CHECKSUM, DATASUM and lengths, as the FITS Standard and astropy have them (ARCH-24; FITS 4.0, appendix J)."""

from __future__ import annotations

import gzip
import hashlib
import io
import tracemalloc
import warnings
from pathlib import Path

import pytest
from archives import make_fits
from hypothesis import given
from hypothesis import strategies as st

from runner.archive.index.sums import Sums, add, measure_data, parse_values, read_sums, sum_words

with warnings.catch_warnings():
    import numpy as np
    from astropy.io import fits

ODD = Path(fits.__file__).parent / "tests" / "data"


def _sums(data: bytes) -> Sums:
    return read_sums(io.BytesIO(data))


def _write(*hdus: fits.hdu.base._BaseHDU) -> bytes:
    file = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(file, checksum=True)
    return file.getvalue()


def _kinds(sums: Sums) -> list[tuple[int, str]]:
    return [(flaw.hdu, flaw.kind) for flaw in sums.flaws]


@pytest.fixture(scope="module")
def whole() -> bytes:
    """A file with an image, a table with a heap, and a compressed image, each with both sums."""
    chance = np.random.default_rng(1)
    image = chance.normal(size=(37, 41)).astype("f4")
    strings = fits.Column("a", "PJ()", array=np.array([np.arange(3), np.arange(5)], dtype=object))
    return _write(fits.ImageHDU(image), fits.BinTableHDU.from_columns([strings]), fits.CompImageHDU(image))


def test_what_astropy_sums_holds(whole: bytes) -> None:
    sums = _sums(whole)
    assert (sums.flaws, sums.checked) == ((), 8)


@pytest.mark.parametrize("hdu", [1, 2, 3])
def test_a_bit_of_the_data_breaks_both_sums(whole: bytes, hdu: int) -> None:
    with fits.open(io.BytesIO(whole), disable_image_compression=True) as file:
        place = file[hdu].fileinfo()["datLoc"] + 5
    broken = bytearray(whole)
    broken[place] ^= 4

    assert _kinds(_sums(bytes(broken))) == [(hdu, "datasum"), (hdu, "checksum")]


def test_a_letter_of_a_header_breaks_its_checksum_alone(whole: bytes) -> None:
    assert _kinds(_sums(whole.replace(b"conforms to FITS", b"conforms to FITZ"))) == [(0, "checksum")]


def test_what_astropy_finds_wrong_is_what_we_find_wrong(whole: bytes) -> None:
    """Whichever byte is changed, of data and of comments."""
    places = np.random.default_rng(2).integers(0, len(whole), 40)
    for place in places:
        broken = bytearray(whole)
        broken[place] ^= 1
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            try:
                with fits.open(io.BytesIO(bytes(broken)), checksum=True, disable_image_compression=True) as file:
                    len(file)
            except (OSError, ValueError, TypeError, KeyError):
                continue  # it cannot be read at all: nothing to compare
        if any("verification failed" in str(one.message) for one in said):
            assert _sums(bytes(broken)).flaws, place


@pytest.mark.parametrize("name", ["checksum.fits", "checksum_false.fits", "tb.fits", "scale.fits"])
def test_files_of_astropy_itself_are_judged_as_it_does(name: str) -> None:
    if not (ODD / name).exists():
        pytest.skip(f"this astropy has no {name}")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        with fits.open(ODD / name, checksum=True, disable_image_compression=True) as file:
            len(file)
    is_wrong = any("verification failed" in str(one.message) for one in said)

    kinds = {flaw.kind for flaw in _sums((ODD / name).read_bytes()).flaws}
    assert bool(kinds & {"checksum", "datasum"}) == is_wrong


def test_a_compressed_file_is_summed_unpacked_and_its_digest_is_of_its_bytes(whole: bytes) -> None:
    packed = gzip.compress(whole)

    sums = _sums(packed)

    assert (sums.flaws, sums.checked) == ((), 8)
    assert sums.digest == f"sha256:{hashlib.sha256(packed).hexdigest()}"


@pytest.mark.parametrize("end", [-1, -2000, 12])
def test_a_compressed_file_that_is_cut_off_is_damaged_and_has_its_digest(whole: bytes, end: int) -> None:
    packed = gzip.compress(whole)[:end]

    sums = _sums(packed)

    assert [kind for _, kind in _kinds(sums)] == ["structure"]
    assert sums.digest == f"sha256:{hashlib.sha256(packed).hexdigest()}"


@pytest.mark.parametrize("flip", [10, 500, 3000])
def test_a_compressed_file_that_is_damaged_is_a_finding_and_no_crash(whole: bytes, flip: int) -> None:
    packed = bytearray(gzip.compress(whole))
    packed[flip] ^= 0x55
    assert _sums(bytes(packed)).flaws


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "it does not begin with SIMPLE"),
        (b"PK\3\4" * 1000, "it does not begin with SIMPLE"),
        (make_fits()[:2000], "the file ends within the header"),
        (make_fits(data=b"x" * 3000)[:-2880], "the file ends 2880 bytes before the data do"),
        (make_fits().replace(b"NAXIS   =", b"NAXES   ="), "size of the data: 'NAXIS'"),
        (
            make_fits(data=b"x").replace(b"                   1", b"                  -1"),
            "size of the data: NAXIS or one of the axes is negative",
        ),
    ],
)
def test_a_broken_structure_is_named(data: bytes, message: str) -> None:
    assert [(flaw.kind, flaw.message) for flaw in _sums(data).flaws] == [("structure", message)]


def test_special_records_after_the_last_hdu_are_no_flaw(whole: bytes) -> None:
    """FITS 4.0, section 3.5."""
    assert _sums(whole + b"special records".ljust(2880)).flaws == ()


def test_a_file_without_sums_has_none_to_check() -> None:
    assert (_sums(make_fits(data=b"abc")).checked, _sums(make_fits(data=b"abc")).flaws) == (0, ())


def test_a_sum_that_is_no_number_does_not_hold() -> None:
    assert _kinds(_sums(make_fits("DATASUM = 'nonsense'"))) == [(0, "datasum")]


def test_random_groups_are_measured_by_their_own_formula() -> None:
    """FITS 4.0, section 6: NAXIS1 is 0 and does not count."""
    values = {"BITPIX": "-32", "NAXIS": "3", "NAXIS1": "0", "NAXIS2": "3", "NAXIS3": "4", "GROUPS": "T", "PCOUNT": "6"}
    assert measure_data({**values, "GCOUNT": "10"}) == 4 * 10 * (6 + 12)
    assert measure_data({**values, "GROUPS": "F"}) == 4 * 6


def test_of_a_keyword_that_stands_twice_the_first_counts() -> None:
    header = make_fits("ODD     = 'it''s  '  / a comment", "ODD     = 2")
    assert parse_values(header)["ODD"] == "it's"


@given(words=st.lists(st.integers(0, 2**32 - 1), max_size=50), cut=st.integers(0, 50))
def test_the_sum_of_a_whole_is_that_of_its_parts(words: list[int], cut: int) -> None:
    one, other = (np.array(part, ">u4").tobytes() for part in (words[:cut], words[cut:]))
    whole = sum_words(one + other)
    assert add(sum_words(one), sum_words(other)) in (whole, whole ^ 0xFFFFFFFF)
    assert whole % 0xFFFFFFFF == sum(words) % 0xFFFFFFFF


def test_a_large_file_takes_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.fits"
    header = make_fits(data=b"x").replace(b"NAXIS1  =                    1", b"NAXIS1  =            200000000")
    with path.open("wb") as file:
        file.write(header[:2880])
        file.truncate(2880 + 200_000_000 + -200_000_000 % 2880)

    tracemalloc.start()
    with path.open("rb") as file:
        assert read_sums(file).flaws == ()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 16_000_000
