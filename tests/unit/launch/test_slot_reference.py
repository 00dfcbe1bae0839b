"""Slots against two other opinions: a reference that looks at every minute with zoneinfo, and cronsim (CRON-33)."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

import pytest
from clockwork import AROUND, FIRST, ZONES, choose_samples, find_clock_changes, list_slots, watch_clock
from cronsim import CronSim

from runner.launch.slot import newest_slot, slots_after, use_zone

SCHEDULES_PER_ZONE = 400


@pytest.fixture(autouse=True)
def _host_zone_afterwards() -> Iterator[None]:
    yield
    use_zone(None)


@pytest.mark.parametrize("zone", ZONES)
def test_every_minute_around_clock_changes_agrees_with_the_reference(zone: str) -> None:
    changes = find_clock_changes(zone) or find_clock_changes("America/New_York")
    nights = [watch_clock(zone, change - AROUND, change + AROUND) for change in changes]
    use_zone(zone)
    seen = 0
    for sample in choose_samples(zone, SCHEDULES_PER_ZONE):
        for night in nights:
            start, end = night[0].instant, night[-1].instant
            expected = list_slots(sample, night)
            found = takewhile(lambda slot, end=end: slot <= end, slots_after([sample.schedule], start - 1))
            assert list(found) == expected, (sample.text, zone)
            newest = newest_slot([sample.schedule], end, end - start + 1)
            assert newest == (expected[-1] if expected else None), (sample.text, zone)
            seen += len(expected)
    assert len(changes) == 4
    assert seen > 10_000


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Europe/Paris", "Asia/Kolkata"])
def test_the_next_slots_agree_with_cronsim(zone: str) -> None:
    """Lord Howe is left out: cronsim is wrong there on the days of a change."""
    use_zone(zone)
    starts = [change - timedelta(days=1) for change in find_clock_changes(zone)] or [FIRST]
    for sample in choose_samples(f"cronsim {zone}", SCHEDULES_PER_ZONE):
        for start in starts:
            expected = [
                int(slot.timestamp()) for slot in islice(CronSim(sample.text, start.astimezone(ZoneInfo(zone))), 20)
            ]
            found = list(islice(slots_after([sample.schedule], start.timestamp()), 20))
            assert found == expected, (sample.text, zone, start)
