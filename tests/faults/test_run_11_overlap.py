"""RUN-11, RUN-12: what becomes of a slot while the run before still goes on, under each `overlap`."""

import fcntl
import signal
import subprocess

import pytest
from lab import Lab, Result

_HOLD = 'touch "$RUNNER_WORK/ready"; while [ ! -e "$RUNNER_WORK/go" ]; do sleep 0.02; done; echo "$RUNNER_SLOT"'
_SLOTS = [f"2026-03-08T07:{minute:02d}:00Z" for minute in range(60)]


def _let_go(lab: Lab, *wrappers: subprocess.Popen[bytes]) -> list[Result]:
    (lab.work("job") / "go").touch()
    return [lab.finish(wrapper) for wrapper in wrappers]


def _start_waiting(lab: Lab, slot: str) -> subprocess.Popen[bytes]:
    waiter = lab.start("job", "--slot", slot)
    lab.wait_for(lambda: [event for event in lab.events("wait") if event["slot"] == slot], "a run to wait")
    return waiter


def test_wait_runs_after_the_one_before(lab: Lab) -> None:
    lab.job("job", _HOLD, overlap="wait")
    first = lab.start_running("job", "--slot", _SLOTS[0])
    second = _start_waiting(lab, _SLOTS[1])

    results = _let_go(lab, first, second)

    one, other = lab.events("end", "job")
    assert [(result.code, result.err) for result in results] == [(0, b"")] * 2
    assert [one["slot"], other["slot"]] == _SLOTS[:2]
    assert other["started_at"] >= one["ended_at"]
    assert lab.lock("job").slots == _SLOTS[:2]
    lab.assert_clean("job")


def test_wait_queues_one_run_and_skips_a_second(lab: Lab) -> None:
    lab.job("job", _HOLD, overlap="wait")
    first = lab.start_running("job", "--slot", _SLOTS[0])
    waiter = _start_waiting(lab, _SLOTS[1])

    third = lab.run("job", "--slot", _SLOTS[2])
    again = lab.run("job", "--slot", _SLOTS[1])

    assert (third.code, again.code) == (0, 0)
    _let_go(lab, first, waiter)
    (skip,) = lab.events("skip", "job")
    assert (skip["slot"], skip["reason"]) == (_SLOTS[2], "overlap")
    assert skip["detail"].endswith("waits already")
    assert lab.outcomes("job") == ["skipped", "ok", "ok"]
    lab.assert_clean("job")


def test_wait_has_an_end_and_that_is_a_skip(lab: Lab) -> None:
    lab.job("job", _HOLD)
    first = lab.start_running("job", "--slot", _SLOTS[0])
    lab.job("job", _HOLD, overlap="wait", timeout_s=0.3)

    second = lab.run("job", "--slot", _SLOTS[1])

    assert second.code == 0
    assert lab.events("skip", "job")[0]["detail"].startswith("waited 0.3 s for run 2")
    _let_go(lab, first)
    lab.assert_clean("job")


def test_a_waiting_run_is_stopped_by_a_shutdown(lab: Lab) -> None:
    lab.job("job", _HOLD, overlap="wait")
    first = lab.start_running("job", "--slot", _SLOTS[0])
    waiter = _start_waiting(lab, _SLOTS[1])

    waiter.send_signal(signal.SIGTERM)
    stopped = lab.finish(waiter, within_s=5)

    assert (stopped.code, stopped.err) == (143, b"")
    assert lab.end("job")["outcome"] == "stopped"
    assert lab.end("job")["slot"] == _SLOTS[1]
    _let_go(lab, first)
    lab.assert_clean("job")
    assert lab.is_lock_free("job+wait")


def test_a_slot_that_waits_is_not_started_by_another_firing(lab: Lab) -> None:
    """CRON-35: it leaves no record."""
    lab.job("job", _HOLD, overlap="wait")
    first = lab.start_running("job", "--slot", _SLOTS[0])
    waiter = _start_waiting(lab, _SLOTS[1])

    assert lab.run("job", "--slot", _SLOTS[1]).code == 0

    _let_go(lab, first, waiter)
    assert lab.outcomes("job") == ["ok", "ok"]


def test_a_waiting_run_that_is_killed_is_lost_and_keeps_nobody_from_waiting(lab: Lab) -> None:
    """Its start, which only the queue's file knew, outlives the name of the next who waits there."""
    lab.job("job", _HOLD, overlap="wait")
    first = lab.start_running("job", "--slot", _SLOTS[0])
    killed = _start_waiting(lab, _SLOTS[1])
    killed.kill()
    killed.wait()
    second = _start_waiting(lab, _SLOTS[2])

    _let_go(lab, first, second)
    lab.sweep()

    ends = {event["slot"]: event["outcome"] for event in lab.events("end", "job")}
    assert ends == {_SLOTS[0]: "ok", _SLOTS[1]: "lost", _SLOTS[2]: "ok"}
    lab.assert_clean("job")


