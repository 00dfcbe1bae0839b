"""What the sweep tells as late or long, by lock files, the journal and what was told before (ALERT-17, ALERT-18)."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from housekeeping import NOBODY, House, make_house
from journals import NOW, run_of, skip_of, start_of

from runner.launch.incident import Health, enter_outcome, parse_health
from runner.launch.installed import rest_installed
from runner.launch.instant import format_instant, format_slot
from runner.launch.lock import LockRecord
from runner.launch.outbox import Entry, read_entry
from runner.launch.pauses import Pause, write_pause
from runner.launch.plan import HOME_PLAN, HomePlan
from runner.launch.plan_encode import encode_home_plan
from runner.launch.process import Identity, identify, read_boot_id
from runner.launch.slot import Schedule
from runner.ledger.locks import measure_age
from runner.plans.installed import note_installed
from runner.plans.write import read_compiled_plans
from runner.registry.schedule import parse_when
from runner.sweep.chores import Round, do_chore
from runner.sweep.late import work

HOUR_S, DAY_S = 3600.0, 86400.0
HOURLY = parse_when("0 * * * *").schedule
# Noon was a slot; it is overdue in the round of 12:05.
ROUND, BEFORE = NOW + 300, {"late": NOW + 240}
NOON = format_slot(int(NOW))


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A home whose hourly job was installed two days ago, and whose mail goes to the outbox."""
    house = make_house(tmp_path / "home")
    plan = HomePlan("house")
    plan.mail_via, plan.mail_ops = "sendmail", ["ops@example.org"]
    (house.home / HOME_PLAN).write_bytes(encode_home_plan(plan))
    (house.state / "sweep.alive").touch(0o600)
    install(house)
    return house


@pytest.fixture
def process() -> Iterator[Identity]:
    """A process that lives."""
    child = subprocess.Popen(["sleep", "600"])
    yield identify(child.pid)
    child.kill()
    child.wait()


def install(house: House, *, at: float = NOW - 2 * DAY_S, schedule: Schedule = HOURLY, **fields: object) -> None:
    house.plan("download", **{"schedules": [schedule], "timezone": "UTC", **fields})
    note_installed(house.state, read_compiled_plans(house.home), at)


def look(house: House, now: float = ROUND, worked_at: dict[str, float] | None = None, booted_at: float = 0.0) -> str:
    """Do a round and return what it says that it did."""
    return work(Round(house.place, now, BEFORE if worked_at is None else worked_at), booted_at)


def entries(house: House) -> list[Entry]:
    read = [read_entry(str(path)) for path in sorted((house.state / "outbox").iterdir())]
    return [entry for entry in read if entry]


def subjects(house: House) -> list[str]:
    return [entry.subject for entry in entries(house)]


def health(house: House) -> Health:
    return parse_health((house.state / "health" / "download").read_bytes())


def end_well(house: House, at: float) -> None:
    enter_outcome(str(house.state / "health" / "download"), f"run-{at}", "ok", "", at)


# Slots


def test_a_slot_that_nobody_started_is_late_after_five_minutes_and_told_once(house: House) -> None:
    assert look(house, NOW + 299, {"late": NOW + 239}) == ""
    assert look(house) == f"download: slot {NOON} has no run"
    assert look(house) == ""
    assert look(house, NOW + 360, {"late": NOW + 300}) == ""

    assert subjects(house) == [f"LATE download [dsoc-prod] slot {NOON} has no run"]


def test_the_alert_names_what_to_type_and_goes_to_ops_where_the_plan_names_nobody(house: House) -> None:
    look(house)

    [entry] = entries(house)
    assert (entry.kind, entry.outcome, entry.plan, entry.to) == ("first", "late", "download", ["ops@example.org"])
    assert f"\nsee   runner why download {NOON}        again   runner run download\n" in entry.body
    assert entry.body.startswith(f"download is late: slot {NOON} has no run.\n")


def test_the_plans_own_recipients_come_first(house: House) -> None:
    install(house, mailto=["ql@example.org"])
    look(house)
    assert [entry.to for entry in entries(house)] == [["ql@example.org"]]


