"""What outlives the job: daemons, and children that hold its pipes."""

import os
import signal

import pytest
from lab import SLOT, Lab, is_alive, need_program

_DAEMONS = {
    "setsid": "setsid sleep 999 >/dev/null 2>&1 &",
    "forked twice": "(setsid sh -c 'sleep 999 & exit' >/dev/null 2>&1 &)",
    "holding the pipes": "setsid sleep 999 &",
}
_daemons = pytest.mark.parametrize("body", _DAEMONS.values(), ids=_DAEMONS.keys())


def _find_sleeper(lab: Lab) -> int:
    (pid,) = lab.processes(lab.end("daemon")["run_id"])
    return pid


@_daemons
def test_fault_07_a_daemon_is_named_and_left_alone(lab: Lab, body: str) -> None:
    need_program("setsid")
    lab.job("daemon", body)

    result = lab.run("daemon", "--slot", SLOT)

    end = lab.end("daemon")
    line = f'runner: left behind: pid {_find_sleeper(lab)} "sleep 999"\n'
    assert (result.code, end["outcome"]) == (0, "warned")
    assert end["duration_s"] < 5.5
    assert line in lab.log("daemon").decode()
    assert line in result.mail


@_daemons
def test_fault_07_a_daemon_is_killed_where_the_plan_says_so(lab: Lab, body: str) -> None:
    lab.job("daemon", body, survivors="kill")

    lab.run("daemon", "--slot", SLOT)

    assert lab.end("daemon")["outcome"] == "warned"
    assert b'"sleep 999", killed\n' in lab.log("daemon")
    lab.assert_clean("daemon")


def test_fault_07_a_daemon_is_no_matter_where_the_plan_allows_it(lab: Lab) -> None:
    lab.job("daemon", _DAEMONS["setsid"], survivors="allow")

    result = lab.run("daemon", "--slot", SLOT)

    assert (result.err, lab.end("daemon")["outcome"]) == (b"", "ok")
    assert is_alive(_find_sleeper(lab))


def test_fault_07_a_deaf_survivor_is_killed_too(lab: Lab) -> None:
    lab.job("daemon", "setsid sh -c \"trap '' TERM; while :; do sleep 0.1; done\" >/dev/null 2>&1 &", survivors="kill")

    lab.run("daemon", "--slot", SLOT)

    assert lab.end("daemon")["outcome"] == "warned"
    lab.assert_clean("daemon")


def test_fault_07_the_next_run_gets_the_lock_that_the_daemon_inherited(lab: Lab) -> None:
    lab.job("daemon", f"[ -e $RUNNER_WORK/again ] || {_DAEMONS['setsid']}\ntouch $RUNNER_WORK/again")
    lab.run("daemon", "--slot", "2026-03-08T07:00:00Z")
    lab.wait_for(lab.processes, "the daemon to be seen")

    result = lab.run("daemon", "--slot", "2026-03-08T07:05:00Z")

    assert result.code == 0
    assert lab.outcomes("daemon") == ["warned", "ok"]


def test_fault_07_a_child_that_ends_soon_is_no_survivor(lab: Lab) -> None:
    lab.job("short", "sleep 0.5 &")

    result = lab.run("short", "--slot", SLOT)

    assert (result.err, lab.end("short")["outcome"]) == (b"", "ok")


def test_fault_11_a_child_that_holds_the_pipe_does_not_hold_the_run(lab: Lab) -> None:
    lab.job("holder", "(sleep 30 >&2) &")

    lab.run("holder", "--slot", SLOT)

    end = lab.end("holder")
    pids = lab.processes(end["run_id"])
    assert end["outcome"] == "warned"
    assert end["duration_s"] <= 5.0
    assert any(f"left behind: pid {pid} ".encode() in lab.log("holder") for pid in pids)
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    lab.assert_clean("holder")


def test_fault_11_what_the_child_says_in_time_is_in_the_log(lab: Lab) -> None:
    lab.job("late", "(sleep 1; echo late words) &")

    lab.run("late", "--slot", SLOT)

    assert lab.output("late") == b"late words\n"
    assert lab.end("late")["outcome"] == "ok"
