"""Which slots were missed, and which of them are started after all (RUN-38), by tables."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runner.launch.instant import format_slot, parse_instant
from runner.launch.overdue import Start, choose_missed, choose_starts, find_due
from runner.launch.slot import Schedule, use_zone
from runner.registry.schedule import parse_when

DAY_S = 86400.0


@pytest.fixture(autouse=True)
def utc() -> Iterator[None]:
    use_zone("UTC")
    yield
    use_zone(None)


def at(text: str) -> float:
    """Return an instant of that night."""
    return parse_instant(f"2026-11-21T{text}Z")


def slot(text: str) -> str:
    return f"2026-11-21T{text}:00Z"


def find(when: str, *, since: str = "00:00:00", last_look: str, now: str) -> list[str]:
    schedules: list[Schedule] = [parse_when(when).schedule]
    due = find_due(schedules, at(since), at(last_look), at(now))
    return [format_slot(one)[11:16] for one in due]


@pytest.mark.parametrize(
    ("last_look", "now", "due"),
    [
        ("03:03:00", "03:04:59", []),
        ("03:04:00", "03:05:00", ["03:00"]),
        ("03:04:59", "03:05:00", ["03:00"]),
        ("03:05:00", "03:06:00", []),
        ("01:59:00", "04:30:00", ["02:00", "03:00", "04:00"]),
        ("02:05:00", "04:30:00", ["03:00", "04:00"]),
        ("05:00:00", "04:30:00", []),
    ],
)
def test_each_slot_becomes_overdue_in_one_round_five_minutes_after_it_was_due(
    last_look: str, now: str, due: list[str]
) -> None:
    assert find("0 * * * *", last_look=last_look, now=now) == due


@pytest.mark.parametrize(("since", "due"), [("02:59:59", ["03:00", "04:00"]), ("03:00:00", ["04:00"])])
def test_a_slot_that_was_due_by_the_time_of_the_install_is_not_missed(since: str, due: list[str]) -> None:
    """CRON-53."""
    assert find("0 * * * *", since=since, last_look="01:00:00", now="04:30:00") == due


def test_no_slot_is_looked_for_that_is_older_than_a_week() -> None:
    schedules = [parse_when("@daily").schedule]
    due = find_due(schedules, 0.0, 0.0, at("12:00:00"))
    assert [format_slot(one)[:10] for one in due] == [f"2026-11-{day}" for day in range(15, 22)]


SLOTS = {slot(f"{hour:02}:{minute}") for hour in range(20) for minute in ("00", "30")}


@pytest.mark.parametrize(
    ("policy", "chosen"),
    [
        ("skip", []),
        ("once", [slot("19:30")]),
        ("all", sorted(SLOTS)[-24:]),
    ],
)
def test_a_policy_chooses_none_the_newest_or_the_newest_24_the_oldest_first(policy: str, chosen: list[str]) -> None:
    assert choose_missed(policy, SLOTS, at("20:00:00")) == chosen


def test_what_waits_for_more_than_a_week_is_given_up() -> None:
    slots = {slot("01:00"), slot("02:00")}
    assert choose_missed("all", slots, at("01:30:00") + 7 * DAY_S) == [slot("02:00")]


def starts(*pairs: str, running: int = 0) -> list[str]:
    waiting = [Start(*pair.split(" "), "missed") for pair in pairs]
    return [f"{one.plan} {one.slot}" for one in choose_starts(waiting, running)]


def test_of_each_plan_the_oldest_slot_is_started_and_the_oldest_of_all_first() -> None:
    assert starts("b 03", "b 02", "a 04", "c 01") == ["c 01", "b 02", "a 04"]


@pytest.mark.parametrize(("running", "count"), [(0, 4), (1, 3), (4, 0), (5, 0)])
def test_no_more_than_four_run_at_once(running: int, count: int) -> None:
    waiting = [f"{name} 01" for name in "abcdef"]
    assert starts(*waiting, running=running) == waiting[:count]