def test_a_late_slot_opens_an_incident_that_the_journal_knows(house: House) -> None:
    look(house)

    [flip] = house.events()
    assert (flip["event"], flip["kind"], flip["outcome"], flip["slot"]) == ("flip", "open", "late", NOON)
    assert flip["run_id"] == flip["incident"] == health(house).incident == entries(house)[0].run_id


def test_two_late_plans_in_one_round_have_an_id_each(house: House) -> None:
    for name in ("a", "b", "c"):
        house.plan(name, schedules=[HOURLY], timezone="UTC")
    note_installed(house.state, read_compiled_plans(house.home), NOW - DAY_S)

    look(house)

    assert len({entry.run_id for entry in entries(house)}) == 4


def test_only_the_newest_of_many_late_slots_is_told(house: House) -> None:
    look(house, NOW + 300, {"late": NOW - 10 * HOUR_S})
    assert subjects(house) == [f"LATE download [dsoc-prod] slot {NOON} has no run"]


@pytest.mark.parametrize(
    "record",
    [
        start_of(),
        start_of(trigger="missed"),
        skip_of(reason="overlap"),
        skip_of(reason="paused"),
        skip_of(reason="host"),
    ],
    ids=lambda event: f"{event['event']}-{event['trigger']}-{event.get('reason')}",
)
def test_a_slot_that_a_record_names_is_not_late(house: House, record: dict[str, object]) -> None:
    house.journal.append(record)
    assert look(house) == ""


def test_a_slot_that_another_plan_ran_is_late(house: House) -> None:
    house.journal.append(*run_of("other"))
    assert look(house)


@pytest.mark.parametrize("suffix", ["", "+1", "+wait"])
def test_a_slot_that_a_lock_file_names_was_started_also_where_the_journal_took_nothing(
    house: House, suffix: str
) -> None:
    house.leave_run("download", suffix=suffix)
    assert look(house) == ""


def test_while_a_run_goes_on_its_overlap_explains_the_slot(house: House, process: Identity) -> None:
    house.leave_run("download", process, at=NOW - HOUR_S)
    assert look(house) == ""


def test_a_slot_that_will_be_made_up_for_is_not_late(house: House) -> None:
    """ALERT-17: after `missed` acted, which has it written down when it could not start it yet."""
    install(house, missed="once")
    (house.home / "wrappers").mkdir()
    (house.home / "wrappers/run-job").write_text("#!/bin/sh\n")
    (house.home / "wrappers/run-job").chmod(0o755)

    house.sweep("missed", ROUND, {"missed": NOW + 240})

    assert look(house) == ""


def test_a_late_plan_that_runs_again_recovers(house: House) -> None:
    look(house)
    _, verdict, flip = enter_outcome(str(house.state / "health" / "download"), "run", "ok", "", NOW + HOUR_S)
    assert (verdict, flip) == ("recovered", "recover")


# What makes nothing late


def test_an_install_makes_nothing_late(house: House) -> None:
    """RUN-39, CRON-53: not what was due before it, whatever is known of earlier rounds."""
    install(house, schedule=parse_when("0 */2 * * *").schedule, at=NOW + 1)
    for worked_at in ({}, {"late": NOW - DAY_S}, {"drain": NOW - 60}):
        assert look(house, worked_at=worked_at) == ""


def test_a_chore_that_is_done_for_the_first_time_tells_of_no_old_slot(house: House) -> None:
    assert look(house, worked_at={"drain": NOW + 240}) == ""


def test_where_a_crash_has_spoilt_what_was_remembered_one_slot_is_told_of_each_plan(house: House) -> None:
    look(house, NOW + 40 * 60, {})
    assert subjects(house) == [f"LATE download [dsoc-prod] slot {NOON} has no run"]


def test_a_paused_plan_is_not_late_and_neither_when_it_is_resumed(house: House) -> None:
    install(house, max_age_s=HOUR_S)
    write_pause(str(house.state), "download", Pause("ana", NOW - 60, NOW + DAY_S))
    house.sweep("missed", ROUND)
    assert look(house) == ""
    (house.state / "pauses" / "download").unlink()
    rest_installed(str(house.state), "download", NOW + 600)
    assert look(house, NOW + 601, {"late": NOW - HOUR_S}) == ""


