"""Profiles for real: what a job finds in its environment, and that it does not run in a broken one."""

from __future__ import annotations

import pwd
import shutil
import subprocess
import sys
from dataclasses import dataclass
from os import getuid
from pathlib import Path

import pytest
from homes import Home
from lab import CALLER, CANARY

SETTINGS = """\
name: lab
mail: {ops: ops@example.org}
sites: {dsoc: {account: ACCOUNT}}
environments: [prod]
layout: "~{account}/workflows/{profile}"
base: {env: {BASE: base, OVER: base, GONE: base, OWN: base}}
"""
PROFILE = """\
activate: [{venv: "VENV"}]
path: {prepend: ["{home}/bin"], append: ["~/bin", "{layout}/bin"]}
env: {OVER: profile, OWN: profile, VIRTUAL_ENV_PROMPT: mine, CAPO_PROFILE: stolen,
      TILDE: ~/x, DOLLAR: $HOME, BRACES: "{{home}} {home}", PLACE: "{site} {environment} {profile}"}
unset: [GONE, NEVER_SET]
"""


@dataclass(frozen=True, slots=True)
class Done:
    """How a run ended that a person started from a shell full of other things."""

    code: int
    out: str
    err: str


def run_job(home: Home, job: str = "job") -> Done:
    command = [home.path / "wrappers" / "run-job", job, "--hand"]
    done = subprocess.run(command, env=CALLER, capture_output=True, text=True, check=False)
    return Done(done.returncode, done.stdout, done.stderr)


def use_profile(home: Home, text: str, name: str = "dsoc-prod", *, job: str = "env: {}") -> None:
    home.write(f"envs/{name}.yaml", text)
    home.write("jobs/all.yaml", f"jobs:\n  job: {{run: jobs/hello.sh, profile: {name}, {job}}}\n")
    home.compile()


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    """A real virtual environment."""
    tree = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tree], check=True)
    return tree


def test_a_job_finds_what_its_profile_says_later_ones_winning(home: Home, venv: Path) -> None:
    """PROF-4, and nothing of the caller's."""
    account = pwd.getpwuid(getuid())
    home.write("envs/site.yaml", SETTINGS.replace("ACCOUNT", account.pw_name))
    home.script("hello.sh", "env")
    use_profile(home, PROFILE.replace("VENV", str(venv)), job="env: {OWN: entry}")
    found = dict(line.split("=", 1) for line in run_job(home).out.splitlines())
    directories = [f"{home.path}/bin", f"{venv}/bin", "/usr/bin", "/bin", f"{account.pw_dir}/bin"]
    assert found["PATH"].split(":") == [*directories, f"{account.pw_dir}/workflows/dsoc-prod/bin"]
    assert (found["BASE"], found["OVER"], found["OWN"]) == ("base", "profile", "entry")
    assert (found["VIRTUAL_ENV"], found["VIRTUAL_ENV_PROMPT"]) == (str(venv), "mine")
    assert (found["CAPO_PROFILE"], found["CAPO_PATH"]) == ("dsoc-prod", f"{home.path}/envs/capo")
    assert (found["TILDE"], found["DOLLAR"], found["BRACES"]) == ("~/x", "$HOME", f"{{home}} {home.path}")
    assert (found["PLACE"], found["RUNNER_PROFILE"]) == ("dsoc prod dsoc-prod", "dsoc-prod")
    assert "GONE" not in found
    assert not [name for name, value in found.items() if CANARY in value]
    assert not found.keys() & CALLER.keys() - {"PATH", "PYTHONPATH"}


def test_a_job_runs_in_its_virtual_environment(home: Home, venv: Path) -> None:
    """PROF-20."""
    home.script("hello.sh", "import sys; print(sys.prefix)", interpreter="/usr/bin/env python3")
    use_profile(home, f"activate: [{{venv: {venv}}}]")
    assert run_job(home) == Done(0, f"{venv}\n", "")


@pytest.mark.parametrize("broken", ["never made", "pyvenv.cfg", "bin/python", "copied"])
def test_a_job_does_not_run_in_a_broken_one(home: Home, venv: Path, tmp_path: Path, broken: str) -> None:
    """PROF-20, PROF-40."""
    if broken == "copied":
        shutil.copytree(venv, tmp_path / "copy", symlinks=True)
        venv = tmp_path / "copy"
    elif broken == "never made":
        shutil.rmtree(venv)
    else:
        (venv / broken).unlink()
    use_profile(home, f"activate: [{{venv: {venv}}}]")
    done = run_job(home)
    reason = {
        "copied": f"{venv} was copied from {tmp_path}/venv; make it anew",
        "bin/python": f"no program {venv}/bin/python",
    }.get(broken, f"no {venv}/pyvenv.cfg")
    assert (done.code, done.out) == (126, "")
    assert done.err == f"runner: job: profile dsoc-prod: venv: {reason}\n"
    (run,) = home.runner("history", "job", "--json").objects
    assert (run["outcome"], run["exit_code"]) == ("cannot_start", 126)
    assert run["reason"] == f"profile dsoc-prod: venv: {reason}"


def test_the_same_job_runs_in_each_of_its_profiles(home: Home) -> None:
    """CRON-11."""
    for name in ("one", "two"):
        home.write(f"envs/{name}.yaml", f"env: {{WHO: {name}}}\n")
    home.script("hello.sh", 'echo "$RUNNER_JOB in $RUNNER_PROFILE as $WHO"')
    home.write("jobs/all.yaml", "jobs:\n  job: {run: jobs/hello.sh, profile: [one, two]}\n")
    home.compile()
    assert run_job(home, "job@two").out == "job in two as two\n"
    assert run_job(home, "job@one").out == "job in one as one\n"
