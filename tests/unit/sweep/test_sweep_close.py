"""Runs whose wrapper is gone are closed, truthfully and once (RUN-17); the faults themselves are in tests/faults."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import kills
import pytest
from housekeeping import NOBODY, House, make_house
from journals import NOW, end_of, start_of

from runner.launch.installed import Installed, change_installed, read_installed
from runner.launch.journal import encode_event
from runner.launch.lock import find_lock, try_lock
from runner.launch.process import identify
from runner.launch.reserve import append_to_reserve, make_reserve
from runner.launch.state import make_directory
from runner.launch.stops import write_stop

DAY_S = 86400.0
STARTED_AT = NOW - 7200


@pytest.fixture
def house(tmp_path: Path) -> House:
    return make_house(tmp_path / "home")


def _kinds(house: House) -> list[str]:
    return [event["event"] for event in house.events()]


def test_a_run_that_never_reached_the_journal_gets_its_start_too(house: House) -> None:
    start = house.leave_run("download", job=None)

    assert house.sweep("close").detail == "closed as lost: download"

    begin, flip, end = house.events()
    assert begin == start
    assert (end["event"], end["outcome"], end["reason"]) == ("end", "lost", "its wrapper was killed")
    assert (end["exit_code"], end["duration_s"], end["alerted"]) == (None, None, "first")
    assert (flip["event"], flip["kind"], flip["incident"]) == ("flip", "open", start["run_id"])
    assert house.lock("download").run_id == ""
    assert house.lock("download").slots == [start["slot"]]


def test_a_start_that_is_in_the_journal_is_not_written_again(house: House) -> None:
    house.journal.append(house.leave_run("download"))

    house.sweep("close")

    assert _kinds(house) == ["start", "flip", "end"]


def test_a_run_whose_end_is_recorded_only_frees_its_lock(house: House) -> None:
    """The wrapper was killed between the record of the end and the lock file."""
    start = house.leave_run("download")
    house.journal.append(start, end_of(start))

    assert house.sweep("close").detail == ""

    assert _kinds(house) == ["start", "end"]
    assert house.lock("download").run_id == ""


def test_an_end_that_stands_before_its_start_closes_the_run(house: House) -> None:
    """They came out of the reserve later, or the clock was set back: whoever reads on from here has to know."""
    start = house.leave_run("download", boot_id="another-boot")
    end = end_of(start)
    house.journal.append(end, start)

    assert house.sweep("close").detail == ""
    assert house.sweep("close").detail == ""

    assert house.events() == [end, start, end]


def test_a_run_whose_end_waits_in_the_reserve_is_not_lost(house: House) -> None:
    """RUN-15: the disk filled up between its start and its end."""
    start = house.leave_run("download", boot_id="another-boot")
    house.journal.append(start)
    make_reserve(str(house.state))
    append_to_reserve(str(house.state), encode_event(end_of(start)))

    assert house.sweep("close").detail == ""

    assert {event["outcome"] for event in house.events() if event["event"] == "end"} == {"ok"}


def test_a_run_of_an_earlier_boot_was_lost_with_the_host(house: House, capfd: pytest.CaptureFixture[str]) -> None:
    house.leave_run("download", identify(os.getpid()), boot_id="another-boot")

    house.sweep("close")

    assert house.events()[-1]["reason"] == "host rebooted"
    assert capfd.readouterr().err.splitlines()[0] == "LOST download [dsoc-prod] host rebooted"


def test_a_run_is_found_in_the_journal_when_the_lock_file_is_gone(house: House) -> None:
    """After a power loss: only the journal is synced."""
    start = house.leave_run("download", boot_id="another-boot")
    house.journal.append(start)
    (house.state / "locks" / "download").unlink()

    assert house.sweep("close").detail == "closed as lost: download"


def test_a_run_whose_job_lives_is_left_alone(house: House) -> None:
    house.journal.append(house.leave_run("download", identify(os.getpid()), timeout_s=0))

    assert house.sweep("close", NOW + 400 * DAY_S).detail == ""
    assert _kinds(house) == ["start"]


def test_a_job_that_its_wrapper_could_not_note_any_more_is_known_by_its_mark(house: House) -> None:
    """A wrapper killed right after the spawn of a tcsh job, which drops the lock (RUN-10)."""
    start = house.leave_run("download", job=None)
    job = subprocess.Popen(["sleep", "60"], env={"PATH": "/usr/bin:/bin", "RUNNER_RUN_ID": start["run_id"]})
    try:
        assert house.sweep("close").detail == ""
    finally:
        job.kill()
        job.wait()
    assert house.sweep("close").detail == "closed as lost: download"


def test_a_run_of_another_host_is_left_alone(house: House) -> None:
    house.journal.append(house.leave_run("download", host="elsewhere.example.org", boot_id="another-boot"))

    assert house.sweep("close").detail == ""


def test_a_run_by_hand_is_closed_without_a_mail(house: House, capfd: pytest.CaptureFixture[str]) -> None:
    house.leave_run("download", trigger="hand")

    house.sweep("close")

    assert _kinds(house) == ["start", "end"]
    assert capfd.readouterr().err == ""


def test_the_footer_begins_a_line_of_its_own(house: House) -> None:
    start = house.leave_run("download")
    directory = house.state / "logs" / "download"
    make_directory(str(directory))
    (directory / f"{start['run_id']}.log").write_text("half a line")

    house.sweep("close")

    text, footer = (directory / f"{start['run_id']}.log").read_text().splitlines()
    assert (text, footer.split(" ")[:3]) == ("half a line", ["#", "end", start["run_id"]])


def test_what_a_crash_left_in_a_lock_file_stops_no_other(house: House) -> None:
    house.leave_run("download")
    record = house.state / "locks" / "index"
    record.write_text('slots \nrun 20261121T000000.000000Z-x-1\nboot b\nstart {"event": "st\n.\n')
    record.chmod(0o600)

    assert house.sweep("close").detail == "closed as lost: download"


def _start_deaf_job(house: House) -> subprocess.Popen[bytes]:
    """Start a process that ignores TERM, holds the lock of a plan and has the environment of one of its runs."""
    program = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    descriptor, is_ours = try_lock(str(house.state / "locks" / "download"))
    assert is_ours
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        env={"RUNNER_RUN_ID": start_of(at=STARTED_AT)["run_id"]},
        start_new_session=True,
        stdout=subprocess.PIPE,
        pass_fds=[descriptor],
    )
    os.close(descriptor)
    assert process.stdout
    process.stdout.readline()
    return process


@pytest.mark.parametrize("is_recorded", [True, False], ids=["the job", "a daemon of it"])
def test_what_outlives_wrapper_and_timeout_is_killed_after_its_grace(house: House, *, is_recorded: bool) -> None:
    house.plan("download", grace_s=0.2)
    with _start_deaf_job(house) as process:
        job = identify(process.pid) if is_recorded else NOBODY
        house.journal.append(house.leave_run("download", job, STARTED_AT, timeout_s=60))
        house.sweep("close", STARTED_AT + 59)
        assert process.poll() is None, "its time is not over"

        house.sweep("close", STARTED_AT + 60)

        assert process.wait(10) == -signal.SIGKILL
    house.sweep("close")
    assert [event["outcome"] for event in house.events() if event["event"] == "end"] == ["lost"]


def test_a_sweep_that_is_killed_at_any_step_closes_the_run_once(house: House) -> None:
    house.leave_run("download")

    tries = kills.run("close", house, f"sqlite:///{house.state}/runner.db", every=9)

    assert len(tries) > 20
    for one in tries:
        events = [kind for kind in one["events"] if kind != "flip"]
        assert (events, one["holder"]) == (["start", "end"], "")


# Runs that wait or run beside another


def test_a_run_that_was_killed_while_it_waited_is_lost_like_any_other(house: House) -> None:
    house.leave_run("download", at=NOW - 60, suffix="+wait", job=None)

    assert house.sweep("close").detail == "closed as lost: download"

    assert _kinds(house) == ["start", "flip", "end"]
    assert house.events()[-1]["reason"] == "its wrapper was killed while it waited"


def test_each_run_of_a_plan_is_closed_under_a_lock_file_of_its_own(house: House) -> None:
    """RUN-11: those of ``overlap: allow``; the plan's own still runs."""
    running = house.leave_run("download", job=identify(os.getpid()))
    starts = [house.leave_run("download", at=NOW - back, suffix=f"+{back}") for back in (1, 2, 3)]

    house.sweep("close")

    ended = [event["run_id"] for event in house.events() if event["event"] == "end"]
    assert sorted(ended) == sorted(start["run_id"] for start in starts)
    assert house.lock("download").run_id == running["run_id"]
    for back in (1, 2, 3):
        record = find_lock(str(house.state / "locks" / f"download+{back}"))
        assert record
        assert record.run_id == ""


