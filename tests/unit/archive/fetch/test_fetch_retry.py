"""ARCH-4, ARCH-11: which failures are tried again, when, and how often."""

from __future__ import annotations

import pytest
from fetching import make_archive

from runner.archive.fetch.retry import (
    Cut,
    Damaged,
    NoRoom,
    Tries,
    choose_wait,
    count_calls,
    count_try,
    is_permanent_status,
    parse_retry_after,
)
from runner.archive.fetch.source import Refused

FETCH = make_archive(backoff=1.0, longest_wait=120.0).fetch
NOW = 1_795_000_000.0  # Wed, 18 Nov 2026 11:06:40 GMT


def choose(*attempts: tuple[Refused, int]) -> float | None:
    """Return the wait after attempts that ended so, when there were so many bytes; without chance."""
    tries = Tries()
    for refused, reached_bytes in attempts:
        tries = count_try(tries, refused, reached_bytes)
    return choose_wait(FETCH, tries, attempts[-1][0], 0.0)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 451])
def test_what_blames_the_question_is_final(status: int) -> None:
    assert is_permanent_status(status)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_what_blames_the_moment_is_not(status: int) -> None:
    assert not is_permanent_status(status)


def test_each_wait_is_twice_the_one_before_it() -> None:
    down = (Refused("503"), 0)
    assert [choose(*[down] * count) for count in range(1, 6)] == [1.0, 2.0, 4.0, 8.0, None]


def test_chance_takes_off_up_to_a_half() -> None:
    tries = count_try(Tries(), Refused("503"), 0)
    assert choose_wait(FETCH, tries, Refused("503"), 1.0) == 0.5


def test_no_wait_is_longer_than_the_longest() -> None:
    fetch = make_archive(backoff=1.0, longest_wait=5.0, attempts=100).fetch
    assert choose_wait(fetch, Tries(in_vain=90, total=90), Refused("503"), 0.0) == 5.0
    assert choose_wait(fetch, Tries(in_vain=1, total=1), Refused("503", retry_after_s=3600.0), 0.0) == 5.0


def test_a_server_says_how_long_to_wait() -> None:
    assert choose((Refused("503", retry_after_s=42.0), 0)) == 42.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("Wed, 18 Nov 2026 11:07:40 GMT", 60.0),
        ("Wed, 18 Nov 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("-1", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str, seconds: float | None) -> None:
    assert parse_retry_after(text, NOW) == seconds


@pytest.mark.parametrize("refused", [Refused("404", is_permanent=True), NoRoom("full")])
def test_what_will_not_change_is_not_asked_for_again(refused: Refused) -> None:
    assert choose((refused, 0)) is None


def test_wrong_bytes_are_fetched_once_more_and_no_more() -> None:
    assert choose((Damaged("md5"), 1 << 20)) is not None
    assert choose((Damaged("md5"), 1 << 20), (Damaged("md5"), 1 << 20)) is None


def test_an_attempt_that_gets_on_uses_up_no_other() -> None:
    cuts = [(Cut("cut"), megabytes << 20) for megabytes in range(1, 40)]
    assert choose(*cuts) == 1.0


def test_a_server_that_cuts_for_ever_is_given_up_all_the_same() -> None:
    cuts = [(Cut("cut"), megabytes << 20) for megabytes in range(1, 251)]
    assert choose(*cuts) is None


def test_a_file_that_always_ends_at_the_same_byte_gets_no_further() -> None:
    """A server without ranges sends the same megabyte again and again."""
    assert choose(*[(Cut("cut"), 1 << 20)] * 4) is not None
    assert choose(*[(Cut("cut"), 1 << 20)] * 5) is None


@pytest.mark.parametrize(
    ("refused", "got_on", "calls"),
    [(Damaged("md5"), True, 3), (Cut("cut"), False, 3), (Cut("cut"), True, 0), (Refused("503"), False, 2)],
)
def test_only_calls_that_end_with_bytes_unlike_those_announced_are_counted(
    refused: Refused, got_on: bool, calls: int
) -> None:
    assert count_calls(2, Tries(got_on=got_on), refused) == calls
