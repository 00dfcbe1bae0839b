"""Clock changes, year's end and odd dates as the wrapper itself meets them when its line fires."""

from __future__ import annotations

import pytest
from clock import Clock
from lab import Lab

from runner.registry.schedule import parse_when

_DENVER, _PARIS, _HOWE = "America/Denver", "Europe/Paris", "Australia/Lord_Howe"
# Zone, schedule, and of each firing of its line that day the slot that is started, or none.
_DAYS = {
    "a fixed time in the gap, once": (
        _DENVER,
        "30 2 * * *",
        {"2026-03-08T09:00:00Z": "2026-03-08T09:00:00Z"},
    ),
    "a wildcard time in the gap, never": (_DENVER, "*/30 2 * * *", {"2026-03-08T09:00:00Z": None}),
    "a fixed time that is repeated, its first pass": (
        _DENVER,
        "30 1 * * *",
        {"2026-11-01T07:30:00Z": "2026-11-01T07:30:00Z", "2026-11-01T08:30:00Z": None},
    ),
    "a wildcard time that is repeated, both passes": (
        _DENVER,
        "*/30 1 * * *",
        {f"2026-11-01T{time}:00Z": f"2026-11-01T{time}:00Z" for time in ("07:00", "07:30", "08:00", "08:30")},
    ),
    "Paris in spring": (_PARIS, "30 2 * * *", {"2026-03-29T01:00:00Z": "2026-03-29T01:00:00Z"}),
    "Paris in autumn": (
        _PARIS,
        "30 2 * * *",
        {"2026-10-25T00:30:00Z": "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z": None},
    ),
    "a gap of half an hour": (_HOWE, "15 2 * * *", {"2026-10-03T15:30:00Z": "2026-10-03T15:30:00Z"}),
    "half an hour that is repeated": (
        _HOWE,
        "45 1 * * *",
        {"2026-04-04T14:45:00Z": "2026-04-04T14:45:00Z", "2026-04-04T15:15:00Z": None},
    ),
    "the last minute of a year": (_DENVER, "59 23 31 12 *", {"2027-01-01T06:59:00Z": "2027-01-01T06:59:00Z"}),
    "the first minute of a year": (_DENVER, "0 0 1 1 *", {"2027-01-01T07:00:00Z": "2027-01-01T07:00:00Z"}),
    "the 29th of February": (_DENVER, "0 0 29 2 *", {"2028-02-29T07:00:00Z": "2028-02-29T07:00:00Z"}),
    "the day after a short February": (_DENVER, "0 0 29 2 *", {"2027-03-01T07:00:00Z": None}),
}


@pytest.mark.parametrize("name", _DAYS)
def test_fault_23_a_slot_is_what_the_table_says(lab: Lab, clock: Clock, name: str) -> None:
    zone, when, firings = _DAYS[name]
    lab.job("job", "true", schedules=[parse_when(when).schedule], timezone=zone)
    for firing in firings:
        clock.set(firing)
        result = lab.run("job", env=clock.env)
        assert (result.code, result.err) == (0, b"")

    assert [event["slot"] for event in lab.events("start", "job")] == [slot for slot in firings.values() if slot]
    assert not lab.events("skip")


def test_run_05_a_gated_firing_starts_no_slot_of_a_while_ago(lab: Lab, clock: Clock) -> None:
    """CRON-53, RUN-7: the slot was skipped, or not yet installed; it is not made up for by the line's next firing."""
    lab.job("job", "true", schedules=[parse_when("0 9 * * *").schedule], timezone=_PARIS)
    for late in ("2026-11-25T08:10:00Z", "2026-11-26T08:03:00Z"):
        clock.set(late)
        assert lab.run("job", env=clock.env).code == 0

    assert [event["slot"] for event in lab.events("start", "job")] == ["2026-11-26T08:00:00Z"]


def test_fault_26_a_zone_that_is_gone_is_a_run_that_cannot_start(lab: Lab) -> None:
    lab.job("job", f"touch {lab.home}/ran", schedules=[parse_when("* * * * *").schedule], timezone="Mars/Base")

    result = lab.run("job")

    assert (result.code, lab.end("job")["outcome"]) == (127, "cannot_start")
    assert lab.end("job")["reason"] == 'this machine has no time zone "Mars/Base"'
    assert not (lab.home / "ran").exists()