@pytest.mark.parametrize("fields", [{"schedules": []}, {"timezone": "Europe/Paris"}, {"hosts": ["elsewhere"]}])
def test_a_plan_that_is_no_longer_what_was_installed_is_not_late(house: House, fields: dict[str, object]) -> None:
    house.plan("download", **{"schedules": [HOURLY], "timezone": "UTC", "max_age_s": HOUR_S, **fields})
    assert look(house) == ""


def test_slots_are_those_of_the_zone_of_the_plan(house: House) -> None:
    install(house, schedule=parse_when("0 13 * * *").schedule, timezone="Europe/Paris")
    assert look(house) == f"download: slot {NOON} has no run"


# Reboots


@pytest.mark.parametrize(("booted_at", "is_named"), [(NOW + 60, True), (NOW - 60, False)])
def test_what_was_due_before_the_boot_names_it(house: House, booted_at: float, is_named: bool) -> None:
    """ALERT-17: what one reboot has made late comes as one digest."""
    look(house, booted_at=booted_at)
    assert [entry.boot for entry in entries(house)] == [read_boot_id() if is_named else ""]


# Old successes


def test_a_success_that_is_too_old_is_told_once_until_the_next(house: House) -> None:
    install(house, max_age_s=26 * HOUR_S)
    end_well(house, NOW - 25 * HOUR_S)
    moments = [NOW - HOUR_S + minute * 60 for minute in range(0, 180, 10)]
    told = [look(house, now, {"late": now}) for now in moments]

    reason = f"no ok run since {format_slot(int(NOW - 25 * HOUR_S))}, expected within 93600 s"
    assert [(moment, text) for moment, text in zip(moments, told, strict=True) if text] == [
        (NOW + HOUR_S + 600, f"download: {reason}")
    ]
    assert subjects(house) == [f"LATE download [dsoc-prod] {reason}"]


def test_a_plan_that_has_never_succeeded_is_as_old_as_its_install(house: House) -> None:
    install(house, max_age_s=49 * HOUR_S)
    assert [bool(look(house, NOW + hours * HOUR_S, {"late": NOW + hours * HOUR_S})) for hours in (1, 1.1)] == [
        False,
        True,
    ]


def test_the_next_old_success_is_told_again(house: House) -> None:
    install(house, max_age_s=HOUR_S)
    end_well(house, NOW - 2 * HOUR_S)
    assert look(house, NOW, {"late": NOW})
    end_well(house, NOW + 60)
    assert look(house, NOW + DAY_S, {"late": NOW + DAY_S})


def test_fault_24_a_success_in_a_future_that_never_was_keeps_nothing_silent(house: House) -> None:
    install(house, max_age_s=HOUR_S)
    end_well(house, NOW + 365 * DAY_S)
    end_well(house, NOW - 2 * HOUR_S)
    assert look(house, NOW, {"late": NOW})


# Long runs


def watch(house: House, process: Identity, age_s: float = 5, suffix: str = "", **fields: object) -> str:
    """Do a round in which a run of the plan has gone on for so long; four seconds are expected at most."""
    install(house, max_duration_s=4.0)
    house.leave_run("download", process, at=NOW - age_s, suffix=suffix, **fields)
    return look(house, NOW, {"late": NOW})


def test_a_run_that_takes_too_long_is_told_once_under_its_own_id(house: House, process: Identity) -> None:
    """ALERT-18."""
    assert watch(house, process) == "download: runs for 5 s, expected at most 4 s"
    assert look(house, NOW + 60, {"late": NOW}) == ""

    [entry], run_id = entries(house), start_of(at=NOW - 5)["run_id"]
    assert entry.subject == "LONG download [dsoc-prod] runs for 5 s, expected at most 4 s"
    assert (entry.run_id, entry.incident, health(house).long) == (run_id, run_id, run_id)
    assert f"\nsee   runner logs {run_id}        stop   runner stop download\n" in entry.body


