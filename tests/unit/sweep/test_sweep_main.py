"""One call of the housekeeper: silent when all is well, one line for a chore that fails, never two at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from housekeeping import House, make_house
from journals import NOW, run_of

from runner.launch.lock import try_lock
from runner.launch.plan import HOME_PLAN
from runner.plans.installed import note_installed
from runner.plans.write import read_compiled_plans
from runner.registry.schedule import parse_when
from runner.sweep.__main__ import main
from runner.sweep.chores import CHORES, Result
from runner.sweep.trouble import choose_message

DOWN = "name: house\nmail: {ops: ops@example.org}\ndatabase: postgresql://u:s3cret@127.0.0.1:1/x\n"


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = make_house(tmp_path / "home")
    (house.home / "envs").mkdir()
    return house


def _list_loaded(program: str, *home: str) -> set[str]:
    """Return the modules that are loaded at the end of a program."""
    command = [sys.executable, "-I", "-c", f"import sys; {program}; print(*sys.modules)", *home]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stderr == ""
    return set(done.stdout.split())


def test_a_sweep_without_work_says_nothing_and_loads_no_room_that_a_chore_would_work_with(house: House) -> None:
    """Each minute, of each home: neither SQL, YAML, click nor requests, nor any room that a chore works with."""
    for number in range(25):
        house.plan(f"job-{number}", schedules=[parse_when("0 3 * * *").schedule], missed="all")
    note_installed(house.state, read_compiled_plans(house.home), time.time())
    sweep = "from runner.sweep.__main__ import main; assert main(['--home', sys.argv[1]]) == 0"
    _list_loaded(sweep, str(house.home))  # the first sets the reserve aside

    loaded = _list_loaded(sweep, str(house.home)) - _list_loaded("pass")

    rooms = {name.split(".")[1] for name in loaded if name.startswith("runner.")}
    assert rooms == {"errors", "launch", "sweep", "ledger", "alerts"}
    assert {name for name in loaded if name.startswith("runner.alerts.")} == {"runner.alerts.waiting"}
    foreign = {name.partition(".")[0] for name in loaded} - sys.stdlib_module_names - {"runner"}
    assert foreign == set()
    assert not loaded & {"sqlite3", "subprocess", "socket", "smtplib", "email", "urllib.request", "http.client"}


def test_a_sweep_drains_the_journal_and_says_nothing(house: House) -> None:
    house.journal.append(*run_of())

    done = house.run_sweep()

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (house.state / "runner.db").exists()


def test_in_json_each_chore_is_an_object(house: House) -> None:
    house.journal.append(*run_of())

    chores = [json.loads(line) for line in house.run_sweep("--json").stdout.splitlines()]

    assert [chore["chore"] for chore in chores] == list(CHORES)
    assert {"chore": "close", "did": False, "detail": "", "code": 0} in chores
    assert {"chore": "drain", "did": True, "detail": "2 events", "code": 0} in chores


def test_damaged_lines_are_said_once(house: House) -> None:
    house.journal.append(*run_of(), b"\nnonsense\n")

    first, second = house.run_sweep(), house.run_sweep()

    assert first.stderr.startswith("journal: 1 damaged line set aside in journal/rejected.jsonl; the first: 2026-11-21")
    assert (first.returncode, second.returncode, second.stderr) == (0, 0, "")


def test_a_chore_that_fails_stops_no_other(house: House) -> None:
    (house.home / "envs" / "site.yaml").write_text(DOWN)
    house.journal.append(*run_of())
    lost = house.leave_run("download", at=NOW - 60, boot_id="another-boot")

    done = house.run_sweep("--json")

    chores = {chore["chore"]: chore for chore in map(json.loads, done.stdout.splitlines())}
    close, drain, expire = chores["close"], chores["drain"], chores["expire"]
    assert (close["detail"], close["code"]) == ("closed as lost: download", 0)
    assert (drain["did"], drain["code"], expire["code"]) == (True, 75, 0)
    assert done.returncode == 75
    assert "runner sweep: drain: ledger postgresql+psycopg2://u:***@127.0.0.1:1/x: " in done.stderr
    assert "s3cret" not in done.stdout + done.stderr
    assert house.events()[-1]["run_id"] == lost["run_id"]


def test_trouble_that_lasts_is_mailed_seldom_and_its_end_once(house: House) -> None:
    trouble, fine = Result("drain", True, "ledger x: down", 75), Result("drain", True, "3 events", 0)
    hours = [0, 0.02, 0.5, 1.1, 1.2, 5.2, 6, 29.3]
    said = [choose_message(str(house.state), trouble, NOW + hour * 3600) for hour in hours]

    assert [bool(message) for message in said] == [True, False, False, True, False, True, False, True]
    assert said[0] == "runner sweep: drain: ledger x: down"
    ends = [choose_message(str(house.state), fine, NOW + (30 + hour) * 3600) for hour in range(3)]
    assert ends == ["runner sweep: drain: works again", "", ""]


def test_who_watches_is_told_each_time(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    (house.home / "envs" / "site.yaml").write_text(DOWN)
    house.journal.append(*run_of())

    for _ in range(2):
        assert main(["--home", str(house.home)]) == 75
        assert capsys.readouterr().err.startswith("runner sweep: drain: ledger ")


def test_a_second_sweep_leaves_at_once(house: House) -> None:
    house.journal.append(*run_of())
    descriptor, _ = try_lock(str(house.state / "sweep.alive"))

    done = house.run_sweep("--json")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    os.close(descriptor)


def test_who_asks_by_hand_is_told_that_another_sweep_is_at_work(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    descriptor, _ = try_lock(str(house.state / "sweep.alive"))
    said = "runner sweep: another sweep is at work, and this one did nothing\n"

    assert (main(["--home", str(house.home)]), capsys.readouterr().err) == (75, said)
    explained = house.run_sweep("--explain")

    assert (explained.returncode, explained.stdout, explained.stderr) == (75, "", said)
    os.close(descriptor)


def test_of_two_sweeps_at_once_each_chore_is_done_by_one(house: House) -> None:
    """Ten times, since they rarely meet in the same instruction."""
    command = [sys.executable, "-I", "-m", "runner.sweep", "--home", str(house.home), "--json"]
    for number in range(10):
        house.journal.append(*run_of(at=NOW + 60 * number))
        house.leave_run("lost", at=NOW + 60 * number, pid=4243, boot_id="another-boot")
        both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
        results = [json.loads(line) for sweep in both for line in sweep.communicate(timeout=60)[0].splitlines()]

        assert [sweep.returncode for sweep in both] == [0, 0]
        assert [one["detail"] for one in results if one["chore"] == "close" and one["detail"]] == [
            "closed as lost: lost"
        ]
        drained = [one["detail"] for one in results if one["chore"] == "drain" and one["detail"]]
        assert drained == ["5 events" if number == 0 else "4 events"]
    assert len([event for event in house.events() if event["event"] == "end"]) == 20


def test_it_explains_what_each_chore_did_or_why_it_did_nothing(house: House) -> None:
    house.leave_run("lost", boot_id="another-boot")

    first, second = house.run_sweep("--explain"), house.run_sweep("--explain")

    assert [line.partition(":")[0] for line in first.stdout.splitlines()] == list(CHORES)
    assert "\nclose: closed as lost: lost\n" in first.stdout
    assert "\ndrain: 3 events\n" in first.stdout
    assert "drain: nothing to do: nothing new in the journal\n" in second.stdout
    assert [line for line in second.stdout.splitlines() if ": nothing to do: " not in line] == []
    assert (first.returncode, second.returncode) == (0, 0)


def test_it_explains_a_failure_too(house: House) -> None:
    (house.home / "envs" / "site.yaml").write_text(DOWN)
    house.journal.append(*run_of())

    assert "\ndrain: failed: ledger postgresql+psycopg2://u:***@127.0.0.1:1/x: " in house.run_sweep("--explain").stdout


def test_each_sweep_shows_that_it_is_alive(house: House) -> None:
    house.run_sweep()
    alive = house.state / "sweep.alive"
    os.utime(alive, (0, 0))

    house.run_sweep()

    assert time.time() - alive.stat().st_mtime < 60


def test_a_home_that_was_not_compiled_is_the_users_mistake(house: House) -> None:
    (house.home / HOME_PLAN).unlink()

    done = house.run_sweep()

    assert (done.returncode, done.stderr) == (2, 'runner sweep: no crontab.d/home.plan; run "runner compile"\n')


@pytest.mark.parametrize("words", [[], ["--home"], ["--home", "x", "y"]])
def test_a_command_line_that_makes_no_sense_is_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert capsys.readouterr().err.startswith("usage: python -m runner.sweep --home DIR")
