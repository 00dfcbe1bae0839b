"""What is removed and what never is (RUN-43, RUN-16, RUN-7)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from housekeeping import House, make_house
from journals import NOW, run_of

from runner.database.connect import connect
from runner.database.migrate import prepare_schema
from runner.launch.journal import make_run_id, short_host
from runner.launch.pauses import Pause, write_pause
from runner.launch.stops import write_stop
from runner.ledger.drain import drain_journal
from runner.ledger.logs import MOST_LOGS
from runner.sweep.expire import EVERY_S, LogFile, choose_expired

DAY_S = 86400.0
HOST = short_host(os.uname().nodename)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return make_house(tmp_path / "home")


def _log(house: House, plan: str, age_days: float, outcome: str = "ok", host: str = HOST) -> Path:
    """Write the log of a run that ended so long ago; without outcome it has no footer."""
    at = NOW - age_days * DAY_S
    path = house.state / "logs" / plan / f"{make_run_id(at, host, 7)}.log"
    path.parent.mkdir(exist_ok=True)
    footer = f"# end {path.stem} 2026 outcome={outcome} exit_code=0 reason=\n" if outcome else ""
    path.write_text(f"output\n{footer}")
    os.utime(path, (at, at))
    return path


def _age(path: Path, age_days: float) -> Path:
    os.utime(path, (NOW - age_days * DAY_S,) * 2)
    return path


def test_logs_older_than_the_plan_keeps_them_go(house: House) -> None:
    house.plan("download", log_keep_s=2 * DAY_S)
    old, young, newest = (_log(house, "download", age) for age in (3, 1, 0.5))

    assert house.sweep("expire").detail == "removed 1 logs"

    assert (old.exists(), young.exists(), newest.exists()) == (False, True, True)


def test_a_plan_that_is_gone_keeps_its_logs_the_default_of_two_weeks(house: House) -> None:
    old, young, _ = (_log(house, "gone", age) for age in (15, 13, 1))
    house.sweep("expire")

    assert (old.exists(), young.exists()) == (False, True)


def test_the_newest_log_stays_however_old(house: House) -> None:
    newest = _log(house, "yearly", 400)
    house.sweep("expire")

    assert newest.exists()


@pytest.mark.parametrize("outcome", ["failed", "lost", ""])
def test_the_newest_log_of_trouble_stays_however_old(house: House, outcome: str) -> None:
    older, newer = _log(house, "download", 41, outcome), _log(house, "download", 40, outcome)
    _log(house, "download", 1)
    house.sweep("expire")

    assert (older.exists(), newer.exists()) == (False, True)


def test_a_log_of_trouble_that_is_not_the_newest_goes(house: House) -> None:
    old, _, _ = _log(house, "download", 40, "failed"), _log(house, "download", 2, "failed"), _log(house, "download", 1)
    house.sweep("expire")

    assert not old.exists()


def test_no_more_than_500_logs_of_a_plan_are_kept() -> None:
    logs = [LogFile(f"{number:04d}", NOW) for number in range(MOST_LOGS + 3)]

    assert [log.name for log in choose_expired(logs, oldest_at=0)] == ["0000", "0001", "0002"]


def test_only_this_hosts_logs_in_directories_of_plans_are_touched(house: House, tmp_path: Path) -> None:
    _log(house, "download", 1)
    others = _log(house, "download", 100, host="other-host")
    strange = _age(others.with_name("notes.log"), 100) if others.with_name("notes.log").write_text("x") else others
    outside = tmp_path / "outside"
    outside.mkdir()
    (house.state / "logs" / "linked").symlink_to(outside)
    far = outside / f"{make_run_id(NOW - 100 * DAY_S, HOST, 7)}.log"
    far.write_text("x")
    _age(far, 100)
    (others.parent / f"{make_run_id(NOW - 99 * DAY_S, HOST, 7)}.log").symlink_to(far)

    house.sweep("expire")

    assert others.exists()
    assert strange.exists()
    assert far.exists()


def test_journal_files_go_a_week_after_they_were_drained(house: House) -> None:
    drained = house.journal.append(*run_of(at=NOW - 8 * DAY_S), day="2026-11-13")
    with connect(f"sqlite:///{house.state}/runner.db") as database:
        prepare_schema(database)
        drain_journal(database, str(house.state), NOW)
    undrained = house.journal.append(*run_of(at=NOW - 9 * DAY_S), day="2026-11-12")
    young = house.journal.append(*run_of())
    for path in (drained, undrained):
        _age(path, 8)

    assert house.sweep("expire").detail == "removed 1 journal files"

    assert (drained.exists(), undrained.exists(), young.exists()) == (False, True, True)


def test_it_looks_once_an_hour(house: House) -> None:
    from runner.sweep.chores import Round
    from runner.sweep.expire import has_work

    assert has_work(Round(house.place, NOW, {}))
    assert not has_work(Round(house.place, NOW, {"expire": NOW - EVERY_S + 1}))
    assert has_work(Round(house.place, NOW, {"expire": NOW - EVERY_S}))


def test_a_pause_goes_when_it_has_expired_and_no_other_does(house: House) -> None:
    """RUN-7."""
    state = str(house.state)
    write_pause(state, "over", Pause("ana", NOW - 60, NOW - 1))
    write_pause(state, "on", Pause("ana", NOW - 60, NOW + 1))
    write_pause(state, "endless", Pause("ana", NOW - 60))
    (house.state / "pauses" / "damaged").write_text("until soon\n")
    (house.state / "pauses" / "directory").mkdir()

    assert house.sweep("expire").detail == "removed 1 pauses"

    left = {path.name for path in (house.state / "pauses").iterdir()}
    assert left == {"on", "endless", "damaged", "directory"}


def test_a_stop_request_that_no_run_took_along_goes_after_a_day(house: House) -> None:
    for plan, age_days in (("old", 1.1), ("new", 0.9)):
        write_stop(str(house.state), plan, "20261120T115500.000000Z-ops1-1", "ana", "", NOW)
        _age(house.state / "stops" / plan, age_days)

    assert house.sweep("expire").detail == "removed 1 stops"

    assert [path.name for path in (house.state / "stops").iterdir()] == ["new"]


def test_what_a_killed_writer_left_goes_after_an_hour_but_nothing_of_a_job(house: House) -> None:
    names = ("installed.7.tmp", "journal/open.7.tmp", "logs/download/latest.log.tmp", "work/download/mine.tmp")
    for path in [house.state / name for name in names]:
        path.parent.mkdir(exist_ok=True)
        path.touch()
        _age(path, 2 / 24)
    young = house.state / "pauses/download.8.tmp"
    young.write_text("x")
    os.utime(young, (NOW, NOW))

    assert house.sweep("expire").detail == "removed 3 temporary files"

    assert {path.name for path in house.state.rglob("*.tmp")} == {"mine.tmp", "download.8.tmp"}
