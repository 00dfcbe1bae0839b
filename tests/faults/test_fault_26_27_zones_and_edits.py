"""Zone data that are updated under running plans, and a `when` that is moved while its old slot has just gone by."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from homes import REPOSITORY, Home
from lab import CALLER, Lab

from runner.registry.schedule import parse_when

WALL_CLOCK = REPOSITORY / "tests" / "wall_clock.py"
RUNNER = REPOSITORY / "runner" / "cli" / "main.py"


class ZoneData:
    """A directory of zones, of which one, Lab/Zone, is now this and now that."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        (directory / "Lab").mkdir(parents=True)

    def update(self, zone: str) -> None:
        """Have Lab/Zone mean another zone, as an update of the system's package does: by a rename."""
        new = self.directory / "Lab" / ".new"
        shutil.copy(f"/usr/share/zoneinfo/{zone}", new)
        new.rename(self.directory / "Lab" / "Zone")


@pytest.fixture
def zones(tmp_path: Path) -> ZoneData:
    return ZoneData(tmp_path / "zoneinfo")


def fire(lab: Lab, zones: ZoneData, instant: str) -> None:
    """Start the wrapper of plan ``noon`` at an instant."""
    python, main = lab.home / ".runner/python", lab.home / ".runner/main.py"
    command = [python, "-IS", "-X", "utf8", WALL_CLOCK, instant, main, "noon"]
    done = subprocess.run(command, env={**CALLER, "TZDIR": str(zones.directory)}, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_fault_26_slots_follow_an_update_of_the_zone_data_at_once(lab: Lab, zones: ZoneData) -> None:
    """Nothing is compiled in between: a plan has numbers and the name of a zone, no instants (CRON-17)."""
    lab.job("noon", "true", schedules=[parse_when("0 12 * * *").schedule], timezone="Lab/Zone")
    zones.update("Asia/Kolkata")
    for instant in ("2026-06-01T06:30:02Z", "2026-06-01T10:00:02Z"):
        fire(lab, zones, instant)
    zones.update("Europe/Paris")
    for instant in ("2026-06-02T06:30:02Z", "2026-06-02T10:00:02Z"):
        fire(lab, zones, instant)

    assert [event["slot"] for event in lab.events("start")] == ["2026-06-01T06:30:00Z", "2026-06-02T10:00:00Z"]
    lab.assert_clean("noon")


def test_fault_26_a_job_does_not_see_where_the_wrapper_found_its_zones(lab: Lab, zones: ZoneData) -> None:
    lab.job("noon", "env >$RUNNER_WORK/env", schedules=[parse_when("0 12 * * *").schedule], timezone="Lab/Zone")
    zones.update("Asia/Kolkata")
    fire(lab, zones, "2026-06-01T06:30:02Z")

    names = {line.partition("=")[0] for line in (lab.work("noon") / "env").read_text().splitlines()}
    assert "RUNNER_SLOT" in names
    assert not names & {"TZ", "TZDIR"}


def test_fault_26_only_gated_lines_are_stale_after_an_update(
    home: Home, zones: ZoneData, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CRON-19: the same zone data give the same lines; `compile --check` finds what another one changes."""
    monkeypatch.setenv("TZDIR", str(zones.directory))
    zones.update("Asia/Kolkata")
    target = "{hosts: [h], user: u, timezone: UTC}"
    home.write("envs/site.yaml", f"name: lab\nmail: {{ops: a@b}}\ntargets: {{t: {target}}}\n")
    home.job('when: "0 12 * * *", timezone: Lab/Zone')
    home.compile()
    assert b"\n30 6 * * * " in home.read("crontab.d/t.crontab")

    zones.update("Europe/Paris")

    answer = home.runner("compile", "--check")
    assert answer.code == 1
    assert "t.crontab" in answer.out + answer.err
    assert ".plan" not in answer.out + answer.err
    home.compile()
    assert b"\n0 10,11 * * * " in home.read("crontab.d/t.crontab")
    home.job('when: "0 12 * * *"')
    home.compile()
    zones.update("Asia/Tokyo")
    assert home.runner("compile", "--check").code == 0


def runner_at(home: Home, instant: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Call ``runner WORDS`` with the clock at an instant."""
    command = [sys.executable, "-P", WALL_CLOCK, instant, RUNNER, "--home", home.path, *words]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def list_starts(home: Home) -> list[str]:
    """Return the slots that were started."""
    lines = [line for file in home.state.glob("journal/*.jsonl") for line in file.read_text().splitlines() if line]
    return [event["slot"] for event in map(json.loads, lines) if event["event"] == "start"]


def test_fault_27_moving_a_slot_past_now_starts_nothing_and_the_next_is_as_previewed(home: Home) -> None:
    """CRON-53, RUN-39: at 01:40 a job goes from 01:15, which nobody fired, to 02:15."""
    home.job('when: "15 1 * * *", timezone: UTC')
    assert runner_at(home, "2026-06-09T12:00:00Z", "crontab", "install", "--yes").returncode == 0
    home.job('when: "15 2 * * *", timezone: UTC')

    installed = runner_at(home, "2026-06-10T01:40:00Z", "crontab", "install", "--yes", "--json")
    (change,) = json.loads(installed.stdout)["jobs"]
    assert [slot["slot"] for slot in change["before"][:2]] == ["2026-06-11T01:15:00Z", "2026-06-12T01:15:00Z"]
    assert [slot["slot"] for slot in change["after"][:2]] == ["2026-06-10T02:15:00Z", "2026-06-11T02:15:00Z"]
    assert runner_at(home, "2026-06-10T01:41:00Z", "sweep").returncode == 0
    assert list_starts(home) == []

    upcoming = runner_at(home, "2026-06-10T01:41:00Z", "next", "job", "-n", "1", "--json")
    assert json.loads(upcoming.stdout)["slot"] == change["after"][0]["slot"]
    python, main = home.path / ".runner/python", home.path / ".runner/main.py"
    for instant in ("2026-06-10T01:45:01Z", "2026-06-10T02:15:01Z"):
        subprocess.run([python, "-IS", "-X", "utf8", WALL_CLOCK, instant, main, "job"], env=CALLER, check=True)
    assert list_starts(home) == ["2026-06-10T02:15:00Z"]