def test_who_was_told_at_the_start_of_a_run_is_told_that_it_is_long(house: House, process: Identity) -> None:
    """ALERT-6."""
    watch(house, process, mailto=["then@example.org"])
    assert [entry.to for entry in entries(house)] == [["then@example.org"]]


def test_a_long_run_opens_an_incident_that_the_journal_knows(house: House, process: Identity) -> None:
    watch(house, process)
    [flip] = house.events()
    assert (flip["event"], flip["kind"], flip["outcome"], flip["run_id"]) == (
        "flip",
        "open",
        "long",
        health(house).incident,
    )


def test_a_run_that_takes_its_time_is_not_long(house: House, process: Identity) -> None:
    assert watch(house, process, age_s=4) == ""


def test_a_run_whose_processes_are_gone_is_not_long(house: House) -> None:
    assert watch(house, NOBODY) == ""


def test_a_run_by_hand_is_watched_by_who_started_it(house: House, process: Identity) -> None:
    assert watch(house, process, trigger="hand") == ""


def test_a_run_that_waits_for_its_turn_is_not_long(house: House, process: Identity) -> None:
    assert watch(house, process, suffix="+wait") == ""


def test_of_runs_beside_each_other_the_oldest_is_told_and_not_each_in_turn(house: House, process: Identity) -> None:
    house.leave_run("download", process, at=NOW - 9)
    watch(house, process, suffix="+1")
    assert look(house, NOW + 60, {"late": NOW}) == ""
    assert [entry.run_id for entry in entries(house)] == [start_of(at=NOW - 9)["run_id"]]


def test_a_run_of_a_plan_that_was_paused_meanwhile_is_long_all_the_same(house: House, process: Identity) -> None:
    write_pause(str(house.state), "download", Pause("ana", NOW - 60))
    assert watch(house, process)


def test_half_a_lock_file_is_left_to_the_next_round(house: House, process: Identity) -> None:
    install(house, max_duration_s=4.0)
    house.leave_run("download", process, at=NOW - 5)
    path = house.state / "locks" / "download"
    path.write_bytes(path.read_bytes().replace(b'"event"', b'"eve'))
    assert look(house, NOW, {"late": NOW}) == ""


@pytest.mark.parametrize(
    ("since_s", "process_s", "age_s"),
    [(600, 601, 600), (600 + 86400, 601, 601), (600 - 7200, 601, 600 - 7200), (60, 3600, 60)],
    ids=["the clock is right", "it was set on by a day", "it was set back", "the run has waited"],
)
def test_fault_24_no_clock_makes_a_run_long(since_s: float, process_s: float, age_s: float) -> None:
    record = LockRecord()
    record.since = format_instant(NOW - since_s)
    record.wrapper = Identity(1, int((10_000 - process_s) * os.sysconf("SC_CLK_TCK")))
    assert measure_age(record, NOW, 10_000.0) == age_s


# Trouble


def test_a_health_file_that_cannot_be_written_keeps_no_other_plan_from_being_told(house: House) -> None:
    house.plan("a", schedules=[HOURLY], timezone="UTC")
    note_installed(house.state, read_compiled_plans(house.home), NOW - DAY_S)
    (house.state / "health" / "a").symlink_to("/nowhere")

    result = do_chore("late", Round(house.place, ROUND, BEFORE))

    assert (result.code, result.detail) == (75, f"a: {house.state}/health/a: Too many levels of symbolic links")
    assert subjects(house) == [f"LATE download [dsoc-prod] slot {NOON} has no run"]


def test_who_is_killed_before_the_health_says_so_tells_again(house: House) -> None:
    look(house)
    (house.state / "health" / "download").unlink()
    assert look(house) != ""


def test_where_cron_sends_the_mail_the_sweep_says_it(house: House, capfd: pytest.CaptureFixture[str]) -> None:
    """ALERT-8."""
    plan = HomePlan("house")
    plan.mail_ops = ["ops@example.org"]
    (house.home / HOME_PLAN).write_bytes(encode_home_plan(plan))
    look(house)
    assert capfd.readouterr().err.splitlines()[0] == f"LATE download [dsoc-prod] slot {NOON} has no run"