def test_nothing_runs_beside_a_holder_that_cannot_say_which_slot_it_has(lab: Lab) -> None:
    """RUN-9: it may be this very one. So it is where a full disk takes no name."""
    lab.job("job", f"touch {lab.home}/ran", overlap="allow")
    with open(lab.state / "locks" / "job", "wb") as holder:
        fcntl.flock(holder, fcntl.LOCK_EX)

        result = lab.run("job", "--slot", _SLOTS[0])

    assert (result.code, (lab.home / "ran").exists()) == (0, False)
    assert lab.events("skip", "job")[0]["detail"].endswith("which may have this very slot")


def test_replace_ends_the_run_before_and_starts(lab: Lab) -> None:
    lab.job("job", _HOLD, overlap="replace")
    first = lab.start_running("job", "--slot", _SLOTS[0])
    (lab.work("job") / "ready").unlink()

    second = lab.start_running("job", "--slot", _SLOTS[1])

    replaced = lab.finish(first, within_s=5)
    (result,) = _let_go(lab, second)
    stopped, ok = lab.events("end", "job")
    assert (replaced.code, replaced.err, result.code) == (143, b"", 0)
    assert (stopped["outcome"], stopped["reason"]) == ("stopped", f"replaced by {ok['run_id']}")
    assert ok["outcome"] == "ok"
    assert not list((lab.state / "stops").iterdir())
    lab.assert_clean("job")


def test_replace_gives_up_on_a_run_that_does_not_end(lab: Lab) -> None:
    lab.job("job", _HOLD, overlap="replace", grace_s=0.2)
    first = lab.start_running("job", "--slot", _SLOTS[0])
    first.send_signal(signal.SIGSTOP)

    second = lab.run("job", "--slot", _SLOTS[1], within_s=15)

    first.send_signal(signal.SIGCONT)
    assert second.code == 75
    assert lab.outcomes("job")[0] == "skipped"
    lab.finish(first)
    lab.assert_clean("job")


def test_allow_runs_them_beside_each_other(lab: Lab) -> None:
    lab.job("job", f'touch "$RUNNER_WORK/$RUNNER_SLOT"; {_HOLD}', overlap="allow")
    wrappers = [lab.start("job", "--slot", slot) for slot in _SLOTS[:4]]
    lab.wait_for(lambda: all((lab.work("job") / slot).exists() for slot in _SLOTS[:4]), "four runs at once")

    again = [lab.run("job", "--slot", slot) for slot in _SLOTS[:4]]

    assert [(result.code, result.err) for result in again] == [(0, b"")] * 4
    results = _let_go(lab, *wrappers)
    assert [result.code for result in results] == [0] * 4
    assert sorted(event["slot"] for event in lab.events("end", "job")) == _SLOTS[:4]
    assert [lab.is_lock_free(name) for name in ("job", "job+1", "job+2", "job+3")] == [True] * 4
    lab.assert_clean("job")


def test_allow_starts_no_slot_twice_when_locks_are_free_again(lab: Lab) -> None:
    lab.job("job", f'touch "$RUNNER_WORK/$RUNNER_SLOT"; {_HOLD}', overlap="allow")
    wrappers = [lab.start("job", "--slot", slot) for slot in _SLOTS[:3]]
    lab.wait_for(lambda: all((lab.work("job") / slot).exists() for slot in _SLOTS[:3]), "three runs at once")
    _let_go(lab, *wrappers)

    for slot in _SLOTS[:3]:
        assert lab.run("job", "--slot", slot).code == 0

    assert len(lab.events("start", "job")) == 3


@pytest.mark.parametrize("overlap", ["wait", "replace"])
def test_a_person_is_told_and_not_made_to_wait(lab: Lab, overlap: str) -> None:
    lab.job("job", _HOLD, overlap=overlap)
    first = lab.start_running("job", "--slot", _SLOTS[0])

    result = lab.run("job", "--hand")

    assert result.code == 75
    assert f"wrapper pid {first.pid}" in result.mail
    _let_go(lab, first)
    lab.assert_clean("job")


def test_200_starts_of_one_plan_at_once_give_one_run_and_199_skips(lab: Lab) -> None:
    lab.job("job", _HOLD)
    wrappers = [lab.start("job", "--slot", f"2026-03-{8 + n // 60:02d}T08:{n % 60:02d}:00Z") for n in range(200)]
    lab.wait_for(lambda: len(lab.events("skip")) == 199, "199 skips", within_s=60)

    results = _let_go(lab, *wrappers)

    assert [result.code for result in results] == [0] * 200
    assert sorted(lab.outcomes("job")) == ["ok"] + ["skipped"] * 199
    lab.assert_clean("job")
