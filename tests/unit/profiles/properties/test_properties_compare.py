"""CAPO-36, PROF-91: a difference shows keys and never a value, however a program may read the line."""

from __future__ import annotations

import pytest

from runner.profiles.properties.compare import diff_masked


def test_lines_that_differ_are_shown_with_their_numbers_and_without_values() -> None:
    old, new = b"a = 1\nb = 2\nc = 3\n", b"a = 1\nb = 4\nc = 3\nd = 5\n"

    assert diff_masked(old, new) == ["-2: b=***", "+2: b=***", "+4: d=***"]
    assert diff_masked(old, old) == []


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("key = hunter2", "key=***"),
        ("key : hunter2", "key:***"),
        ("# key = hunter2", "# key=***"),
        ("# the old password was hunter2", "# ***"),
        ("#see http://al:hunter2@host", "#***"),
        ("key hunter2=1", "***"),
        ("hunter2", "***"),
        (" hunter2 = the rest of a value", "***"),
        ("! key = hunter2", "! key=***"),
        ("= hunter2", "***"),
    ],
)
def test_whatever_may_be_a_value_is_masked(line: str, shown: str) -> None:
    assert diff_masked(b"", line.encode()) == ["-1: ", f"+1: {shown}"]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_what_goes_on_behind_a_backslash_is_masked(end: str) -> None:
    text = end.join(["key = one \\", "hunter2=two"])

    assert diff_masked(b"", text.encode())[1:] == ["+1: key=***", "+2: ***"]


def test_bytes_that_are_no_text_are_no_trouble() -> None:
    assert diff_masked(b"\xff\xfe\n", b"k\xff=1\n") == ["-1: ***", "+1: k\\xff=***"]


def test_a_long_difference_is_counted() -> None:
    assert diff_masked(b"k=1\n" * 300, b"")[-1] == "and 200 lines more"
