"""The ledger is down, held by another, or of another version: runs are unaffected, later all is in it once."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import psycopg2
import pytest
from lab import Lab, Result
from postgres import Postgres

from runner.database.migrate import VERSIONS


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a ledger that is not there yet; `_bring_up` makes it be."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/later/runner.db"
    postgres: Postgres = request.getfixturevalue("postgres")
    url = postgres.url("later").replace("postgres@", "postgres:s3cr3t-canary@")
    _execute(url, "DROP DATABASE IF EXISTS later")
    return url


def _bring_up(url: str) -> None:
    if url.startswith("sqlite"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir()
    else:
        _execute(url, "CREATE DATABASE later")


def _execute(url: str, statement: str) -> None:
    connection = psycopg2.connect(url.replace("+psycopg2", "").replace("/later", "/postgres"))
    connection.autocommit = True
    connection.cursor().execute(statement)
    connection.close()


def _use(lab: Lab, url: str) -> None:
    with (lab.home / "envs" / "site.yaml").open("a") as settings:
        settings.write(f'database: "{url}"\n')


def _ask(lab: Lab, *words: str) -> Result:
    """Call ``runner WORDS`` as a person does."""
    command = [sys.executable, "-m", "runner.cli.main", "--home", str(lab.home), *words]
    done = subprocess.run(command, capture_output=True)
    return Result(done.returncode, done.stdout, done.stderr)


def _list_outcomes(lab: Lab) -> list[str]:
    return [json.loads(line)["outcome"] for line in _ask(lab, "history", "--json").out.splitlines()]


def test_fault_43_runs_are_unaffected_and_drained_later_exactly_once(lab: Lab, url: str) -> None:
    _use(lab, url)
    lab.job("good", "true")
    lab.job("bad", "exit 3")
    assert lab.run("good").code == 0
    assert lab.run("bad").code == 3

    down = lab.sweep()
    assert down.code == 75
    assert down.mail.startswith("runner sweep: drain: ledger ")
    assert lab.sweep().mail == "", "it is said once, not each minute"

    _bring_up(url)
    up = lab.sweep()
    assert (up.code, up.mail) == (0, "runner sweep: drain: works again\n")
    assert _list_outcomes(lab) == ["failed", "ok"]
    lab.assert_no_litter()


def test_fault_43_who_asks_is_told_and_answered_from_the_journal(lab: Lab, url: str) -> None:
    _use(lab, url)
    lab.job("good", "true")
    lab.run("good", "--hand")

    answer = _ask(lab, "history", "--json")

    assert answer.code == 0
    assert json.loads(answer.out)["outcome"] == "ok"
    assert answer.mail.startswith("runner: ledger ")
    assert answer.mail.endswith("; answered from the journal of the last days\n")
    assert "s3cr3t-canary" not in answer.mail


def test_fault_43_a_ledger_that_another_holds_is_read_with_the_journals_tail(lab: Lab) -> None:
    lab.job("good", "true")
    lab.run("good", "--hand")
    lab.sweep()
    lab.run("good", "--hand")
    holder = sqlite3.connect(lab.state / "runner.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")

    assert _list_outcomes(lab) == ["ok", "ok"]
    assert "database is locked; the journal's tail is read as well" in _ask(lab, "history").mail
    holder.close()
    assert (_list_outcomes(lab), _ask(lab, "history").mail) == (["ok", "ok"], "")


def test_fault_43_a_newer_schema_is_left_alone(lab: Lab) -> None:
    lab.job("good", "true")
    lab.run("good", "--hand")
    lab.sweep()
    with sqlite3.connect(lab.state / "runner.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '0999'")
    lab.run("good", "--hand")

    swept = lab.sweep()

    assert swept.code == 75
    assert f"its schema is version 0999, this runner knows up to {VERSIONS[-1]}; upgrade this runner" in swept.mail
    assert _list_outcomes(lab) == ["ok", "ok"]
    assert sqlite3.connect(lab.state / "runner.db").execute("SELECT count(*) FROM runs").fetchone() == (1,)
