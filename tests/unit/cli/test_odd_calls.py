"""What people and scripts do to a command: readers that go away, empty variables, absurd dates, two lines for one."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys

import pytest
from homes import REPOSITORY, Home

from runner.launch.installed import read_installed


def pipe(home: Home, words: str, into: str) -> int:
    """Call ``runner WORDS`` with stdout into a shell command that does not read on; return the exit code."""
    command = f'"$0" -P -m runner.cli.main --home "$1" {words} {into}; exit "${{PIPESTATUS[0]}}"'
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(
        ["bash", "-c", command, sys.executable, home.path], env=environment, stderr=subprocess.PIPE, text=True
    )
    assert "Traceback" not in done.stderr
    return done.returncode


def test_a_reader_that_goes_away_stops_no_install(home: Home) -> None:
    assert pipe(home, "crontab diff", "| true") == 1
    assert pipe(home, "crontab install --yes", "| true") == 0
    assert b"run-job nightly" in (home.crontab.table or b"")
    assert pipe(home, "crontab diff", "| true") == 0


def test_a_reader_that_goes_away_stops_no_sweep(home: Home) -> None:
    home.compile()

    assert pipe(home, "sweep --explain", "| true") == 0
    assert pipe(home, "sweep --json", "| true") == 0
    assert b"expire " in home.read("state/sweep.alive")  # the last chore that leaves a trace


def test_a_full_disk_behind_stdout_is_told_in_a_line(home: Home) -> None:
    home.compile()

    assert pipe(home, "next", ">/dev/full") == 75


@pytest.mark.parametrize(
    "time", ["2026-11-25T09:00+05:99", "2026-11-25T09:00-24:00", "9999-12-31T23:59", "0001-01-01T00:00Z", "24:61"]
)
def test_a_time_that_no_clock_shows_is_explained(home: Home, time: str) -> None:
    home.compile()

    answer = home.runner("why", "nightly", time)

    assert answer.code == 2
    assert answer.err.startswith(f'"{time}" is no time; write one like ')


@pytest.mark.parametrize("start", ["9999-12-31T23:00:00Z", "1969-12-31T23:59:59Z", "9950-01-01T00:00:00Z"])
def test_slots_of_an_absurd_year_are_not_looked_for(home: Home, start: str) -> None:
    answer = home.runner("next", "nightly", "--from", start)

    assert (answer.code, answer.err) == (2, f"--from: {start} is not of the years 1970 to 9900\n")


@pytest.mark.parametrize("until", ["", "9999-12-31T23:59:59.999999Z", "9999999d", "soon", "2020-01-01T00:00:00Z"])
def test_a_pause_has_an_end_that_is_an_instant_to_come(home: Home, until: str) -> None:
    """An empty one is an empty variable of a script, and no wish to pause for ever."""
    home.compile()

    answer = home.runner("pause", "nightly", "--until", until)

    assert answer.code == 2
    assert answer.err.startswith("--until: ")
    assert not (home.state / "pauses" / "nightly").exists()


def test_a_pause_until_a_local_time_means_the_targets(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    host, user = os.uname().nodename, pwd.getpwuid(os.getuid()).pw_name
    target = f"{{hosts: [{host}], user: {user}, timezone: Asia/Kathmandu}}"
    home.write("envs/site.yaml", f"name: lab\nmail: {{ops: a@b}}\ntargets: {{t: {target}}}\n")
    home.compile()

    assert home.runner("pause", "nightly", "--until", "2090-01-01T05:45").code == 0

    assert "until 2090-01-01T00:00:00" in (home.state / "pauses" / "nightly").read_text()


@pytest.mark.parametrize("line", ["0 0 * * * a\n0 1 * * * b", "0 0 * * * a \udcff b", "0 0 * * * a\rb"])
def test_a_line_that_is_two_or_no_text_is_not_taken_in_part(home: Home, line: str) -> None:
    before = home.tree()

    answer = home.runner("add", "new", "--line", line, "--profile", "local")

    assert answer.code == 2
    assert "Traceback" not in answer.err
    assert home.tree() == before


def test_a_pause_does_not_change_since_when_the_crontab_has_a_job(home: Home) -> None:
    assert home.runner("crontab", "install", "--yes").code == 0
    before = read_installed(str(home.state))["nightly"].at

    for words in (("pause", "nightly"), ("resume", "nightly")):
        assert home.runner(*words).code == 0

    one = read_installed(str(home.state))["nightly"]
    assert one.at == before
    assert one.since > before
