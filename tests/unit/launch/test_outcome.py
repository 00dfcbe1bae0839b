"""DESIGN section 6, RUN-23, RUN-36, ALERT-3: exit status and stderr to outcome."""

import pytest

from runner.launch.outcome import FAILED, OK, STOPPED, WARNED, Ending, judge_status, judge_stderr, should_run


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (0, ("ok", "", 0, 0)),
        (3 << 8, ("failed", "exit 3", 3, 0)),
        (255 << 8, ("failed", "exit 255", 255, 0)),
        (15, ("failed", "killed by signal 15 (TERM)", 143, 15)),
        (11 | 0x80, ("failed", "killed by signal 11 (SEGV)", 139, 11)),
        (9, ("failed", "killed by signal 9 (KILL), maybe out of memory", 137, 9)),
        (40, ("failed", "killed by signal 40 (40)", 168, 40)),
    ],
)
def test_a_wait_status_says_how_a_process_ended(status: int, expected: tuple[object, ...]) -> None:
    ending = judge_status(status)

    assert (ending.outcome, ending.reason, ending.exit_code, ending.signal) == expected


def test_a_kill_names_the_count_of_the_cgroup() -> None:
    """FAULT-2."""
    assert judge_status(9, oom_kills=4).reason == "killed by signal 9 (KILL), maybe out of memory (oom_kill 4)"


@pytest.mark.parametrize(
    ("policy", "lines", "expected"),
    [
        ("ignore", 3, (OK, "")),
        ("warn", 0, (OK, "")),
        ("warn", 1, (WARNED, "1 line on stderr")),
        ("warn", 2, (WARNED, "2 lines on stderr")),
        ("fail", 0, (OK, "")),
        ("fail", 2, (FAILED, "stderr")),
    ],
)
def test_stderr_of_a_good_run_is_judged_by_the_policy(policy: str, lines: int, expected: tuple[str, str]) -> None:
    ending = judge_stderr(Ending(OK, "", 0), policy, lines)

    assert (ending.outcome, ending.reason) == expected
    assert ending.exit_code == 0


@pytest.mark.parametrize("ending", [Ending(FAILED, "exit 3", 3), Ending(STOPPED, "shutdown", 143)])
def test_stderr_of_another_run_changes_nothing(ending: Ending) -> None:
    assert judge_stderr(ending, "fail", 5) is ending


@pytest.mark.parametrize(
    ("condition", "after_success", "after_failure"),
    [("success", True, False), ("failure", False, True), ("always", True, True)],
)
def test_a_step_runs_on_its_condition(condition: str, after_success: bool, after_failure: bool) -> None:
    """RUN-23."""
    assert should_run(condition, failed=False) == after_success
    assert should_run(condition, failed=True) == after_failure
