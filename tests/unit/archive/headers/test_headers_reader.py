"""ARCH-20, ARCH-26, ARCH-27: rows of a file, and what is said of a file that is damaged."""

from __future__ import annotations

import gzip
import json
import os
import resource
import socket
from pathlib import Path

import pytest
from fits_files import BLOCK, card, header, image, primary, write_many
from fits_kinds import DIRECTORY
from fits_truth import read_new

from runner.archive.headers.contents import Gzip
from runner.archive.headers.reader import HeaderReader, Reading
from runner.archive.settings import DEFAULT_COLUMNS, Column

_DEFAULT = dict(DEFAULT_COLUMNS)


def _column(*keywords: str, type: str = "text", hdu: str = "each") -> Column:
    return Column(keywords, type, "", hdu)


def _read(path: Path | str, columns: dict[str, Column] | None = None, *, keep_header: bool = False) -> Reading:
    """Return a reading, the same for the first file of its kind and for the next."""
    reader = HeaderReader(_DEFAULT if columns is None else columns, keep_header=keep_header)
    first, second = reader.read(str(path)), reader.read(str(path))
    assert (first.state, first.reason, first.rows) == (second.state, second.reason, second.rows)
    return first


def _values(path: Path | str, columns: dict[str, Column]) -> list[tuple[object, ...]]:
    return [row[6:] for row in _read(path, columns).rows]


def _get_default(reading: Reading, name: str) -> object:
    return reading.rows[0][6 + list(_DEFAULT).index(name)]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "file.fits"


# ---- which header a value is from


def test_a_column_of_each_header_has_a_value_in_every_row(file: Path) -> None:
    file.write_bytes(primary(card("A", 1)) + image(card("A", 2)) + image())
    assert _values(file, {"a": _column("A", type="int")}) == [(1,), (2,), (None,)]


def test_a_column_of_the_primary_has_no_value_of_an_extension(file: Path) -> None:
    file.write_bytes(primary() + image(card("A", 2)))
    assert _values(file, {"a": _column("A", type="int", hdu="primary")}) == [(None,), (None,)]


def test_the_first_header_that_has_a_value_gives_it_to_the_row_of_the_primary(file: Path) -> None:
    columns = {"a": _column("A", type="int", hdu="first"), "b": _column("B", "C", type="int", hdu="first")}
    file.write_bytes(primary() + image(card("A", 2)) + image(card("A", 3), card("C", 4), card("B", 5)))
    assert _values(file, columns) == [(2, 5), (None, None), (None, None)]


def test_the_first_keyword_that_has_a_value_counts(file: Path) -> None:
    file.write_bytes(primary("A       =", card("B", 2), card("C", 3)))
    assert _values(file, {"a": _column("A", "B", "C", type="int")}) == [(2,)]


def test_a_value_that_does_not_fit_is_a_finding_and_leaves_it_to_the_next(file: Path) -> None:
    file.write_bytes(primary(card("EXPTIME", "long"), card("EXPOSURE", 3)))
    reading = _read(file)
    assert (reading.state, reading.reason) == ("ok", "HDU 0: EXPTIME is 'long', no float")
    assert _get_default(reading, "exptime") == 3.0


def test_an_integer_beyond_64_bits_is_a_finding_and_whole_in_the_header(file: Path) -> None:
    file.write_bytes(primary("BIG     = 123456789012345678901234567890"))
    reading = _read(file, {"big": _column("BIG", type="int")}, keep_header=True)
    assert reading.rows[0][6] is None
    assert "BIG is 123456789012345678901234567890, no int" in str(reading.reason)
    assert json.loads(str(reading.rows[0][5]))[-1] == ["BIG", 123456789012345678901234567890, ""]


@pytest.mark.parametrize(
    ("keyword", "value"), [("HIERARCH ESO INS FILT1 NAME", "R_SPECIAL"), ("HIERARCH ESO TEL AIRM START", "1.204")]
)
def test_a_column_may_be_of_a_hierarch_keyword(keyword: str, value: str) -> None:
    assert _values(DIRECTORY / "hierarch.fits", {"a": _column(keyword)}) == [(value,)]


def test_lines_of_commentary_are_one_text(file: Path) -> None:
    file.write_bytes(primary("HISTORY bias", "HISTORY flat"))
    assert _values(file, {"a": _column("HISTORY")}) == [("bias\nflat",)]


def test_ra_and_dec_come_from_one_pair_and_the_time_is_utc() -> None:
    reading = _read(DIRECTORY / "multi-extension.fits")
    assert _get_default(reading, "ra"), _get_default(reading, "dec") == (40.669879, -0.013289)
    assert _get_default(reading, "obs_at") == "2026-03-08T07:00:00.412900Z"


