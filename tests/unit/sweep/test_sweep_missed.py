"""What the file ``installed`` says of a plan after a round, by what was started, skipped, paused, edited (RUN-38)."""

from __future__ import annotations

from pathlib import Path

import pytest
from housekeeping import House, make_house
from journals import NOW, run_of, skip_of, start_of

from runner.launch.installed import Installed, owe_rerun, read_installed, rest_installed
from runner.launch.instant import format_slot
from runner.launch.pauses import Pause, write_pause
from runner.launch.slot import Schedule
from runner.plans.installed import note_installed
from runner.plans.write import read_compiled_plans
from runner.registry.schedule import parse_when
from runner.sweep.__main__ import sweep

HOUR_S, DAY_S = 3600.0, 86400.0
HOURLY = parse_when("0 * * * *").schedule
# Of the hours until noon, at which the host comes up again, and the sweep last looked three and a half hours before.
OFF = {"missed": NOW - 3.5 * HOUR_S}
BACK = NOW + 600


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A home whose hourly job was installed two days ago; no wrapper: nothing can be started."""
    house = make_house(tmp_path / "home")
    install(house, missed="all")
    (house.home / "wrappers").mkdir()
    wrapper = house.home / "wrappers/run-job"
    wrapper.write_text("#!/bin/sh\nexit 1\n")
    wrapper.chmod(0o755)
    return house


def install(house: House, *, at: float = NOW - 2 * DAY_S, schedule: Schedule = HOURLY, **fields: object) -> None:
    house.plan("download", schedules=[schedule], timezone="UTC", **fields)
    note_installed(house.state, read_compiled_plans(house.home), at)


def look(house: House, now: float = BACK, last_look: dict[str, float] | None = None) -> Installed:
    """Do a round; return what is then said of the plan."""
    house.sweep("missed", now, OFF if last_look is None else last_look)
    return read_installed(str(house.state))["download"]


def hours(*ago: float) -> list[str]:
    """Return the slots so many hours before noon."""
    return [format_slot(int(NOW - one * HOUR_S)) for one in ago]


@pytest.mark.parametrize(("policy", "owed"), [("skip", []), ("once", hours(0)), ("all", hours(3, 2, 1, 0))])
def test_what_nobody_started_is_owed_by_the_policy_of_the_plan(house: House, policy: str, owed: list[str]) -> None:
    install(house, missed=policy)
    assert look(house).missed == owed


def test_what_was_started_or_skipped_is_not_missed(house: House) -> None:
    house.journal.append(*run_of(at=NOW - 3 * HOUR_S), skip_of(at=NOW - 2 * HOUR_S, reason="overlap"))
    house.journal.append(*run_of("other", at=NOW - HOUR_S))
    assert look(house).missed == hours(1, 0)


def test_what_the_lock_file_names_was_started_also_where_the_journal_took_nothing(house: House) -> None:
    house.leave_run("download", at=NOW - 3 * HOUR_S)
    assert look(house).missed == hours(2, 1, 0)


def test_what_is_owed_stays_so_until_a_record_names_it(house: House) -> None:
    look(house)
    assert look(house, BACK + 60, {"missed": BACK}).missed == hours(3, 2, 1, 0)
    house.journal.append(start_of(at=NOW - 3 * HOUR_S, trigger="missed"))
    house.journal.append(skip_of(at=NOW - 2 * HOUR_S, trigger="missed", reason="overlap"))
    assert look(house, BACK + 120, {"missed": BACK + 60}).missed == hours(2, 1, 0)


def test_a_slot_that_waits_and_a_newly_missed_one_are_one_backlog(house: House) -> None:
    install(house, missed="once")
    look(house)
    assert look(house, NOW + HOUR_S + 600, {"missed": BACK}).missed == hours(-1)


def test_a_round_without_a_missed_slot_writes_nothing(house: House) -> None:
    path = house.state / "installed"
    before = path.stat().st_ino
    look(house, NOW + 60, {"missed": NOW})
    assert path.stat().st_ino == before


def test_a_chore_that_is_done_for_the_first_time_starts_nothing(house: House) -> None:
    """CRON-53: a new version of this program is no reason to."""
    assert look(house, last_look={"drain": NOW - 60}).missed == []


def test_where_a_crash_has_spoilt_what_was_remembered_all_since_the_install_is_looked_at(house: House) -> None:
    install(house, schedule=parse_when("@daily").schedule, missed="all", at=NOW - 1.4 * DAY_S)
    assert look(house, last_look={}).missed == [format_slot(int(NOW - 0.5 * DAY_S))]


def test_what_the_chores_before_it_do_in_the_same_sweep_is_nothing_remembered(house: House) -> None:
    install(house, schedule=parse_when("@daily").schedule, missed="all", at=NOW - 1.4 * DAY_S)

    list(sweep(house.place, NOW))

    assert read_installed(str(house.state))["download"].missed == [format_slot(int(NOW - 0.5 * DAY_S))]


def test_a_paused_plan_is_not_watched_and_begins_anew(house: House) -> None:
    """RUN-39, FAULT-28."""
    look(house)
    write_pause(str(house.state), "download", Pause("ana", BACK, BACK + DAY_S))
    paused = look(house, BACK + 60, {"missed": BACK})
    assert (paused.since, paused.missed) == (0.0, [])
    resumed = look(house, BACK + DAY_S, {"missed": BACK + 60})
    assert (resumed.since, resumed.missed) == (BACK + DAY_S, [])


@pytest.mark.parametrize("fields", [{"schedules": []}, {"timezone": "Europe/Paris"}, {"hosts": ["elsewhere"]}])
def test_a_plan_that_is_no_longer_what_was_installed_is_not_watched(house: House, fields: dict[str, object]) -> None:
    """RUN-39: until the edit is installed, or taken back."""
    house.plan("download", **{"schedules": [HOURLY], "timezone": "UTC", "missed": "all", **fields})
    edited = look(house)
    assert (edited.since, edited.missed) == (0.0, [])


def test_a_plan_that_is_gone_is_not_watched(house: House) -> None:
    (house.home / "crontab.d/plans/download.plan").unlink()
    assert look(house).since == 0.0


def test_a_zone_that_this_host_does_not_know_spoils_no_other_plan(house: House) -> None:
    house.plan("a-martian", schedules=[HOURLY], timezone="Mars/Olympus", missed="all")
    house.plan("download", schedules=[HOURLY], timezone="UTC", missed="all")
    note_installed(house.state, read_compiled_plans(house.home), NOW - 2 * DAY_S)

    assert look(house).missed == hours(3, 2, 1, 0)
    assert read_installed(str(house.state))["a-martian"].missed == []


def test_an_install_in_the_middle_of_a_round_wins(house: House) -> None:
    from runner.sweep.missed import _write

    before = read_installed(str(house.state))["download"]
    after = Installed("download", before.since, before.timezone, before.when)
    after.missed = hours(1)
    install(house, schedule=parse_when("5 * * * *").schedule, at=NOW)
    _write(str(house.state), [(before, after)])
    assert read_installed(str(house.state))["download"].missed == []


def test_the_slot_of_a_lost_run_is_owed_once_its_end_is_on_record(house: House) -> None:
    """RUN-17."""
    owe_rerun(str(house.state), "download", *hours(3))
    start = start_of(at=NOW - 3 * HOUR_S)
    house.journal.append(start)
    assert house.sweep("missed", BACK, {"missed": BACK - 60}).detail == ""
    house.journal.append(*run_of(at=NOW - 3 * HOUR_S, outcome="lost"))
    assert house.sweep("missed", BACK, {"missed": BACK - 60}).detail == f"started download {hours(3)[0]} (rerun)"
    house.journal.append(start_of(at=NOW - 3 * HOUR_S, pid=9, trigger="rerun"))
    assert look(house, BACK, {"missed": BACK - 60}).rerun == []


def test_what_was_said_in_this_round_does_not_wait_for_what_it_could_start(house: House) -> None:
    """Cron mails a line's output when all who hold it have ended."""
    from runner.sweep.chores import Round, do_chore

    result = do_chore("missed", Round(house.place, BACK, OFF, ["a run was lost"]))
    assert (result.code, result.detail) == (0, "")
    assert house.sweep("missed", BACK + 60, {"missed": BACK}).detail == f"started download {hours(3)[0]} (missed)"


