"""RUN-25: which ending is followed by another attempt, and after how long."""

import pytest

from runner.launch.outcome import Ending
from runner.launch.retry import choose_pause, is_retried

FAILED = Ending("failed", "exit 3", 3)
MEMORY = Ending("failed", "memory", 1)
TIMED_OUT = Ending("timed_out", "timeout after 1 s", 124)
CANNOT_START = Ending("cannot_start", "no file", 127)


@pytest.mark.parametrize(
    ("ending", "on", "again"),
    [
        (FAILED, [], True),
        (TIMED_OUT, [], True),
        (CANNOT_START, [], False),
        (CANNOT_START, ["cannot_start"], True),
        (FAILED, ["timed_out"], False),
        (FAILED, ["3"], True),
        (FAILED, ["4"], False),
        (FAILED, ["memory"], False),
        (MEMORY, ["memory"], True),
        (MEMORY, ["failed"], True),
        (Ending("failed", "stderr", 0), ["failed"], True),
        (Ending("ok", "", 0), ["failed", "0"], False),
        (Ending("warned", "1 line on stderr", 0), ["failed"], False),
        (Ending("stopped", "shutdown", 143), ["failed", "143"], False),
    ],
)
def test_an_ending_is_retried_if_the_plan_names_it(ending: Ending, on: list[str], again: bool) -> None:
    assert is_retried(ending, on) is again


@pytest.mark.parametrize(
    ("attempt", "delay_s", "backoff", "pause_s"),
    [(1, 60, 1, 60), (2, 60, 2, 120), (3, 60, 2, 240), (9, 60, 2, 3600), (5000, 60, 100, 3600), (3, 0, 2, 0)],
)
def test_pauses_grow_by_the_factor_up_to_an_hour(attempt: int, delay_s: float, backoff: float, pause_s: float) -> None:
    assert choose_pause(attempt, delay_s, backoff) == pause_s
