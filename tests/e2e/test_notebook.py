"""From the registry to the answer: which commit, which packages, which inputs, which outputs had that run?"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from lab import CALLER, REPOSITORY, need_program

from runner.home.here import read_user

COMMIT = "2d6edb83f7a01c44f06a1d0b9a4e8f3c5b6a7d10"
TOLD_IN_SHELL = '"$RUNNER_HOME"/.runner/bin/runner note "seeing 0.7" --input "$RAW" --product "$RAW.cal"\n'
TOLD_IN_PYTHON = """\
import os
from runner.job import log_fail, log_info, note, product, set_up_logging, used

@log_fail
@log_info
def main():
    used(os.environ["RAW"])
    product(os.environ["RAW"] + ".cal")
    note("seeing 0.7")

set_up_logging()
main()
"""
JOBS = {
    "in-sh": f"#!/bin/sh\n{TOLD_IN_SHELL}",
    "in-tcsh": f"#!/bin/tcsh -f\n{TOLD_IN_SHELL}",
    "in-python": f"#!/usr/bin/env python3\n{TOLD_IN_PYTHON}",
    "in-system-python": f"#!/usr/bin/python3\n{TOLD_IN_PYTHON}",
}


def _runner(home: Path, *words: str) -> str:
    command = [sys.executable, "-P", "-m", "runner.cli.main", "--home", str(home), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A compiled release whose jobs run in a virtual environment, made as everybody makes one."""
    top = tmp_path_factory.mktemp("ql")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(top / "venv")], check=True)
    packages = next((top / "venv/lib").glob("python3*")) / "site-packages"
    (packages / "astropy-6.1.0.dist-info").mkdir()
    (top / "a.fits").write_bytes(b"photons")
    (top / "a.fits.cal").write_bytes(b"calibrated")
    home = top / "releases" / COMMIT
    target = f"{{hosts: ['*'], user: {read_user()}, home: {top}/current}}"
    settings = f"name: ql\nstate: {top}/state\nmail: {{via: cron, ops: a@example.org}}\ntargets: {{here: {target}}}\n"
    _write(home / "envs/site.yaml", settings)
    _write(home / "envs/local.yaml", f"activate: [{{venv: {top}/venv}}]\nenv: {{RAW: {top}/a.fits}}\n")
    entries = [f"  {name}: {{run: jobs/{name} 'a b', profile: local}}\n" for name in JOBS]
    _write(home / "jobs/all.yaml", "".join(["jobs:\n", *entries]))
    for name, text in JOBS.items():
        _write(home / "jobs" / name, text).chmod(0o755)
    _write(home / "wrappers/run-job", (REPOSITORY / "wrappers/run-job").read_text()).chmod(0o755)
    (top / "current").symlink_to(home)
    _runner(home, "compile")
    return home


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize("job", JOBS)
def test_a_run_answers_which_commit_packages_inputs_and_outputs(release: Path, job: str) -> None:
    if job == "in-tcsh":
        need_program("tcsh")
    subprocess.run([release / "wrappers/run-job", job], env=CALLER, check=True)
    newest = json.loads(_runner(release, "history", job, "-n", "1", "--json"))

    page: dict[str, Any] = json.loads(_runner(release, "history", newest["run_id"], "--json"))

    raw = str(release.parents[1] / "a.fits")
    assert (page["outcome"], page["release"], page["command"]) == ("ok", COMMIT, f"jobs/{job} 'a b'")
    assert {"name": "astropy", "version": "6.1.0"} in page["packages"]
    assert [(one["path"], one["size_bytes"]) for one in page["inputs"]] == [(raw, 7)]
    assert [(one["path"], one["size_bytes"]) for one in page["outputs"]] == [(f"{raw}.cal", 10)]
    assert [one["text"] for one in page["notes"]] == ["seeing 0.7"]
    assert f"product: {raw}.cal" in Path(page["log"]).read_text()
