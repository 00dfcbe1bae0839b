"""PROF-90 to PROF-92: what a pull does to each file, as a table."""

from __future__ import annotations

import pytest

from runner.profiles.replicas import (
    Deed,
    Record,
    begin_record,
    encode_record,
    end_record,
    is_property_file,
    is_too_few,
    measure_lag,
    parse_record,
    plan_pull,
)

_AT = "2026-03-08T07:00:00.000000Z"
LAST = Record("/origin", _AT, {"a": "1"})
THREE = Record("/origin", _AT, dict.fromkeys("abc", "1"))
HALF_WAY = Record("/origin", _AT, {"a": "1"}, {"a": "2", "b": "2"})


@pytest.mark.parametrize(
    ("origin", "replica", "record", "deed", "why"),
    [
        ("1", "1", LAST, None, ""),
        ("2", "2", LAST, None, ""),
        ("2", "1", LAST, Deed.REPLACE, "changed at the origin"),
        ("2", "x", LAST, Deed.OVERWRITE, "edited here"),
        ("1", "x", LAST, Deed.OVERWRITE, "edited here"),
        ("1", "", LAST, Deed.OVERWRITE, "edited here"),
        ("1", None, LAST, Deed.ADD, "somebody deleted it here"),
        (None, "1", LAST, Deed.MOVE, "deleted at the origin"),
        (None, "x", LAST, Deed.MOVE, "deleted at the origin, edited here"),
        ("1", None, Record(), Deed.ADD, "new at the origin"),
        ("1", "x", Record(), Deed.OVERWRITE, "not from the origin"),
        (None, "x", Record(), Deed.MOVE, "never was at the origin"),
        ("3", "2", HALF_WAY, Deed.REPLACE, "changed at the origin"),
        ("3", "1", HALF_WAY, Deed.REPLACE, "changed at the origin"),
        ("3", "x", HALF_WAY, Deed.OVERWRITE, "edited here"),
    ],
)
def test_the_master_wins_and_an_edit_is_kept(
    origin: str | None, replica: str | None, record: Record, deed: Deed | None, why: str
) -> None:
    """PROF-91."""
    there, here = {"a": origin} if origin else {}, {} if replica is None else {"a": replica}

    steps = plan_pull(there, here, record)

    assert [(step.deed, step.why) for step in steps] == ([(deed, why)] if deed else [])
    assert [step.keeps for step in steps] == ([deed in (Deed.OVERWRITE, Deed.MOVE)] if deed else [])


def test_what_is_no_plain_file_at_the_origin_is_left_as_it_is() -> None:
    assert plan_pull({}, {"a": "1"}, LAST, left=["a"]) == ()


@pytest.mark.parametrize(
    ("origin", "replica", "record", "is_refused"),
    [
        (1, 3, THREE, True),
        (2, 3, THREE, False),
        (1, 9, LAST, False),
        (1, 3, Record(), True),
        (0, 0, Record(), False),
    ],
)
def test_less_than_half_the_files_of_last_time_are_too_few(
    origin: int, replica: int, record: Record, *, is_refused: bool
) -> None:
    """PROF-92."""
    assert is_too_few(origin, replica, record) is is_refused


def test_a_pull_that_was_broken_off_twice_leaves_no_file_unknown() -> None:
    first = begin_record("/origin", {"a": "2"}, {"a": "1"}, LAST)
    second = begin_record("/origin", {"a": "3"}, {"a": "2"}, first)

    assert [second.has_pulled("a", digest) for digest in ("2", "3", "x", "")] == [True, True, False, False]
    assert second.pulled_at == _AT


def test_a_record_keeps_what_was_pulled_of_a_file_that_is_left() -> None:
    record = end_record("/origin", {"b": "2"}, ["a", "new"], LAST, 0.0)

    assert (record.files, record.coming) == ({"a": "1", "b": "2"}, {})
    assert parse_record(encode_record(record)) == record


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"origin": "", "pulled_at": "soon", "files": {}, "coming": {}}',
        '{"origin": "", "pulled_at": 1, "files": {}, "coming": {}}',
        '{"origin": "", "pulled_at": "", "files": [], "coming": {}}',
        '{"origin": "", "pulled_at": "", "files": {"a": 1}, "coming": {}}',
    ],
)
def test_a_damaged_record_is_none(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  of whatever kind
        parse_record(text.encode())


def test_the_lag_is_the_age_of_the_last_good_pull() -> None:
    assert measure_lag(Record("", "1970-01-01T00:01:00.000000Z"), 100.0) == 40.0
    assert measure_lag(Record(), 100.0) is None


@pytest.mark.parametrize("name", ["a b", "../a", "-rf", "", ".a", "a\n", "é", "a" * 65])
def test_a_name_that_no_profile_can_have_is_none_of_ours(name: str) -> None:
    """PROF-1."""
    assert not is_property_file(f"{name}.properties")
    assert is_property_file("vlass.test.properties")
