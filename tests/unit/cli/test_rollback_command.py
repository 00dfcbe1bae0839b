"""``runner crontab rollback``: our block of then in the foreign text of now (CRON-65)."""

from __future__ import annotations

import json
import os

import pytest
from homes import Home
from missing import give_up

from runner.home.here import read_user
from runner.launch.installed import read_installed

MORNING = 'when: "30 2 * * *"'
NOON = 'when: "0 12 * * *"'


@pytest.fixture(params=["user", "cron-d"])
def home(home: Home, request: pytest.FixtureRequest) -> Home:
    """A home whose job was installed at half past two, then at noon, in each kind of crontab."""
    if request.param == "cron-d" and os.geteuid() != 0:
        give_up("needs root")
    home.target({"kind": request.param})
    for when in (MORNING, NOON):
        home.job(when)
        assert home.runner("crontab", "install").code == 0
    return home


def table(home: Home) -> bytes:
    file = home.cron_d / "runner-lab-here"
    return file.read_bytes() if file.exists() else home.crontab.table or b""


def add_foreign(home: Home) -> None:
    """Have somebody write a comment above our block."""
    file = home.cron_d / "runner-lab-here"
    if file.exists():
        file.write_bytes(b"# foreign\n" + file.read_bytes())
    else:
        home.crontab.table = b"# foreign\n" + (home.crontab.table or b"")


def test_the_block_of_then_comes_back_and_the_foreign_lines_of_now_stay(home: Home) -> None:
    add_foreign(home)
    answer = home.runner("crontab", "rollback")
    assert answer.code == 0, answer.err
    assert "\n-0 12 * * * " in answer.out
    assert "warning: job: the line of then fires otherwise than its plan of today says" in answer.err
    assert answer.out.endswith(f"rolled back: 1 jobs for {read_user()}\n")
    assert table(home).startswith(b"# foreign\n# BEGIN")
    assert b"\n30 2 * * * " in table(home)
    assert b"\n0 12 * * * " not in table(home)


def test_what_is_installed_is_what_the_lines_say_and_what_the_sweep_believes(home: Home) -> None:
    assert home.runner("crontab", "rollback").code == 0
    installed = read_installed(str(home.state))["job"]
    assert [schedule.hours for schedule in installed.schedules] == [1 << 2]


def test_a_rollback_can_be_rolled_back(home: Home) -> None:
    before = table(home)
    assert home.runner("crontab", "rollback").code == 0
    assert home.runner("crontab", "rollback").code == 0
    assert table(home) == before


def test_a_rollback_is_recorded_as_one(home: Home) -> None:
    assert home.runner("crontab", "rollback").code == 0
    (journal,) = (home.state / "journal").glob("*.jsonl")
    assert json.loads(journal.read_text().splitlines()[-1])["action"] == "crontab rollback"


def test_a_line_without_a_plan_today_is_not_put_back(home: Home) -> None:
    home.write("jobs/all.yaml", 'jobs:\n  other: {run: jobs/hello.sh, profile: local, when: "@daily"}\n')
    assert home.runner("crontab", "install").code == 0
    before = home.tree()
    answer = home.runner("crontab", "rollback")
    assert (answer.code, answer.err.splitlines()[-1][:8]) == (2, "no plan ")
    assert home.tree() == before


def test_a_block_that_was_edited_by_hand_stays_and_the_remedy_is_an_install(home: Home) -> None:
    """CRON-48: a rollback has no option for it."""
    file = home.cron_d / "runner-lab-here"
    file = file if file.exists() else home.crontab.directory / "table"
    file.write_bytes(file.read_bytes().replace(b"\n0 12 ", b"\n0 13 "))
    answer = home.runner("crontab", "rollback")
    assert answer.code == 2
    assert 'then "runner crontab install --overwrite-edits"\n' in answer.err


def test_a_dry_run_shows_the_difference_and_changes_nothing(home: Home) -> None:
    before = home.tree()
    answer = home.runner("crontab", "rollback", "--dry-run")
    assert answer.code == 0
    assert "\n+30 2 * * * " in answer.out
    assert home.tree() == before


def test_a_line_from_before_a_zone_is_told(home: Home) -> None:
    """CRON-36, CRON-65: its plan of today is due by another clock."""
    home.job(f"{NOON}, timezone: Asia/Kolkata")
    assert home.runner("crontab", "install").code == 0
    answer = home.runner("crontab", "rollback")
    assert answer.code == 0
    assert "warning: job: the line of then fires otherwise than its plan of today says; only its slots in" in answer.err


def test_a_gated_line_is_shown_with_the_slots_of_its_plan(home: Home) -> None:
    """CRON-60: 12:00 in Kolkata is 06:30 in UTC, whatever minutes the lines fire at."""
    home.job(f"{NOON}, timezone: Asia/Kolkata")
    assert home.runner("crontab", "install").code == 0
    home.job(f"{NOON}, timezone: Asia/Kolkata, mailto: al@example.org")
    assert home.runner("crontab", "install").code == 0
    answer = home.runner("crontab", "rollback", "--json")
    assert (answer.code, answer.err) == (0, "")
    assert [change["jobs"] for change in answer.objects] == [[]]


def test_the_same_gated_line_is_nothing_to_change(home: Home) -> None:
    """CRON-53."""
    home.job(f"{NOON}, timezone: Asia/Kolkata")
    for keys in ("", ", mailto: al@example.org", ""):
        home.job(f"{NOON}, timezone: Asia/Kolkata{keys}")
        assert home.runner("crontab", "install").code == 0
    assert home.runner("crontab", "rollback", "2").out == "nothing to change\n"


@pytest.mark.parametrize("number", ["2", "99"])
def test_what_is_not_kept_cannot_be_put_back(home: Home, number: str) -> None:
    answer = home.runner("crontab", "rollback", number)
    assert answer.code == 2
    assert answer.err.startswith("of the crontab of here 1 replaced texts are kept in ")
