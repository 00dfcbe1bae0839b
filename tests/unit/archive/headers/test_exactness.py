"""Every value that is indexed is the one that astropy gives for it (ARCH-22), whichever files were read before."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from random import Random

import astropy
import pytest
from fits_files import card, header, image, primary
from fits_kinds import DIRECTORY
from fits_truth import check_rows, is_same, make_columns, open_headers, read_cards, read_new, read_truth, show_plain
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.archive.headers.reader import HeaderReader
from runner.archive.settings import DEFAULT_COLUMNS, Column

_PACKAGE = Path(astropy.__file__).parent
# The same file may lie in two places of astropy.
FILES = sorted({path.name: path for pattern in ("*.fits", "*.fits.gz") for path in _PACKAGE.rglob(pattern)}.values())
FILES += sorted(path for path in DIRECTORY.iterdir() if path.is_file())
SMALL = [path for path in FILES if path.stat().st_size < 60_000 and not path.name.endswith(".gz")]
_DEFAULT = dict(DEFAULT_COLUMNS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_each_value_is_that_of_astropy(path: Path) -> None:
    truth = read_truth(path)
    columns = make_columns(truth)
    reader = HeaderReader(columns, keep_header=False)
    first, again = reader.read(str(path)), reader.read(str(path))
    if first.state == "ok":
        assert len(first.rows) == len(truth)
    check_rows(first, columns, truth)
    assert is_same(first, again)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_whole_header_has_the_cards_of_astropy(path: Path) -> None:
    reader = HeaderReader({}, keep_header=True)
    rows, again = reader.read(str(path)).rows, reader.read(str(path)).rows
    for row, cards in zip(rows, read_cards(path), strict=False):
        kept = [(keyword, value) for keyword, value, _ in json.loads(str(row[5]))]
        shown = [tuple(show_plain(said) if isinstance(said, str) else said for said in one) for one in kept]
        assert shown == cards
        assert [type(value) for _, value in shown] == [type(value) for _, value in cards]
    assert rows == again


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_name_version_and_dimensions_are_those_of_astropy(path: Path) -> None:
    for row, header_ in zip(read_new({}, path).rows, open_headers(path), strict=False):
        axes = [header_[f"NAXIS{n}"] for n in range(1, header_["NAXIS"] + 1)]
        assert row[4] in (",".join(map(str, axes)), "")
        assert row[1] in (header_.get("EXTNAME"), "PRIMARY", "")
        assert row[2] == header_.get("EXTVER", 1)


def test_a_file_like_one_before_is_read_without_astropy(tmp_path: Path) -> None:
    files = [tmp_path / f"{n}.fits" for n in range(3)]
    for number, file in enumerate(files):
        cards = (
            card("DATE-OBS", f"2026-03-0{number + 1}T07:00:00"),
            card("EXPTIME", number + 0.5),
            card("OBJECT", "M31"),
        )
        file.write_bytes(primary(*cards) + image(card("EXTNAME", "SCI"), axes=(4, 4 + number)))
    reader = HeaderReader(_DEFAULT, keep_header=False)
    calls = [_count_calls_of_astropy(reader, file) for file in files]
    assert calls[0] > 0
    assert calls[1:] == [0, 0]


def _count_calls_of_astropy(reader: HeaderReader, path: Path) -> int:
    calls = []
    sys.setprofile(lambda frame, event, _: calls.append(1) if "astropy" in frame.f_code.co_filename else None)
    try:
        reader.read(str(path))
    finally:
        sys.setprofile(None)
    return len(calls)


# ---- made files: what a reader has learnt from one must not show in the next

_KEYWORDS = (
    *("DATE-OBS", "TIME-OBS", "MJD-OBS", "EXPSTART", "TIMESYS", "RA_TARG", "DEC_TARG", "RA", "DEC", "RADESYS"),
    *("EQUINOX", "CRVAL1", "CRVAL2", "CTYPE1", "CTYPE2", "EXPTIME", "EXPOSURE", "FILTER", "FILTER1", "OBJECT"),
    *("EXTNAME", "EXTVER", "PROPOSID", "BUNIT", "OTHER", "OTHER2", "object", "EXP TIME", "A.B", "END-OF", "ENDING"),
)
_PRINTABLE = st.characters(min_codepoint=32, max_codepoint=126)
_TEXTS = st.sampled_from(
    (
        *("'2026-03-08T07:00:00.412907'", "'2026-03-08'", "'08/03/98'", "'07:00:00'", "'2026-02-30'", "'1999-12-31'"),
        *("'12:30:45.6'", "'-12 30 45'", "'150d06m41s'", "'FK5'", "'FK4'", "'ICRS'", "'TAI'", "'UTC'", "'LOCAL'"),
        *("'RA---TAN'", "'DEC--TAN'", "'it''s'", "'''", "''", "''''", "' '", "'a/b' / c", "'no end", "'ends & '"),
        *("'AXIS.1: 2'", "'A: b'", "'x'y' / z", "'' / it's 'so'", "'abc''/ x'", "T", "F", "T / yes", "TF", "NaN"),
        *("1", "-17", "+5", "0042", "1.", ".5", "1.5D3", "1.5d-3", "1E5", "1E999", "- 5", "5 . 0", "1_000", "0x10"),
        *("123456789012345678901234567890", "61107.29166", "(1, 2)", "1 2", "1/2", "", "/ comment", "&", "= 5"),
        *(
            "9223372036854775808",
            "infinity",
            "1e400",
            "1.5\t/ tab",
            "\t7",
            "'tab\tin'",
            "5\x00",
            "-0",
            "-0.0",
            "2000.0",
        ),
    )
)
_NUMBERS = st.one_of(
    st.integers(-(10**20), 10**20).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.floats(0, 360).map(lambda number: f"{number:20.10f}"),
)
_FIELDS = st.one_of(
    _TEXTS, _NUMBERS, st.text(_PRINTABLE, max_size=20), st.text(_PRINTABLE, max_size=30).map(lambda t: f"'{t}'")
)


@st.composite
def _cards(draw: st.DrawFn) -> str:
    keyword = draw(st.sampled_from(_KEYWORDS))
    field = draw(_FIELDS)
    match draw(st.integers(0, 13)):
        case 0:
            return f"{keyword:8}={field}"
        case 1:
            return f"{keyword:8} {field}"
        case 2:
            return draw(st.sampled_from(("COMMENT ", "HISTORY ", "        ", "CONTINUE", "HIERARCH"))) + f"  {field}"
        case 3:
            return f"HIERARCH ESO {keyword} = {field}"
        case 4:
            return f"HIERARCH {keyword}={field}"
        case 5:
            return f"{keyword}= {field}"
        case 6:
            return f"{keyword:8}= {field:>20} / [s] a comment: 'quoted'"
        case 7:
            return f"{keyword:8}= {field:>20} / \xe9"
        case _:
            return f"{keyword:8}= {field:>20} / a comment"


@st.composite
def _pairs(draw: st.DrawFn) -> tuple[list[str], list[str]]:
    """Return the cards of a header, and of one that is like it."""
    one = draw(st.lists(_cards(), min_size=1, max_size=8))
    other = list(one)
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(other) - 1))
        match draw(st.integers(0, 4)):
            case 0:
                other.insert(place, draw(_cards()))
            case 1:
                other.insert(place, other[draw(st.integers(0, len(other) - 1))])
            case 2 if len(other) > 1:
                del other[place]
            case _:
                # The same keyword with another value: what a template is for.
                other[place] = f"{other[place][:8]}= {draw(_FIELDS):>20} / changed"
    return one, other


_COLUMNS = {
    **_DEFAULT,
    **{
        f"each_{n}": Column((keyword,), ("text", "float", "int", "bool")[n % 4], "", "each")
        for n, keyword in enumerate((*_KEYWORDS, "HIERARCH ESO EXPTIME", "HIERARCH ESO DATE-OBS"))
    },
}


def _write(path: Path, cards: list[str], *, is_extension: bool) -> None:
    if is_extension:
        path.write_bytes(primary() + image(*cards, axes=(3,)))
    else:
        path.write_bytes(primary(*cards) + image(*cards[:2], axes=(3,)))


@settings(max_examples=250)
@given(pair=_pairs(), is_extension=st.booleans(), keep_header=st.booleans())
def test_what_was_learnt_from_one_header_is_not_seen_in_the_next(
    made: Path, pair: tuple[list[str], list[str]], is_extension: bool, keep_header: bool
) -> None:
    files = [made / "one.fits", made / "other.fits"]
    for file, cards in zip(files, pair, strict=True):
        _write(file, cards, is_extension=is_extension)
    reader = HeaderReader(_COLUMNS, keep_header=keep_header)
    new = {file: read_new(_COLUMNS, file, keep_header=keep_header) for file in files}
    for file in (*files, *files):
        assert is_same(reader.read(str(file)), new[file])


@settings(max_examples=250)
@given(cards=st.lists(_cards(), min_size=1, max_size=8))
def test_each_value_of_a_made_header_is_that_of_astropy(made: Path, cards: list[str]) -> None:
    file = made / "truth.fits"
    _write(file, cards, is_extension=False)
    truth = read_truth(file)
    columns = make_columns(truth)
    check_rows(read_new(columns, file), columns, truth)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("made")


@pytest.mark.parametrize("path", SMALL, ids=lambda path: path.name)
def test_a_damaged_copy_reads_the_same_after_the_whole_one_and_before(tmp_path: Path, path: Path) -> None:
    chance, data = Random(path.name), path.read_bytes()
    file = tmp_path / "copy.fits"
    for columns in (_DEFAULT, make_columns(read_truth(path)) | _DEFAULT):
        reader = HeaderReader(columns, keep_header=False)
        reader.read(str(path))
        for _ in range(6):
            copy = bytearray(data)
            for _ in range(chance.choice((1, 1, 2, 5)) if data else 0):
                copy[chance.randrange(len(copy))] = chance.choice((*b" '=/E0", chance.randrange(256)))
            file.write_bytes(copy)
            assert is_same(reader.read(str(file)), read_new(columns, file))


@pytest.mark.parametrize("name", ["tile-compressed.fits.fz", "double_ext.fits"])
def test_each_card_of_a_compressed_image_may_change(tmp_path: Path, name: str) -> None:
    path = next(path for path in FILES if path.name == name)
    data, file = path.read_bytes(), tmp_path / "copy.fits"
    start, reader = data.index(b"XTENSION"), HeaderReader(_DEFAULT, keep_header=False)
    reader.read(str(path))
    for at in range(start + 80, data.index(b"END".ljust(80), start), 80):
        for field in (b"= 3", b"= 'x'", b"= NaN", b"= -2", b"x"):
            file.write_bytes(data[: at + 8] + field.ljust(72) + data[at + 80 :])
            assert is_same(reader.read(str(file)), read_new(_DEFAULT, file))


@pytest.mark.parametrize("name", ["tile-compressed.fits.fz", "whole.fits.gz", "hierarch.fits", "tables.fits"])
def test_each_kind_of_file_is_read_without_astropy_when_its_like_is_known(name: str) -> None:
    reader = HeaderReader(_DEFAULT, keep_header=False)
    reader.read(str(DIRECTORY / name))
    assert _count_calls_of_astropy(reader, DIRECTORY / name) == 0


def test_bytes_that_are_not_ascii_are_shown_as_escapes(tmp_path: Path) -> None:
    file = tmp_path / "place.fits"
    file.write_bytes(header(card("SIMPLE", True), card("BITPIX", 8), card("NAXIS", 0), b"PLACE   = 'Cerro \xc2\xb0C'"))
    reading = read_new({"place": Column(("PLACE",), "text", "", "each")}, file)
    assert reading.rows[0][6] == r"Cerro \xc2\xb0C"
    assert reading.reason == "HDU 0: bytes in its header are not ASCII"
