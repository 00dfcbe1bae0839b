"""Rows as tables and files that astropy and others read back as they were (ARCH-41)."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from astropy.table import Table

from runner.archive.find.encode import encode_table
from runner.archive.find.table import make_table
from runner.archive.find.tree import Field
from runner.archive.find.write import CSV, FITS, JSON, TABLE, VOTABLE, choose_format, replace_file, write_answer
from runner.errors import UserError

FIELDS = (
    Field("path", "text", "file", "", "path below its root"),
    Field("size_bytes", "int", "file", "byte"),
    Field("exptime", "float", "primary", "s", "FITS EXPTIME"),
    Field("calibrated", "bool", "primary"),
    Field("obs_at", "time", "primary"),
    Field("header.GAIN", "card", "primary", keyword="GAIN"),
)
WHOLE = [
    ("a.fits", 999_999, 0.1, True, "2024-01-31T00:00:00.000000Z", 1.5),
    ("b c,<&>'\"%.fits", -(1 << 62), 1e300, False, "2024-02-01T00:00:00.000000Z", 2),
]
GAPS = [*WHOLE, ("=1+1", None, None, None, None, None), (None, 0, -0.5, True, None, 1.5)]
HOSTILE = [("\x1b[31mred\x1b[0m\r\n\t\x00\x7f\x9b é☃𝄞 ]]>", 1, 1.0, True, "2024", "x")]


def _write(format: str, rows: list[tuple[object, ...]], *, is_terminal: bool = False) -> str:
    file = io.BytesIO()
    write_answer(format, FIELDS, iter(rows), file, is_terminal=is_terminal)
    return file.getvalue().decode()


# Tables


def test_a_table_has_types_units_and_descriptions() -> None:
    table = make_table(FIELDS, WHOLE)
    assert [table[name].dtype.kind for name in table.colnames] == ["U", "i", "f", "b", "U", "f"]
    assert (str(table["exptime"].unit), table["exptime"].description) == ("s", "FITS EXPTIME")
    assert [tuple(row) for row in table] == WHOLE
    assert not table.has_masked_columns


def test_what_has_no_value_is_masked() -> None:
    table = make_table(FIELDS, GAPS)
    assert [list(table.mask[name]) for name in ("path", "size_bytes", "obs_at")] == [
        [False, False, False, True], [False, False, True, False], [False, False, True, True]
    ]  # fmt: skip
    assert table["size_bytes"].dtype.kind == "i"


@pytest.mark.parametrize(
    ("values", "kind"),
    [((1, None), "i"), ((1, 2.5), "f"), ((True, False), "b"), ((1, "x"), "U"), ((True, 1), "U"), ((1 << 70,), "U"),
     ((None,), "U")],
)  # fmt: skip
def test_a_column_of_header_values_has_the_type_that_holds_them_all(values: tuple[object, ...], kind: str) -> None:
    table = make_table(FIELDS[5:], [(value,) for value in values])
    assert table["header.GAIN"].dtype.kind == kind


@pytest.mark.parametrize("format", [VOTABLE, FITS])
@pytest.mark.parametrize("rows", [WHOLE, GAPS, []], ids=["whole", "gaps", "none"])
def test_astropy_reads_the_same_back(format: str, rows: list[tuple[object, ...]]) -> None:
    back = Table.read(io.BytesIO(encode_table(make_table(FIELDS, rows), format)), format=format)
    assert back.colnames == [field.name for field in FIELDS]
    assert str(back["exptime"].unit) == "s"
    assert [tuple(map(_plain, row)) for row in back.iterrows()] == [
        tuple("" if one is None else one for one in row) for row in rows
    ]


def _plain(value: object) -> object:
    """Return a value that was read back: what is masked, and the text that is empty, as the empty text."""
    if str(value) == "--" or (isinstance(value, float) and value != value):
        return ""
    return value.decode() if isinstance(value, bytes) else value


@pytest.mark.parametrize("format", [VOTABLE, FITS])
def test_what_a_format_cannot_hold_is_shown(format: str) -> None:
    back = Table.read(io.BytesIO(encode_table(make_table(FIELDS, HOSTILE), format)), format=format)
    text = str(_plain(back["path"][0]))
    assert text.startswith(r"\x1b[31mred\x1b[0m\x0d")
    assert text.endswith("é☃𝄞 ]]>" if format == VOTABLE else r"\xe9\x2603\x1d11e ]]>")


def test_a_unit_that_astropy_does_not_know_is_no_trouble() -> None:
    table = make_table([Field("a", "float", "primary", "weird unit!")], [(1.0,)])
    for format in (VOTABLE, FITS):
        assert encode_table(table, format)


# CSV and JSON


def test_csv_is_exact() -> None:
    rows = list(csv.reader(io.StringIO(_write(CSV, [*GAPS, *HOSTILE]), newline="")))
    assert rows[0] == [field.name for field in FIELDS]
    assert rows[1][:4] == ["a.fits", "999999", "0.1", "true"]
    assert rows[3] == ["=1+1", "", "", "", "", ""]
    assert rows[5][0] == HOSTILE[0][0]


def test_json_is_exact() -> None:
    lines = _write(JSON, [*GAPS, *HOSTILE]).split("\n")
    assert [tuple(json.loads(line).values()) for line in lines if line] == [*GAPS, *HOSTILE]


@pytest.mark.parametrize("format", [CSV, JSON])
def test_a_terminal_gets_no_control_characters(format: str) -> None:
    shown = _write(format, HOSTILE, is_terminal=True).replace("\n", "")
    assert shown.isprintable()


@pytest.mark.parametrize("format", [CSV, JSON])
def test_many_rows_are_written_as_they_come(format: str) -> None:
    file = io.BytesIO()
    waiting = []

    def read() -> Iterator[tuple[object, ...]]:
        for number in range(20_000):
            waiting.append(number * 50 - file.tell())
            yield WHOLE[0]

    write_answer(format, FIELDS, read(), file, is_terminal=False)
    assert max(waiting) < 100_000


# Where it goes


@pytest.mark.parametrize(
    ("asked", "output", "is_terminal", "format"),
    [("", "", True, TABLE), (CSV, "", True, CSV), (FITS, "", False, FITS), ("", "a.FITS", True, FITS),
     ("", "a.vot", True, VOTABLE), ("", "a.csv", True, CSV), ("", "a.jsonl", True, JSON), (CSV, "a.fits", True, CSV)],
)  # fmt: skip
def test_the_format_is_what_was_asked_for_or_what_the_name_says(
    asked: str, output: str, is_terminal: bool, format: str
) -> None:
    assert choose_format(asked, output, is_terminal=is_terminal) == format


@pytest.mark.parametrize(
    ("asked", "output", "message"),
    [(FITS, "", "write it with -o FILE"), (VOTABLE, "", "write it with -o FILE"), ("", "a.txt", "in which format?"),
     (TABLE, "a.txt", "a table is for people")],
)  # fmt: skip
def test_what_cannot_go_there_is_refused(asked: str, output: str, message: str) -> None:
    with pytest.raises(UserError, match=message.replace("?", "[?]")):
        choose_format(asked, output, is_terminal=True)


def test_a_file_is_replaced_only_when_all_is_written(tmp_path: Path) -> None:
    path = tmp_path / "answer.csv"
    path.write_text("old")
    link = tmp_path / "link.csv"
    link.symlink_to(path)
    with suppress(ZeroDivisionError), replace_file(str(link)) as file:
        file.write(b"half")
        raise ZeroDivisionError
    assert path.read_text() == "old"

    with replace_file(str(link)) as file:
        file.write(b"new")
    assert (path.read_text(), link.is_symlink()) == ("new", True)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["answer.csv", "link.csv"]


def test_what_is_no_regular_file_is_written_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with replace_file(str(pipe)) as file:
        file.write(b"answer")
    assert os.read(reader, 100) == b"answer"
    assert pipe.is_fifo()
    os.close(reader)
