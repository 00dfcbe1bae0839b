"""Gap, repeat, a zone of half an hour, year end, 29 and 30 February: what ``runner next`` and ``check`` say."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import pytest
from homes import Home

DENVER, PARIS, LORD_HOWE = "America/Denver", "Europe/Paris", "Australia/Lord_Howe"


def list_slots(home: Home, zone: str, when: str, start: str, count: int = 10) -> list[dict[str, str]]:
    home.job(f'when: "{when}", timezone: {zone}')
    answer = home.runner("next", "job", "--from", start, "-n", str(count), "--json")
    assert answer.code == 0, answer.err
    return answer.objects


@pytest.mark.parametrize(
    ("zone", "day", "when", "expected"),
    [
        # 2026-03-08 in Denver has no 02:00 to 02:59.
        (DENVER, "2026-03-08", "30 2 * * *", ["09:00"]),
        (DENVER, "2026-03-08", "0,30 2,3 * * *", ["09:00", "09:30"]),
        (DENVER, "2026-03-08", "*/30 2 * * *", []),
        (DENVER, "2026-03-08", "0 1-4 * * *", ["08:00", "09:00", "10:00"]),
        # 2026-11-01 in Denver has 01:00 to 01:59 twice.
        (DENVER, "2026-11-01", "30 1 * * *", ["07:30"]),
        (DENVER, "2026-11-01", "*/30 1 * * *", ["07:00", "07:30", "08:00", "08:30"]),
        # Paris changes at 01:00Z.
        (PARIS, "2026-03-29", "15 2 * * *", ["01:00"]),
        (PARIS, "2026-03-29", "15 * 29 3 *", [f"{hour:02}:15" for hour in range(22)]),
        (PARIS, "2026-10-25", "30 2 * * *", ["00:30"]),
        (PARIS, "2026-10-25", "*/30 2 * * *", ["00:00", "00:30", "01:00", "01:30"]),
        # Lord Howe's clocks go by half an hour: 4 October has no 02:00 to 02:29, 5 April has 01:30 to 01:59 twice.
        (LORD_HOWE, "2026-10-03", "15 2 * * *", ["15:30"]),
        (LORD_HOWE, "2026-10-03", "*/15 2 * * *", ["15:30", "15:45"]),
        (LORD_HOWE, "2026-04-04", "45 1 * * *", ["14:45"]),
        (LORD_HOWE, "2026-04-04", "*/15 1 * * *", ["14:00", "14:15", "14:30", "14:45", "15:00", "15:15"]),
        # The year ends by the local clock.
        (DENVER, "2027-01-01", "59 23 31 12 *", ["06:59"]),
        (PARIS, "2026-12-31", "0 0 1 1 *", ["23:00"]),
        (LORD_HOWE, "2026-12-31", "0,59 0,23 1,31 1,12 *", ["12:00", "12:59", "13:00", "13:59"]),
        (PARIS, "2028-02-29", "0 12 29 2 *", ["11:00"]),
    ],
)
def test_fault_23_slots_are_those_of_the_table(home: Home, zone: str, day: str, when: str, expected: list[str]) -> None:
    """CRON-31, CRON-32, by days of UTC."""
    before = datetime.fromisoformat(day) - timedelta(seconds=1)
    found = list_slots(home, zone, when, f"{before.isoformat()}Z", 30)
    assert [row["slot"][11:16] for row in found if row["slot"][:10] == day] == expected


@pytest.mark.parametrize("zone", [DENVER, PARIS, LORD_HOWE])
@pytest.mark.parametrize("when", ["30 2 * * *", "45 1 * * *", "0 0 * * *"])
def test_fault_23_a_fixed_time_is_due_once_on_each_local_day(home: Home, zone: str, when: str) -> None:
    """Two years, and no day without its slot or with two."""
    days = Counter(row["local"][:10] for row in list_slots(home, zone, when, "2026-01-01T12:00:00Z", 730))
    assert set(days.values()) == {1}
    assert len(days) == 730
    assert min(days) == "2026-01-02"
    assert max(days) == "2028-01-01"


@pytest.mark.parametrize("zone", [DENVER, PARIS, LORD_HOWE])
def test_fault_23_a_wildcard_time_is_due_once_at_each_instant_that_shows_it(home: Home, zone: str) -> None:
    found = [row["slot"] for row in list_slots(home, zone, "*/30 * * * *", "2026-01-01T12:00:00Z", 10_000)]
    assert len(found) == len(set(found))
    assert found[-1] == "2026-07-28T20:00:00Z"  # 10 000 half hours later, whatever the clocks did


def test_fault_23_the_29th_of_february_waits_for_a_leap_year(home: Home) -> None:
    found = list_slots(home, PARIS, "0 12 29 2 *", "2026-01-01T00:00:00Z", 2)
    assert [row["slot"][:10] for row in found] == ["2028-02-29", "2032-02-29"]


@pytest.mark.parametrize("when", ["0 0 30 2 *", "0 0 31 2,4,6 *"])
def test_fault_23_a_day_that_never_comes_is_an_error(home: Home, when: str) -> None:
    home.job(f'when: "{when}"')
    answer = home.runner("check")
    assert answer.code == 2
    assert "no day of 28 years matches, it never fires" in answer.faults[0]


@pytest.mark.parametrize(
    ("when", "words"),
    [
        ("30 2 * * *", "America/Denver has no 02:30 on 20"),
        ("30 1 * * *", "America/Denver has 01:30 twice on 20"),
    ],
)
def test_fault_23_a_fixed_time_in_a_gap_or_repeat_is_a_warning(home: Home, when: str, words: str) -> None:
    """CRON-39."""
    home.job(f'when: "{when}", timezone: {DENVER}')
    answer = home.runner("check")
    assert answer.code == 0
    assert f"warning: {when}: {words}" in answer.out
