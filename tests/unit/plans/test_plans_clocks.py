"""CRON-39: what is said of fixed times that the clocks leave out or show twice."""

from __future__ import annotations

import pytest
from homes import Home

from runner.launch.instant import parse_instant
from runner.plans.clocks import WARNED_S, explain_changes
from runner.plans.load import load_home
from runner.plans.zone import Span, read_spans
from runner.registry.schedule import parse_when

NOW = int(parse_instant("2026-02-01T12:00:00Z"))


def explain(zone: str, when: str) -> list[str]:
    return explain_changes(parse_when(when), zone, read_spans(zone, NOW, NOW + WARNED_S))


@pytest.mark.parametrize(
    ("zone", "when", "sentences"),
    [
        (
            "America/New_York",
            "30 2 * * *",
            ["America/New_York has no 02:30 on 2026-03-08 and 2027-03-14: it runs once, at 03:00"],
        ),
        (
            "Europe/Paris",
            "0,15,30,45 2 * * *",
            [
                "Europe/Paris has no 02:00, 02:15, 02:30 and 1 more on 2026-03-29 and 2027-03-28:"
                " it runs once, at 03:00",
                "Europe/Paris has 02:00, 02:15, 02:30 and 1 more twice on 2026-10-25 and 2027-10-31:"
                " it runs the first time only",
            ],
        ),
        (
            "Australia/Lord_Howe",
            "15 2 * * *",
            ["Australia/Lord_Howe has no 02:15 on 2026-10-04 and 2027-10-03: it runs once, at 02:30"],
        ),
        (
            "America/Denver",
            "59 1 1 11 *",
            ["America/Denver has 01:59 twice on 2026-11-01: it runs the first time only"],
        ),
    ],
)
def test_a_fixed_time_in_a_gap_or_repeat_is_named_with_its_dates_and_what_happens(
    zone: str, when: str, sentences: list[str]
) -> None:
    """FAULT-23."""
    assert explain(zone, when) == sentences


@pytest.mark.parametrize("when", ["30 3 * * *", "30 2 * * 1", "*/30 1-2 * * *", "30 * * * *", "30 2 1 6 *"])
def test_what_no_change_of_the_clocks_touches_is_not_mentioned(when: str) -> None:
    """Wildcard schedules just follow the clock (CRON-31)."""
    assert explain("America/New_York", when) == []


def test_only_the_changes_of_24_months_count() -> None:
    assert explain("America/New_York", "30 2 12 3 *") == []  # of 2028
    assert explain("UTC", "30 2 * * *") == []


def test_a_job_is_warned_by_its_own_clock_and_else_by_that_of_its_target(home: Home) -> None:
    target = "{hosts: [h], user: u, timezone: America/New_York}"
    home.write("envs/site.yaml", f"name: x\nmail: {{ops: a@b}}\ntargets: {{t: {target}}}\n")
    home.job('when: "30 2 * * *"')
    assert [str(fault) for fault in load_home(home.path, NOW).warnings] == [
        "jobs/all.yaml:2:51: warning: 30 2 * * *: America/New_York has no 02:30 on 2026-03-08 and 2027-03-14:"
        " it runs once, at 03:00"
    ]
    home.job('when: "30 2 * * *", timezone: Europe/Paris')
    (repeat, gap) = load_home(home.path, NOW).warnings
    assert "Europe/Paris has no 02:30 on 2026-03-29" in str(gap)
    assert "Europe/Paris has 02:30 twice on 2026-10-25" in str(repeat)
    home.job('when: "30 2 * * *", timezone: UTC')
    assert load_home(home.path, NOW).warnings == ()


def test_spans_meet_where_the_clock_changes() -> None:
    start, stop = (int(parse_instant(f"2026-{month}-01T00:00:00Z")) for month in ("03", "12"))
    spring, autumn = (int(parse_instant(text)) for text in ("2026-03-08T07:00:00Z", "2026-11-01T06:00:00Z"))
    assert read_spans("America/New_York", start, stop) == (
        Span(start, spring, -18000),
        Span(spring, autumn, -14400),
        Span(autumn, stop, -18000),
    )


@pytest.mark.parametrize("start", ["2026-03-08T07:00:00Z", "2026-03-07T07:00:00Z", "2026-03-08T06:59:59Z"])
def test_a_change_at_the_border_of_a_day_that_is_looked_at_is_found_where_it_is(start: str) -> None:
    first = int(parse_instant(start))
    spans = read_spans("America/New_York", first, first + 3 * 86400)
    assert [span.start for span in spans] == sorted({first, int(parse_instant("2026-03-08T07:00:00Z"))})
