"""ALERT-18: a run that succeeded took too long, or not long enough."""

import pytest

from runner.launch.expect import judge_duration
from runner.launch.outcome import FAILED, OK, STOPPED, TIMED_OUT, WARNED, Ending
from runner.launch.plan import Plan


def _expect(longest_s: float = 0.0, shortest_s: float = 0.0) -> Plan:
    plan = Plan("job", "job", "p")
    plan.max_duration_s, plan.min_duration_s = longest_s, shortest_s
    return plan


@pytest.mark.parametrize(
    ("duration_s", "longest_s", "shortest_s", "reason"),
    [
        (12.44, 10, 0, "took 12.4 s, expected at most 10 s"),
        (10, 10, 0, ""),
        (0.1, 0, 5, "took 0.1 s, expected at least 5 s"),
        (5, 0, 5, ""),
        (7, 10, 5, ""),
        (0.1, 10, 5, "took 0.1 s, expected at least 5 s"),
        (1e6, 0, 0, ""),
    ],
)
def test_a_good_run_of_another_duration_than_expected_is_warned(
    duration_s: float, longest_s: float, shortest_s: float, reason: str
) -> None:
    ending = judge_duration(Ending(OK, "", 0), duration_s, _expect(longest_s, shortest_s))

    assert (ending.outcome, ending.reason, ending.exit_code) == (WARNED if reason else OK, reason, 0)


def test_what_stderr_has_said_is_named_as_well() -> None:
    ending = judge_duration(Ending(WARNED, "2 lines on stderr", 0), 12.4, _expect(10))

    assert ending.reason == "2 lines on stderr; took 12.4 s, expected at most 10 s"


@pytest.mark.parametrize("outcome", [FAILED, TIMED_OUT, STOPPED])
def test_of_a_run_that_did_not_succeed_nothing_more_is_expected(outcome: str) -> None:
    ending = Ending(outcome, "why", 1)

    assert judge_duration(ending, 0.1, _expect(0, 5)) is ending