def test_the_commands_pause_and_resume_need_no_sweep_to_forget_what_was_owed(house: House) -> None:
    look(house)
    rest_installed(str(house.state), "download", NOW)
    rested = read_installed(str(house.state))["download"]
    assert (rested.since, rested.missed) == (NOW, [])


def test_a_plan_that_is_not_installed_or_paused_is_owed_no_rerun(house: House) -> None:
    assert not owe_rerun(str(house.state), "other", *hours(1))
    rest_installed(str(house.state), "download", 0.0)
    assert not owe_rerun(str(house.state), "download", *hours(1))


def test_an_event_of_another_kind_that_names_a_slot_starts_and_hinders_nothing(house: House) -> None:
    house.journal.append({**start_of(), "event": "later", "slot": hours(1)[0], "plan": None, "trigger": None})
    assert look(house).missed == hours(3, 2, 1, 0)


@pytest.mark.parametrize("damage", ["since soon", "when 99 * * * *", "missed never", "when"])
def test_a_plan_whose_lines_are_damaged_is_not_watched_and_spoils_no_other(house: House, damage: str) -> None:
    """The file that somebody edited, or a disk has spoilt."""
    path = house.state / "installed"
    path.write_text(f"plan broken\n{damage}\n{path.read_text()}")

    assert look(house).missed == hours(3, 2, 1, 0)

    assert list(read_installed(str(house.state))) == ["download"]
