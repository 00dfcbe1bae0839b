"""Which minute a person means, also where the clock changes (CRON-30 to CRON-32)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runner.errors import UserError
from runner.launch.instant import format_slot, parse_instant
from runner.launch.plan import decode_schedule
from runner.launch.slot import use_zone
from runner.ledger.asked import Meant, choose_meant, find_nearest, parse_asked

NOW = parse_instant("2026-11-25T15:30:20Z")  # 08:30 in Denver
FIXED, WILDCARD = decode_schedule("30 2 * * *"), decode_schedule("*:0,30 * * * *")


@pytest.fixture(autouse=True)
def denver() -> Iterator[None]:
    use_zone("America/Denver")
    yield
    use_zone(None)


def asked_instants(text: str) -> list[str]:
    return [format_slot(instant) for instant in parse_asked(text, NOW).instants]


def meant(text: str, schedule: str) -> list[Meant]:
    return choose_meant(parse_asked(text, NOW), [decode_schedule(schedule)])


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-11-25T02:00", "2026-11-25T09:00:00Z"),
        ("2026-11-25 02:00", "2026-11-25T09:00:00Z"),
        (" 2026-11-25 2:00 ", "2026-11-25T09:00:00Z"),
        ("2026-11-25T02:00:59", "2026-11-25T09:00:00Z"),
        ("02:00", "2026-11-25T09:00:00Z"),
        ("08:30", "2026-11-25T15:30:00Z"),
        ("08:31", "2026-11-24T15:31:00Z"),
        ("23:15", "2026-11-25T06:15:00Z"),
        ("today 23:15", "2026-11-26T06:15:00Z"),
        ("yesterday 02:00", "2026-11-24T09:00:00Z"),
        ("2026-11-25T09:00:00Z", "2026-11-25T09:00:00Z"),
        ("2026-11-25T09:00:00.123456Z", "2026-11-25T09:00:00Z"),
        ("2026-11-25T10:00+01:00", "2026-11-25T09:00:00Z"),
        ("2026-11-25 04:00-0500", "2026-11-25T09:00:00Z"),
        ("2027-01-01 00:00", "2027-01-01T07:00:00Z"),
    ],
)
def test_a_time_is_read_as_people_write_it_in_local_time_unless_it_names_a_zone(text: str, instant: str) -> None:
    assert asked_instants(text) == [instant]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "noon",
        "25:00",
        "02:60",
        "2026-02-30 02:00",
        "2026-11-25",
        "02:00Z",
        "tomorrow 02:00",
        "2:0",
        "\u0660\u0662:00",
    ],
)
def test_what_is_no_time_is_refused_with_examples(text: str) -> None:
    with pytest.raises(UserError, match='" is no time; write one like 2026-11-25T02:00, ') as refused:
        parse_asked(text, NOW)
    assert "\n" not in str(refused.value)


def test_a_minute_of_the_repeated_hour_is_two_instants() -> None:
    assert asked_instants("2026-11-01 01:30") == ["2026-11-01T07:30:00Z", "2026-11-01T08:30:00Z"]


def test_a_minute_of_a_gap_is_no_instant_and_is_followed_by_the_first_minute_after_it() -> None:
    asked = parse_asked("2026-03-08 02:30", NOW)

    assert asked.instants == ()
    assert format_slot(asked.moved or 0) == "2026-03-08T09:00:00Z"


def test_a_fixed_time_in_a_gap_means_the_slot_after_it_and_a_wildcard_none() -> None:
    assert [(one.is_due, one.clock) for one in meant("2026-03-08 02:30", "30 2 * * *")] == [(True, "moved")]
    assert [(one.is_due, one.clock) for one in meant("2026-03-08 02:30", "*:0,30 * * * *")] == [(False, "gap")]
    assert [(one.is_due, one.clock) for one in meant("2026-03-08 02:30", "15 2 * * *")] == [(False, "")]


def test_in_a_repeated_hour_a_wildcard_means_both_passes_and_a_fixed_time_the_first() -> None:
    both = [parse_instant("2026-11-01T07:30:00Z"), parse_instant("2026-11-01T08:30:00Z")]

    assert [one.slot for one in meant("2026-11-01 01:30", "*:0,30 * * * *")] == both
    assert [one.slot for one in meant("2026-11-01 01:30", "30 1 * * *")] == both[:1]


def test_of_a_fixed_time_the_second_pass_is_explained() -> None:
    assert [(one.is_due, one.clock) for one in meant("2026-11-01T08:30:00Z", "30 1 * * *")] == [(False, "repeated")]
    assert [(one.is_due, one.clock) for one in meant("2026-11-01T08:31:00Z", "30 1 * * *")] == [(False, "")]


def test_the_nearest_slots_are_found_or_not_there() -> None:
    at = int(parse_instant("2026-11-25T09:30:00Z"))

    assert find_nearest([FIXED], at) == (at - 86400, at + 86400)
    assert find_nearest([WILDCARD], at + 60) == (at, at + 1800)
    assert find_nearest([], at) == (None, None)
