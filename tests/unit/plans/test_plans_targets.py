"""CRON-19, CRON-20: each target's crontab has its own jobs, and all of it is the same wherever it is compiled."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from homes import REPOSITORY, Home

from runner.plans.load import load_home

SETTINGS = """\
name: ql
mail: {via: cron, ops: ops@example.org}
sites: {dsoc: {}, naasc: {}}
environments: [prod, test]
targets:
  prod: {hosts: [ql1, ql2], user: wfc3, home: /home/wfc3/ql, timezone: UTC, site: dsoc, environment: prod}
  test: {hosts: [ql1], user: wfc3test, home: /home/wfc3test/ql, timezone: UTC, environment: test, state: /data/test}
  all: {hosts: ["cv*"], user: wfc3, home: /home/wfc3/ql, timezone: UTC, state: var, database: "postgresql://h/d"}
"""
JOBS = """\
jobs:
  everywhere: {when: "0 1 * * *", run: jobs/hello.sh, profile: [dsoc-prod, dsoc-test, naasc-prod]}
  on-ql2: {when: "0 2 * * *", run: jobs/hello.sh, profile: dsoc-prod, hosts: [ql2]}
  on-cv: {when: "0 3 * * *", run: jobs/hello.sh, profile: dsoc-prod, hosts: ["cv*.example.org", cvpost]}
  off: {when: "0 4 * * *", run: jobs/hello.sh, profile: dsoc-prod, enabled: false}
  by-hand: {run: jobs/hello.sh, profile: dsoc-prod}
  nowhere: {when: "0 5 * * *", run: jobs/hello.sh, profile: naasc-prod, hosts: [ql1]}
  set: {when: "*/5 * * * *", run: jobs/hello.sh, profile: dsoc-prod, env: {B: "1", A: "2"}, mailto: [b@x, a@x]}
"""
PROFILES = ("dsoc-prod", "dsoc-test", "naasc-prod")
ELSEWHERE = {"HOME": "/nonexistent", "USER": "somebody", "LANG": "C", "TZ": "Asia/Kolkata", "PYTHONHASHSEED": "7"}
IN_2031 = "import time; time.time = lambda: 1.94e9; from runner.cli.main import main; main()"


def write_observatory(home: Home) -> None:
    home.write("envs/site.yaml", SETTINGS)
    home.write("jobs/all.yaml", JOBS)
    for profile in PROFILES:
        home.write(f"envs/{profile}.yaml", "env: {AREA: '{home}/{profile}/{site}/{environment}'}\n")


def lines(home: Home, target: str) -> list[str]:
    text = home.read(f"crontab.d/{target}.crontab").decode()
    return re.findall(r"run-job ([a-z].*)", text)


def test_each_target_has_the_jobs_of_its_hosts_site_and_environment(home: Home) -> None:
    write_observatory(home)
    home.compile()
    assert lines(home, "prod") == ["everywhere@dsoc-prod", "on-ql2", "set"]
    assert lines(home, "test") == ["everywhere@dsoc-test"]
    assert lines(home, "all") == [*(f"everywhere@{name}" for name in PROFILES), "on-cv", "set"]


def test_a_job_that_fits_no_target_is_named(home: Home) -> None:
    write_observatory(home)
    warnings = [fault for fault in home.runner("check").faults if "no target" in fault]
    assert warnings == [
        "jobs/all.yaml:7:80: warning: no target would run it (all, prod, test); see its hosts and its profile"
    ]


@pytest.mark.parametrize(
    ("target", "state", "database"),
    [
        ("prod", "{home}/state", "sqlite:///{home}/state/runner.db"),
        ("test", "/data/test", "sqlite:////data/test/runner.db"),
        ("all", "{home}/var", "postgresql+psycopg2://h/d"),
        (None, "{home}/state", "sqlite:///{home}/state/runner.db"),
    ],
)
def test_state_and_database_are_the_targets_own(home: Home, target: str | None, state: str, database: str) -> None:
    """CRON-20: where no target is ours they are the home's own, so that a clone never opens production's."""
    write_observatory(home)
    settings = load_home(home.path).settings
    found = next((one for one in settings.targets if one.name == target), None)
    assert str(settings.state_of(found)) == state.format(home=home.path)
    assert settings.database_of(found) == database.format(home=home.path)


def test_the_home_plan_tells_the_wrapper_every_targets_state_and_zone(home: Home) -> None:
    write_observatory(home)
    home.compile()
    text = home.read("crontab.d/home.plan").decode()
    assert "target all\nuser wfc3\ntimezone UTC\nstate {home}/var\nhost cv*\n" in text
    assert "target test\nuser wfc3test\ntimezone UTC\nstate /data/test\nhost ql1\n" in text
    assert str(home.path) not in text


def test_the_same_registry_compiles_to_the_same_bytes_anywhere_at_any_time(home: Home, tmp_path: Path) -> None:
    """CRON-19; a gated job too, whose lines hang on the clock changes of its zone."""
    write_observatory(home)
    gated = '  gated: {when: "30 2 * * *", timezone: America/New_York, run: jobs/hello.sh, profile: dsoc-prod}\n'
    home.write("jobs/all.yaml", JOBS + gated)
    home.compile()
    other = tmp_path / "somewhere" / "else"
    shutil.copytree(home.path, other, ignore=shutil.ignore_patterns("crontab.d", ".runner", "state"))
    for number, path in enumerate(sorted((other / "jobs").iterdir())):
        os.utime(path, (number, number))
    command = [sys.executable, "-P", "-c", IN_2031, "compile"]
    environment = {**ELSEWHERE, "PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY)}
    subprocess.run(command, cwd=other, env=environment, check=True, capture_output=True)
    compiled = home.compiled()
    there = {path: (other / "crontab.d" / path).read_bytes() for path in compiled}
    assert there == compiled
    assert sum(path.is_file() for path in (other / "crontab.d").rglob("*")) == len(compiled)
    assert lines(home, "prod")[1:3] == ["gated", "gated"]
