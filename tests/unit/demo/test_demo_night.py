"""Which slots the demo plays, and how it judges what came of them."""

import time

import pytest

from runner.demo.night import MAILS, OUTCOMES, TCSH_JOB, Firing, find_differences, find_morning, plan_night
from runner.launch.slot import use_zone
from runner.registry.schedule import parse_when

SUBJECTS = [f"{words} [local] because" for words in MAILS]
NOON = 1_795_262_400  # 2026-11-21T12:00:00Z
MORNING = NOON - 4 * 3600


@pytest.fixture(autouse=True)
def _utc():
    use_zone("UTC")
    yield
    use_zone(None)


def test_the_night_ends_at_eight_of_the_same_day():
    assert find_morning(NOON) == MORNING


def test_before_eight_the_night_is_that_of_yesterday():
    assert find_morning(MORNING - 60) == MORNING - 24 * 3600


def test_the_night_before_the_first_of_a_month_is_found():
    first = time.mktime((2026, 3, 1, 2, 0, 0, 0, 0, -1))
    assert time.localtime(find_morning(first))[:4] == (2026, 2, 28, 8)


def test_an_hourly_job_comes_due_three_times_in_order_with_the_others():
    schedules = {"hourly": [parse_when("5 * * * *").schedule], "daily": [parse_when("0 7 * * *").schedule]}
    evening = MORNING - 3 * 3600
    assert plan_night(schedules, MORNING) == (
        Firing(evening + 300, "hourly"),
        Firing(evening + 3900, "hourly"),
        Firing(evening + 7200, "daily"),
        Firing(evening + 7500, "hourly"),
    )


def test_a_night_as_expected_has_no_differences():
    assert find_differences(OUTCOMES, SUBJECTS, tcsh=True) == ()


def test_without_tcsh_its_job_is_not_missed():
    outcomes = {job: seen for job, seen in OUTCOMES.items() if job != TCSH_JOB}
    assert find_differences(outcomes, SUBJECTS, tcsh=False) == ()


def test_a_job_that_ended_otherwise_is_named_with_both_outcomes():
    outcomes = {**OUTCOMES, "mirror-night": ("ok",)}
    assert find_differences(outcomes, SUBJECTS, tcsh=True) == ("mirror-night: ok, not timed_out",)


def test_a_job_that_never_ran_is_named():
    outcomes = {job: seen for job, seen in OUTCOMES.items() if job != "exposures-wfc3"}
    assert find_differences(outcomes, SUBJECTS, tcsh=True) == ("exposures-wfc3: nothing, not ok",)


def test_a_mail_too_many_is_a_difference():
    (difference,) = find_differences(OUTCOMES, [*SUBJECTS, "STILL FAILED check-darks"], tcsh=True)
    assert "STILL FAILED, not" in difference
