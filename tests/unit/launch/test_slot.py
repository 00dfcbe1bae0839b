"""Slots, above all where the clocks change; the second opinion on all of them is in test_slot_reference.py."""

import os
import shutil
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from runner.launch.instant import format_slot, parse_instant
from runner.launch.slot import Schedule, has_slot, newest_slot, slots_after, use_zone
from runner.registry.schedule import parse_when


@pytest.fixture(autouse=True)
def _host_zone_afterwards() -> Iterator[None]:
    yield
    use_zone(None)


def schedules(*whens: str) -> list[Schedule]:
    return [parse_when(when).schedule for when in whens]


def slots(zone: str, day: str, *whens: str, days: int = 1) -> list[str]:
    """Return the slots from midnight UTC of `day` on, without the date where there is one day only."""
    use_zone(zone)
    start = parse_instant(f"{day}T00:00:00Z")
    found = []
    for slot in slots_after(schedules(*whens), start - 1):
        if slot >= start + days * 86400:
            break
        found.append(format_slot(slot))
    return [slot[11:16] for slot in found] if days == 1 else [slot[:16] for slot in found]


def newest(zone: str, now: str, *whens: str, **window: int) -> str | None:
    use_zone(zone)
    slot = newest_slot(schedules(*whens), parse_instant(now), **window)
    return None if slot is None else format_slot(slot)


# Clock changes: the table of examples of crontab.md, and CRON-30 to CRON-32.


@pytest.mark.parametrize(
    ("zone", "day", "whens", "expected"),
    [
        ("America/New_York", "2026-03-08", ["30 2 * * *"], ["07:00"]),
        ("America/New_York", "2026-03-08", ["0 2,3 * * *"], ["07:00"]),
        ("America/New_York", "2026-03-08", ["*/30 2 * * *"], []),
        ("America/New_York", "2026-11-01", ["*/30 1 * * *"], ["05:00", "05:30", "06:00", "06:30"]),
        ("America/New_York", "2026-11-01", ["30 1 * * *"], ["05:30"]),
        ("Australia/Lord_Howe", "2026-10-03", ["15 2 * * *"], ["15:30"]),
    ],
)
def test_the_examples_of_the_specification(zone: str, day: str, whens: list[str], expected: list[str]) -> None:
    assert slots(zone, day, *whens) == expected


def test_a_star_in_the_hour_field_makes_a_schedule_wildcard() -> None:
    """CRON-30: `30 * ...` fires in both passes of the repeated hour, `30 0-23 ...` does not."""
    wildcard = slots("Europe/Paris", "2026-10-25", "30 * * * *")
    fixed = slots("Europe/Paris", "2026-10-25", "30 0-23 * * *")
    assert [slot for slot in wildcard if slot not in fixed] == ["01:30"]


def test_a_star_with_a_step_is_not_the_list_of_its_values() -> None:
    """CRON-7, CRON-32: a listed minute in the gap is caught up with, `*/30` is not."""
    assert slots("Europe/Paris", "2026-03-29", "*/30 2 * * *") == []
    assert slots("Europe/Paris", "2026-03-29", "0,30 2 * * *") == ["01:00"]


def test_a_change_of_half_an_hour_repeats_half_an_hour() -> None:
    wildcard = slots("Australia/Lord_Howe", "2026-04-04", "*/15 1 * * *")
    assert wildcard == ["14:00", "14:15", "14:30", "14:45", "15:00", "15:15"]
    assert slots("Australia/Lord_Howe", "2026-04-04", "0,45 1 * * *") == ["14:00", "14:45"]


def test_a_skipped_day_gives_a_fixed_schedule_one_slot_when_the_clocks_go_on() -> None:
    """Samoa had no 30 December 2011: its clocks went from the 29th, 24:00, to the 31st."""
    assert slots("Pacific/Apia", "2011-12-30", "0 12 30 12 *") == ["10:00"]
    assert slots("Pacific/Apia", "2011-12-30", "0 6,12,18 30 12 *") == ["10:00"]


def test_a_skipped_day_gives_a_wildcard_schedule_nothing() -> None:
    assert slots("Pacific/Apia", "2011-12-29", "0 * 30 12 *", days=3) == []


def test_clocks_put_back_over_midnight_repeat_the_end_of_the_day_before() -> None:
    """St John's changed at 00:01: 00:00, then 23:01 to 23:59 once more, then 00:00 once more."""
    assert slots("America/St_Johns", "2010-11-07", "0,30 0,23 7 11 *") == ["02:30", "04:00"]
    assert slots("America/St_Johns", "2010-11-07", "0 * 7 11 *")[:3] == ["02:30", "03:30", "04:30"]


def test_an_offset_with_odd_seconds_is_kept_to_the_second() -> None:
    """Liberia was 44 min 30 s behind until 1972: the minutes of its clock began at second 30 of UTC's."""
    use_zone("Africa/Monrovia")
    start = parse_instant("1972-01-06T00:00:00Z")
    found = [format_slot(slot) for slot in islice(slots_after(schedules("30 0 * * *"), start), 3)]
    assert found == ["1972-01-06T01:14:30Z", "1972-01-07T00:45:00Z", "1972-01-08T00:30:00Z"]