def test_a_whole_header_is_kept_as_json(file: Path) -> None:
    file.write_bytes(primary(card("A", 1.5, "why"), card("B", "x"), "C       =", "D       = 1E999", "COMMENT c"))
    reading = _read(file, {}, keep_header=True)
    kept = json.loads(str(reading.rows[0][5]))
    assert kept[3:] == [["A", 1.5, "why"], ["B", "x", ""], ["C", None, ""], ["D", "inf", ""], ["COMMENT", "c", ""]]


def test_control_characters_never_reach_a_row(file: Path) -> None:
    file.write_bytes(primary("COMMENT a\x00b\x1b[2J", "A       no value \x00"))
    reading = _read(file, {"a": _column("A")}, keep_header=True)
    assert reading.rows[0][6] == r"no value \x00"
    assert "\\u0000" not in str(reading.rows[0][5])


# ---- units


@pytest.mark.parametrize(
    ("name", "units"),
    [
        (
            "multi-extension.fits",
            [("PRIMARY", 1, "PRIMARY", ""), ("SCI", 1, "IMAGE", "8,6"), ("DQ", 2, "IMAGE", "8,6")],
        ),
        (
            "tables.fits",
            [("PRIMARY", 1, "PRIMARY", ""), ("EVENTS", 1, "BINTABLE", "12,4"), ("LIST", 1, "TABLE", "8,2")],
        ),
        ("tile-compressed.fits.fz", [("PRIMARY", 1, "PRIMARY", ""), ("CHIP1", 1, "COMPRESSED", "30,20")]),
        ("random-groups.fits", [("PRIMARY", 1, "PRIMARY", "0,1,400"), ("AFTER", 1, "IMAGE", "")]),
    ],
)
def test_each_unit_has_its_name_version_type_and_dimensions(name: str, units: list[tuple[object, ...]]) -> None:
    assert [row[1:5] for row in _read(DIRECTORY / name).rows] == units


@pytest.mark.parametrize("name", ["whole.fits.gz", "members.fits.gz"])
def test_a_gzipped_file_says_what_the_plain_one_says(name: str) -> None:
    assert _read(DIRECTORY / name).rows == _read(DIRECTORY / "multi-extension.fits").rows


def test_of_a_gzipped_file_no_more_is_unpacked_than_the_header(file: Path) -> None:
    cards = (card("BITPIX", 8), card("NAXIS", 1), card("NAXIS1", 40 * BLOCK))
    packed = bytearray(gzip.compress(header(card("SIMPLE", True), *cards) + os.urandom(40 * BLOCK)))
    packed[-4000:-8] = bytes(3992)
    file.write_bytes(packed)
    assert _read(file).state == "ok"


def test_units_are_found_behind_gigabytes_of_data_without_reading_them(file: Path) -> None:
    cards = (card("SIMPLE", True), card("BITPIX", -64), card("NAXIS", 2), card("NAXIS1", 10**6), card("NAXIS2", 10**3))
    end = BLOCK + 8 * 10**9 + -(8 * 10**9) % BLOCK
    with file.open("wb") as stream:
        stream.write(header(*cards))
        stream.seek(end)
        stream.write(image(card("EXTNAME", "FAR")))
    assert [row[1] for row in _read(file).rows] == ["PRIMARY", "FAR"]


# ---- damage


@pytest.mark.parametrize(
    ("name", "rows", "reason"),
    [
        ("bad-empty.fits", 0, "it is empty"),
        ("bad-text.fits", 0, "not a FITS file: it begins with b'This is no FITS '"),
        ("bad-header-cut.fits", 1, "HDU 0: its header is cut off: 1000 bytes are no whole blocks of 2880"),
        ("bad-second-header-cut.fits", 2, "HDU 1: its header is cut off: 700 bytes are no whole blocks of 2880"),
        ("bad-no-end.fits", 0, "HDU 0: no END card in its header, which is cut off after 2880 bytes"),
        ("bad-data-cut.fits", 1, "HDU 0: its data are cut off: 5000 of 20000 bytes are there"),
        ("bad-data-missing.fits", 1, "HDU 0: its data are cut off: 0 of 20000 bytes are there"),
        ("bad-bitpix.fits", 1, "HDU 0: BITPIX is 17"),
        ("bad-naxis.fits", 1, "HDU 0: NAXIS1 is -100"),
        ("bad-naxis-missing.fits", 1, "HDU 0: NAXIS2 is missing"),
        ("bad-junk-after.fits", 2, "HDU 2: no header at byte 8640, but b'junkjunkjunkjunk'"),
        ("bad-cut.fits.gz", 2, "its gzip stream is damaged after 8750 bytes"),
    ],
)
def test_a_damaged_file_is_bad_for_a_reason_and_has_the_rows_that_could_be_read(
    name: str, rows: int, reason: str
) -> None:
    reading = _read(DIRECTORY / name)
    assert (reading.state, len(reading.rows)) == ("bad", rows)
    assert str(reading.reason).startswith(reason)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("zeros-after.fits", "zeros follow the last HDU, from byte 8640 on"),
        ("padding-missing.fits", "HDU 1: its last block is not filled up: the file has 6640 of 8640 bytes"),
        ("not-simple.fits", "HDU 0: SIMPLE is F"),
        ("not-ascii.fits", "HDU 0: bytes in its header are not ASCII"),
    ],
)
def test_what_is_only_odd_is_said_of_a_good_file(name: str, reason: str) -> None:
    reading = _read(DIRECTORY / name)
    assert (reading.state, reading.reason) == ("ok", reason)


