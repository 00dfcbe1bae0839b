"""FAULT-25, 27, 28: slots that nobody started, and the backlog that never is (RUN-38, RUN-39, CRON-53)."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from homes import Home, make_home
from lab import Lab, kill

from runner.launch.installed import Installed, change_installed, read_installed
from runner.launch.instant import format_instant, format_slot
from runner.launch.pauses import Pause, write_pause
from runner.launch.record import open_record, write_record
from runner.launch.slot import Schedule
from runner.plans.installed import note_installed
from runner.plans.write import read_compiled_plans
from runner.registry.schedule import parse_when

HOUR_S, DAY_S = 3600, 86400.0
NOTE_SLOT = 'echo "$RUNNER_SLOT" >> "$RUNNER_WORK/slots"'


def half_past() -> int:
    """Return the instant half an hour ago, at a whole minute: no test waits for the minute of its slots."""
    return int(time.time() - HOUR_S / 2) // 60 * 60


def hourly(slot: int) -> str:
    """Return the ``when`` of which `slot` is one."""
    return f"{slot // 60 % 60} * * * *"


def be_off(state: Path, hours: float) -> None:
    """Make the last sweep one of so many hours ago, of a host that went off then."""
    descriptor = open_record(str(state / "sweep.alive"))
    then = format_instant(time.time() - hours * HOUR_S)
    write_record(descriptor, [("missed", then), ("late", then)])
    os.close(descriptor)


def install(lab: Lab, days_ago: float = 2) -> None:
    note_installed(lab.state, read_compiled_plans(lab.home), time.time() - days_ago * DAY_S)


def schedules(slot: int) -> list[Schedule]:
    return [parse_when(hourly(slot)).schedule]


def ran(lab: Lab, plan: str) -> list[str]:
    """Return the RUNNER_SLOT of each run, in order."""
    path = lab.work(plan) / "slots"
    return path.read_text().split() if path.exists() else []


@pytest.mark.parametrize(("policy", "hours_back"), [("skip", []), ("once", [0]), ("all", [2, 1, 0])])
def test_fault_25_of_three_slots_that_passed_while_the_host_was_off(
    lab: Lab, policy: str, hours_back: list[int]
) -> None:
    """Worked example 5; what nothing makes up for is LATE, once, and nothing else (ALERT-17)."""
    slot = half_past()
    lab.job("job", NOTE_SLOT, schedules=schedules(slot), timezone="UTC", missed=policy)
    install(lab)
    be_off(lab.state, 3)

    swept = [lab.sweep() for _ in range(5)]

    late = f"LATE job [dsoc-prod] slot {format_slot(slot)} has no run"
    assert [(result.code, result.subject) for result in swept] == [(0, "" if hours_back else late)] + [(0, "")] * 4
    assert ran(lab, "job") == [format_slot(slot - back * HOUR_S) for back in hours_back]
    assert {start["trigger"] for start in lab.events("start")} <= {"missed"}
    if hours_back:
        lab.assert_clean("job")


def test_fault_25_a_slot_that_was_started_before_the_host_went_off_is_not_started_again(lab: Lab) -> None:
    slot = half_past()
    lab.job("job", NOTE_SLOT, schedules=schedules(slot), timezone="UTC", missed="all")
    install(lab)
    lab.run("job", "--slot", format_slot(slot - 2 * HOUR_S))
    be_off(lab.state, 3)

    for _ in range(4):
        lab.sweep()

    assert ran(lab, "job") == [format_slot(slot - back * HOUR_S) for back in (2, 1, 0)]
    lab.assert_clean("job")


def test_fault_25_at_most_four_missed_runs_live_at_once(lab: Lab) -> None:
    slot = half_past()
    names = [f"job-{number}" for number in range(6)]
    for name in names:
        body = f'{NOTE_SLOT}; while [ ! -e "{lab.home}/go" ]; do sleep 0.01; done'
        lab.job(name, body, schedules=schedules(slot), timezone="UTC", missed="once")
    install(lab)
    be_off(lab.state, 3)

    first = lab.start("--sweep")
    assert first.wait(30) == 0
    lab.wait_for(lambda: len(lab.events("start")) == 4, "four runs")
    second = lab.start("--sweep")
    assert second.wait(30) == 0
    assert sorted(start["plan"] for start in lab.events("start")) == names[:4]

    (lab.home / "go").touch()
    assert [lab.finish(one).err for one in (first, second)] == [b"", b""]
    lab.sweep()
    assert sorted(start["plan"] for start in lab.events("start")) == names
    for name in names:
        lab.assert_clean(name)


def test_fault_25_a_missed_run_outlives_the_sweep_and_its_alert_is_in_the_mail_of_the_sweeps_line(lab: Lab) -> None:
    slot = half_past()
    body = f'while [ ! -e "{lab.home}/go" ]; do sleep 0.01; done; echo no photons >&2; exit 3'
    lab.job("job", body, schedules=schedules(slot), timezone="UTC", missed="once")
    install(lab)
    be_off(lab.state, 3)

    sweep = lab.start("--sweep", start_new_session=True)
    assert sweep.wait(30) == 0
    wrapper = lab.lock("job").wrapper
    assert wrapper
    assert os.getsid(wrapper.pid) == wrapper.pid
    (lab.home / "go").touch()

    assert lab.finish(sweep).subject == "FAILED job [dsoc-prod] exit 3"
    lab.assert_clean("job")


def test_fault_25_a_sweep_that_is_killed_loses_no_slot_and_runs_none_twice(lab: Lab) -> None:
    slot = half_past()
    lab.job("job", NOTE_SLOT, schedules=schedules(slot), timezone="UTC", missed="all")
    install(lab)

    for delay_s in (0.05, 0.08, 0.1, 0.12, 0.15, 0.2):
        be_off(lab.state, 3)
        sweep = lab.start("--sweep")
        time.sleep(delay_s)
        kill(sweep.pid, 9)
        lab.finish(sweep)
    for _ in range(4):
        lab.sweep()
    lab.wait_for(lambda: not lab.processes(), "the last run to end")
    lab.age_litter()
    be_off(lab.state, 3)
    lab.sweep()

    assert ran(lab, "job") == [format_slot(slot - back * HOUR_S) for back in (2, 1, 0)]
    lab.assert_clean("job")


# What starts nothing


@pytest.fixture
def home(
    tmp_path: Path, machine_files: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Home:
    """A home whose job is due each hour, last half an hour ago, and is to make up for all that it misses."""
    home = make_home(tmp_path / "home", machine_files, capfd, monkeypatch)
    put(home, half_past())
    return home


def put(home: Home, slot: int, **keys: str) -> None:
    """Write the job into the registry and install it."""
    more = "".join(f", {key}: {value}" for key, value in keys.items())
    home.job(f"when: '{hourly(slot)}', missed: all{more}")
    answer = home.runner("crontab", "install", "--yes")
    assert answer.code == 0, answer.err


def installed(home: Home) -> Installed:
    return read_installed(str(home.state))["job"]


def age_install(home: Home, days: float) -> None:
    """Make the plan one that has been installed for so many days."""

    def age(plans: dict[str, Installed]) -> dict[str, Installed]:
        plans["job"].since = time.time() - days * DAY_S
        return plans

    change_installed(str(home.state), age)


def sweep(home: Home) -> None:
    """Sweep until all is started that may be."""
    for _ in range(2):
        answer = home.runner("sweep")
        assert (answer.code, answer.err) == (0, "")


def is_idle(home: Home) -> bool:
    return not list(home.state.glob("logs/job/*")) and not installed(home).missed


def test_fault_25_the_home_of_these_tests_does_make_up_for_what_it_misses(home: Home) -> None:
    age_install(home, 2)
    be_off(home.state, 3)
    home.runner("sweep")
    assert not is_idle(home)


def test_fault_27_an_install_starts_nothing(home: Home) -> None:
    be_off(home.state, 3)
    sweep(home)
    assert is_idle(home)


def test_fault_27_a_changed_when_starts_nothing_before_its_install_and_after_it(home: Home) -> None:
    age_install(home, 2)
    home.job(f"when: '{hourly(half_past() - 60)}', missed: all")
    home.compile()
    be_off(home.state, 3)
    sweep(home)
    assert is_idle(home)

    put(home, half_past() - 60)
    be_off(home.state, 3)
    sweep(home)
    assert is_idle(home)


def test_fault_27_an_edit_that_is_taken_back_starts_nothing(home: Home) -> None:
    age_install(home, 2)
    compiled = home.read("crontab.d/plans/job.plan")
    home.job(f"when: '{hourly(half_past() - 60)}', missed: all")
    home.compile()
    sweep(home)
    home.write("crontab.d/plans/job.plan", compiled)
    be_off(home.state, 3)
    sweep(home)
    assert is_idle(home)
    assert time.time() - installed(home).since < 60


def test_fault_28_a_job_that_was_paused_for_a_week_has_no_backlog(home: Home) -> None:
    age_install(home, 8)
    home.runner("pause", "job")
    sweep(home)
    be_off(home.state, 7 * 24)
    home.runner("resume", "job")
    sweep(home)
    assert is_idle(home)


def test_fault_28_a_pause_that_no_sweep_has_seen_leaves_no_backlog(home: Home) -> None:
    """Somebody pauses the job and switches the host off at once; the pause is over when it comes up again."""
    age_install(home, 8)
    home.runner("pause", "job", "--until", "1s")
    time.sleep(1)
    be_off(home.state, 7 * 24)
    sweep(home)
    assert is_idle(home)


def test_fault_28_a_pause_file_that_was_written_and_removed_by_hand_leaves_no_backlog(home: Home) -> None:
    age_install(home, 8)
    write_pause(str(home.state), "job", Pause("ana", time.time() - 7 * DAY_S))
    sweep(home)
    (home.state / "pauses/job").unlink()
    be_off(home.state, 7 * 24)
    sweep(home)
    assert is_idle(home)


def test_fault_28_a_job_that_was_disabled_for_a_week_has_no_backlog(home: Home) -> None:
    age_install(home, 8)
    slot = half_past()
    put(home, slot, enabled="false")
    sweep(home)
    put(home, slot, enabled="true")
    be_off(home.state, 7 * 24)
    sweep(home)
    assert is_idle(home)
