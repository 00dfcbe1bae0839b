"""The job by which a home diagnoses itself, through the real wrapper: silent, or a line for each finding."""

from __future__ import annotations

import shutil
import subprocess

from homes import REPOSITORY, Home
from lab import CALLER, Result

from runner.launch.incident import Health, encode_health
from runner.launch.record import open_record, write_record

PLAN = "selfcheck"


def make_job(home: Home, *checks: str) -> None:
    """Write the job as the template has it, of some checks only."""
    shutil.copy(REPOSITORY / "jobs/selfcheck.py", home.path / "jobs/selfcheck.py")
    home.write("envs/local.yaml", (REPOSITORY / "envs/local.yaml").read_text())
    run = " ".join(["jobs/selfcheck.py", *checks])
    home.write("jobs/all.yaml", f"jobs:\n  {PLAN}: {{when: '40 9 29 2 *', run: {run}, profile: local}}\n")
    home.compile()


def leave_uncompiled(home: Home) -> None:
    """Write another job, and do not compile it."""
    registry = home.path / "jobs/all.yaml"
    registry.write_text(registry.read_text() + "  other: {run: jobs/hello.sh, profile: local}\n")


def run(home: Home) -> Result:
    done = subprocess.run([home.path / "wrappers/run-job", PLAN], env=CALLER, capture_output=True, check=False)
    return Result(done.returncode, done.stdout, done.stderr)


def read_outcomes(home: Home) -> list[str]:
    return [row["outcome"] for row in home.runner("history", PLAN, "--json").objects]


def test_a_home_that_is_well_is_silent(home: Home) -> None:
    make_job(home, "DIAG001", "DIAG002", "DIAG020")
    assert run(home).mail == ""
    assert read_outcomes(home) == ["ok"]


def test_each_finding_is_a_line_and_the_run_is_warned(home: Home) -> None:
    make_job(home, "DIAG023", "DIAG002")
    leave_uncompiled(home)
    (home.path / "state").chmod(0o755)
    result = run(home)
    assert result.code == 0
    assert result.subject.startswith(f"WARNED {PLAN} [local] ")
    said = [line for line in result.mail.splitlines() if line.startswith("DIAG")]
    assert [line.partition(":")[0] for line in said] == ["DIAG002 error", "DIAG023 warning"]
    assert read_outcomes(home) == ["warned"]


def test_the_same_finding_is_not_mailed_again_soon(home: Home) -> None:
    make_job(home, "DIAG002")
    leave_uncompiled(home)
    assert run(home).mail != ""
    assert run(home).mail == ""
    assert read_outcomes(home) == ["warned", "warned"]


def test_its_own_trouble_is_no_finding(home: Home) -> None:
    make_job(home, "DIAG021")
    health = Health()
    health.incident, health.flapping, health.opened_at = "a-run", True, 1.0
    path = home.state / "health" / PLAN
    descriptor = open_record(str(path))
    write_record(descriptor, encode_health(health))
    assert run(home).subject.startswith(f"RECOVERED {PLAN} ")
    assert read_outcomes(home) == ["ok"]


def test_a_diagnosis_that_cannot_be_made_fails_the_job(home: Home) -> None:
    make_job(home, "DIAG777")
    result = run(home)
    assert result.code == 2
    assert 'no check is called "DIAG777"' in result.mail


def test_a_note_is_for_whoever_asks_and_not_for_a_mail(home: Home) -> None:
    make_job(home, "DIAG003")
    assert run(home).mail == ""