def test_slots_of_several_schedules_that_coincide_are_one() -> None:
    assert slots("UTC", "2026-06-01", "0 */6 * * *", "0 12,13 * * *") == ["00:00", "06:00", "12:00", "13:00", "18:00"]


# Days (CRON-6).


def test_two_restricted_day_fields_match_if_either_does() -> None:
    found = slots("UTC", "2026-06-01", "0 0 1-31/2 * 1", days=9)
    assert [slot[8:10] for slot in found] == ["01", "03", "05", "07", "08", "09"]


def test_a_day_field_that_begins_with_a_star_must_match_too() -> None:
    found = slots("UTC", "2026-06-01", "0 0 */2 * 1", days=30)
    assert [slot[8:10] for slot in found] == ["01", "15", "29"]


def test_only_the_months_that_were_named_have_slots() -> None:
    assert slots("UTC", "2026-01-01", "0 0 1 2,11 *", days=365) == ["2026-02-01T00:00", "2026-11-01T00:00"]


# The newest slot (RUN-5).


def test_the_slot_of_a_firing_some_seconds_late_is_its_minute() -> None:
    assert newest("UTC", "2026-06-01T11:00:07.5Z", "0 11 * * *") == "2026-06-01T11:00:00Z"


def test_a_slot_is_its_own_newest_slot() -> None:
    assert newest("UTC", "2026-06-01T11:00:00Z", "0 11 * * *") == "2026-06-01T11:00:00Z"


def test_the_window_ends_before_a_slot_as_old_as_it() -> None:
    assert newest("UTC", "2026-06-01T11:14:59Z", "0 11 * * *") == "2026-06-01T11:00:00Z"
    assert newest("UTC", "2026-06-01T11:15:00Z", "0 11 * * *") is None


def test_a_firing_before_its_slot_has_none() -> None:
    assert newest("UTC", "2026-06-01T10:59:59.9Z", "0 11 * * *") is None


def test_a_firing_after_a_gap_is_for_the_minute_after_the_gap() -> None:
    """CRON-34: Debian's cron starts the fixed jobs of a lost hour up to ten minutes late."""
    assert newest("America/New_York", "2026-03-08T07:09:30Z", "17 2 * * *") == "2026-03-08T07:00:00Z"


def test_a_firing_in_the_second_pass_is_no_slot_of_a_fixed_schedule() -> None:
    assert newest("America/New_York", "2026-11-01T06:30:02Z", "30 1 * * *") is None


def test_the_newest_of_several_schedules_counts() -> None:
    assert newest("UTC", "2026-06-01T11:10:00Z", "0 11 * * *", "5 11 * * *") == "2026-06-01T11:05:00Z"


def test_a_wider_window_reaches_back_over_days() -> None:
    assert newest("UTC", "2026-06-05T00:00:00Z", "0 0 1 * *", window_s=7 * 86400) == "2026-06-01T00:00:00Z"


# Sparse schedules and schedules that never fire (CRON-5).


def test_slots_years_apart_are_found() -> None:
    use_zone("Europe/Paris")
    found = slots_after(schedules("0 12 29 2 */7"), parse_instant("2026-01-01T00:00:00Z"))
    assert [format_slot(slot)[:10] for slot in islice(found, 2)] == ["2032-02-29", "2060-02-29"]


@pytest.mark.parametrize("when", ["0 0 29 2 *", "0 0 29 2 */6", "59 23 31 12 *", "0 0 31 2 1"])
def test_a_schedule_with_a_day_in_the_calendar_has_a_slot(when: str) -> None:
    assert has_slot(parse_when(when).schedule)


@pytest.mark.parametrize(("days", "months"), [([30, 31], [2]), ([31], [2, 4, 6, 9, 11])])
def test_a_schedule_without_a_day_in_the_calendar_has_no_slot(days: list[int], months: list[int]) -> None:
    schedule = parse_when("0 0 1 1 *").schedule
    never = Schedule()
    for name in Schedule.__slots__:
        setattr(never, name, getattr(schedule, name))
    never.days = sum(1 << day for day in days)
    never.months = sum(1 << month for month in months)
    assert not has_slot(never)
    assert list(slots_after([never], 0)) == []


# Zones.


def test_a_zone_that_the_machine_lacks_is_refused() -> None:
    """Of libc alone such a zone would be UTC, and the gate would let the wrong firings through (CRON-36)."""
    with pytest.raises(LookupError, match='"Mars/Olympus_Mons"'):
        use_zone("Mars/Olympus_Mons")


def test_the_hosts_zone_is_what_it_is_without_tz() -> None:
    use_zone(None)
    here = list(islice(slots_after(schedules("0 12 * * *"), 0), 3))
    use_zone("Pacific/Kiritimati")
    use_zone(None)
    assert list(islice(slots_after(schedules("0 12 * * *"), 0), 3)) == here


def test_zones_are_found_where_tzdir_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Lab").mkdir()
    shutil.copy("/usr/share/zoneinfo/Asia/Kolkata", tmp_path / "Lab" / "Bench")
    monkeypatch.setenv("TZDIR", str(tmp_path))
    assert slots("Lab/Bench", "2026-06-01", "0 12 * * *") == ["06:30"]


def test_the_environment_that_programs_are_given_keeps_its_zone() -> None:
    before = os.environ.get("TZ")
    use_zone("Asia/Kolkata")
    assert os.environ.get("TZ") == before
