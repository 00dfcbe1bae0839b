"""Timeouts that cannot be ignored, and jobs that end when they end and not before."""

import time

from lab import SLOT, Lab

# What the wrapper itself may take besides timeout and grace (RUN-32).
_SPARE_S = 2.0


def test_fault_08_a_job_that_ignores_term_is_killed_after_the_grace(lab: Lab) -> None:
    lab.job("deaf", "trap '' TERM; while :; do sleep 0.1; done", timeout_s=1.0, grace_s=1.0)

    result = lab.run("deaf", "--slot", SLOT)

    end = lab.end("deaf")
    assert (result.code, end["outcome"], end["exit_code"]) == (124, "timed_out", 124)
    assert 2.0 <= end["duration_s"] < 2.0 + _SPARE_S
    assert result.subject == "TIMED_OUT deaf [dsoc-prod] timeout after 1 s"
    lab.assert_clean("deaf")


def test_fault_08_a_polite_job_ends_without_waiting_for_the_grace(lab: Lab) -> None:
    lab.job("polite", "trap 'echo cleaning up; exit 0' TERM; sleep 60 & wait", timeout_s=0.5, grace_s=30.0)

    result = lab.run("polite", "--slot", SLOT)

    assert (result.code, lab.end("polite")["outcome"]) == (124, "timed_out")
    assert b"cleaning up\n" in lab.log("polite")
    assert lab.end("polite")["duration_s"] < 0.5 + _SPARE_S
    lab.assert_clean("polite")


def test_fault_08_daemons_in_sessions_of_their_own_are_reached(lab: Lab) -> None:
    deaf = "setsid sh -c \"trap '' TERM; while :; do sleep 0.1; done\" &"
    lab.job("family", f"{deaf}\n({deaf})\n{deaf}\nwait", timeout_s=0.5, grace_s=0.3)

    lab.run("family", "--slot", SLOT)

    assert lab.end("family")["outcome"] == "timed_out"
    lab.assert_clean("family")


def test_fault_08_no_step_follows_a_timeout(lab: Lab) -> None:
    slow, after = lab.script("slow", "sleep 60"), lab.script("after", "touch $RUNNER_WORK/after")
    lab.plan("steps", steps=[[slow], lab.step("always", after)], timeout_s=0.3, grace_s=1.0)

    lab.run("steps", "--slot", SLOT)

    assert not (lab.work("steps") / "after").exists()
    lab.assert_clean("steps")


def test_fault_08_the_timeout_counts_all_steps(lab: Lab) -> None:
    lab.plan("steps", steps=[["sleep", "0.4"], ["sleep", "0.4"], ["sleep", "60"]], timeout_s=1.0, grace_s=1.0)

    assert lab.run("steps", "--slot", SLOT).code == 124

    assert 1.0 <= lab.end("steps")["duration_s"] < 1.0 + _SPARE_S


def test_fault_08_somebody_who_does_not_read_what_he_watches_puts_off_no_timeout(lab: Lab) -> None:
    """A pager that waits, a terminal on ^S: he holds up the job's output and nothing else."""
    lab.job("chatty", "yes | head -c 1000000; sleep 60", timeout_s=0.5, grace_s=0.5)
    wrapper = lab.start("chatty", "--hand")

    lab.wait_for(lambda: lab.events("end", "chatty"), "the run to be recorded as ended", within_s=10)

    lab.wait_for(lambda: lab.is_lock_free("chatty"), "the lock to be free")
    result = lab.finish(wrapper)
    assert (result.code, lab.end("chatty")["outcome"]) == (124, "timed_out")
    assert b"y\n" * 1000 in result.out
    lab.assert_clean("chatty")


def test_fault_08_who_reads_late_gets_all_of_it(lab: Lab) -> None:
    lab.job("chatty", "seq 200000; seq 20000 >&2; touch $RUNNER_WORK/ready")
    wrapper = lab.start("chatty", "--hand")
    time.sleep(0.5)
    assert not (lab.work("chatty") / "ready").exists()

    result = lab.finish(wrapper)

    assert result.out.split() == [b"%d" % number for number in range(1, 200001)]
    assert result.err.startswith(b"".join([b"%d\n" % number for number in range(1, 20001)]))
    lab.assert_clean("chatty")


def test_fault_08_who_stops_watching_stops_no_job(lab: Lab) -> None:
    lab.job("chatty", "seq 30000; touch $RUNNER_WORK/done")
    wrapper = lab.start("chatty", "--hand")
    wrapper.stdout.close()

    assert wrapper.wait(20) == 0

    assert (lab.work("chatty") / "done").exists()
    assert lab.output("chatty").endswith(b"30000\n")


def test_fault_09_a_stopped_job_is_ended_all_the_same(lab: Lab) -> None:
    lab.job("stopped", "kill -STOP $$", timeout_s=0.5, grace_s=5.0)

    result = lab.run("stopped", "--slot", SLOT)

    end = lab.end("stopped")
    assert (result.code, end["outcome"]) == (124, "timed_out")
    assert end["duration_s"] < 0.5 + _SPARE_S, "CONT lets TERM through"
    lab.assert_clean("stopped")


def test_fault_10_a_job_that_closes_its_streams_runs_on(lab: Lab) -> None:
    lab.job("mute", "echo last words; exec >&- 2>&-; sleep 2; touch $RUNNER_WORK/done")

    result = lab.run("mute", "--slot", SLOT)

    assert (result.code, result.err) == (0, b"")
    assert lab.end("mute")["duration_s"] >= 2.0
    assert (lab.work("mute") / "done").exists()
    lab.assert_clean("mute")