# A run that is to be run again (RUN-17)


@pytest.fixture
def again(house: House) -> House:
    """A house with an installed plan whose lost runs are run again."""
    house.plan("download", rerun_lost=True)
    change_installed(str(house.state), lambda _: {"download": Installed("download", NOW - DAY_S, "", [])})
    return house


def owed(house: House) -> list[str]:
    return read_installed(str(house.state))["download"].rerun


@pytest.mark.parametrize("trigger", ["cron", "missed"])
def test_the_slot_of_a_lost_run_is_owed_and_free(again: House, trigger: str) -> None:
    start = again.leave_run("download", trigger=trigger)
    again.sweep("close")
    assert owed(again) == [start["slot"]]
    assert again.lock("download").slots == []


@pytest.mark.parametrize("trigger", ["hand", "rerun"])
def test_what_a_person_asked_for_and_a_rerun_are_not_run_again(again: House, trigger: str) -> None:
    start = again.leave_run("download", trigger=trigger)
    assert again.sweep("close").detail == "closed as lost: download"
    assert owed(again) == []
    assert again.lock("download").slots == [start["slot"]]


def test_without_rerun_lost_a_lost_run_is_never_run_again(again: House) -> None:
    again.plan("download", retry_times=3, missed="all")
    again.leave_run("download")
    again.sweep("close")
    assert owed(again) == []


def test_a_run_whose_end_is_recorded_is_not_run_again(again: House) -> None:
    start = again.leave_run("download")
    again.journal.append(start, end_of(start))
    again.sweep("close")
    assert (owed(again), again.lock("download").slots) == ([], [start["slot"]])


def test_what_somebody_stopped_after_its_wrapper_was_killed_is_not_run_again(again: House) -> None:
    start = again.leave_run("download")
    write_stop(str(again.state), "download", start["run_id"], "ana", "wrong input", NOW)
    again.sweep("close")
    assert owed(again) == []
    assert again.events()[-1]["reason"] == "its wrapper was killed, stopped by ana: wrong input"