def test_each_file_cut_anywhere_is_read_without_an_error(file: Path) -> None:
    whole = (DIRECTORY / "multi-extension.fits").read_bytes()
    reader = HeaderReader(_DEFAULT, keep_header=False)
    file.write_bytes(whole)
    assert reader.read(str(file)).state == "ok"
    for size in range(0, len(whole), 397):
        file.write_bytes(whole[:size])
        reading = reader.read(str(file))
        assert reading.state == "bad" or size >= 2 * BLOCK
        assert "\n" not in str(reading.reason)


def test_a_reason_is_one_short_clean_line(file: Path) -> None:
    file.write_bytes(primary(*(card(f"A{n}", "\x1b[2J" * 9) for n in range(50))))
    columns = {f"a{n}": _column(f"A{n}", type="int") for n in range(50)}
    reason = str(_read(file, columns).reason)
    assert reason.isprintable()
    assert reason.endswith("; and 45 more")


def test_a_directory_is_bad(tmp_path: Path) -> None:
    reading = _read(tmp_path)
    assert (reading.state, reading.reason) == ("bad", "cannot be read: Is a directory")


def test_a_fifo_is_bad_and_waited_for_by_nobody(file: Path) -> None:
    os.mkfifo(file)
    assert _read(file).reason == "not a regular file"


def test_a_socket_is_bad(file: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(file))
        assert _read(file).reason == "not a regular file"


def test_a_link_to_itself_is_bad(file: Path) -> None:
    file.symlink_to(file)
    assert str(_read(file).reason).startswith("cannot be read: Too many levels of symbolic links")


@pytest.mark.parametrize("name", ["gone.fits", "file.fits/below"])
def test_a_file_that_is_not_there_any_more_is_told_apart(tmp_path: Path, file: Path, name: str) -> None:
    file.write_bytes(primary())
    with pytest.raises(FileNotFoundError):
        _read(tmp_path / name)


def test_a_name_that_is_not_utf_8_is_read_like_others(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/\xff.fits"
    Path(os.fsdecode(path)).write_bytes(primary())
    assert HeaderReader({}, keep_header=False).read(path).state == "ok"


# ---- what is made to hurt


def test_a_header_without_an_end_is_given_up_before_it_fills_the_memory(file: Path) -> None:
    with file.open("wb") as stream:
        stream.write(primary(end=False))
        stream.truncate(2**33)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    reading = read_new({}, file)
    assert str(reading.reason).startswith("HDU 0: no END card in the first ")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 150 * 1024


def test_a_bomb_is_given_up(file: Path) -> None:
    file.write_bytes(gzip.compress(bytes(5 * 2**20)))
    with file.open("rb") as stream:
        bomb = Gzip(stream.fileno(), most_bytes=3 * 2**20)
        assert bomb.find_size(2**40) == 3 * 2**20
    assert bomb.damage == "given up after 3145728 unpacked bytes"


# ---- what a layout and a status are for


def test_another_layout_has_another_digest() -> None:
    columns = {"a": _column("A")}
    layouts = {
        HeaderReader(columns, keep_header=False).layout,
        HeaderReader(columns, keep_header=True).layout,
        HeaderReader({"a": _column("B")}, keep_header=False).layout,
        HeaderReader({"b": _column("A")}, keep_header=False).layout,
    }
    assert len(layouts) == 4
    assert HeaderReader(columns, keep_header=False).layout in layouts


def test_the_status_is_of_the_file_that_was_read(file: Path) -> None:
    file.write_bytes(primary())
    assert _read(file).status.st_ino == file.stat().st_ino


def test_many_files_of_three_instruments_are_read_as_by_a_new_reader(tmp_path: Path) -> None:
    reader = HeaderReader(_DEFAULT, keep_header=True)
    for path in write_many(tmp_path / "many", 320)[::7]:
        assert reader.read(str(path)).rows == read_new(_DEFAULT, path, keep_header=True).rows
