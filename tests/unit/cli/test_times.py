"""Instants and durations as somebody reads them at three in the morning."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runner.cli.times import show_distance, show_duration, show_in_zone, show_instant, show_instants, show_near
from runner.launch.instant import parse_instant

NOW = parse_instant("2026-11-25T10:00:00Z")  # Wednesday, 03:00 in Denver


@pytest.fixture(autouse=True)
def denver() -> Iterator[None]:
    show_in_zone("America/Denver")
    yield
    show_in_zone("")


@pytest.mark.parametrize(
    ("instant", "near", "distance"),
    [
        ("2026-11-25T09:30:00Z", "02:30", "30 min ago"),
        ("2026-11-25T09:59:18.5Z", "02:59", "41 s ago"),
        ("2026-11-25T10:00:00Z", "03:00", "in 0 s"),
        ("2026-11-26T06:59:00Z", "23:59", "in 20 h"),
        ("2026-11-25T06:59:00Z", "Tue 23:59", "3 h ago"),
        ("2026-11-19T09:30:00Z", "Thu 02:30", "6 d ago"),
        ("2026-11-18T09:30:00Z", "11-18 02:30", "7 d ago"),
        ("2026-12-01T09:30:00Z", "Tue 02:30", "in 5 d"),
        ("2025-11-25T09:30:00Z", "2025-11-25 02:30", "365 d ago"),
        (None, "", ""),
    ],
)
def test_an_instant_is_shown_as_short_as_it_is_plain(instant: str | None, near: str, distance: str) -> None:
    assert (show_near(instant, NOW), show_distance(instant, NOW)) == (near, distance)


def test_seconds_are_shown_where_they_are_asked_for() -> None:
    assert show_near("2026-11-25T09:30:01.9Z", NOW, seconds=True) == "02:30:01"
    assert show_instant("2026-11-25T09:30:01.9Z") == "2026-11-25 02:30:01"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (10.4, "10 s"),
        (59.6, "1 min 00 s"),
        (200, "3 min 20 s"),
        (3599.7, "1 h 00 min"),
        (7500, "2 h 05 min"),
        (86400 * 3 + 15000, "3 d 4 h"),
    ],
)
def test_a_duration_has_at_most_two_units(seconds: float, shown: str) -> None:
    assert show_duration(seconds) == shown


def test_instants_inside_a_text_are_shown_in_local_time_and_all_else_stays() -> None:
    text = "by al since 2026-03-08T07:00:00Z until 2026-99-08T07:00:00Z: run 20260308T070000.000000Z-a-1"
    assert show_instants(text) == text.replace("2026-03-08T07:00:00Z", "2026-03-08 00:00:00")
