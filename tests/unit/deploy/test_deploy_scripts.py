"""The scripts of ``deploy/`` up to the point where they would install something."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
def checkout(tmp_path) -> Path:
    """Return a checkout with a blank in its path."""
    checkout = tmp_path / "a checkout"
    shutil.copytree(REPOSITORY / "deploy", checkout / "deploy")
    shutil.copy(REPOSITORY / "pyproject.toml", checkout)
    return checkout


@pytest.fixture
def environment(tmp_path) -> Path:
    """Return a virtual environment that says what is done with it."""
    environment = tmp_path / "venv"
    (environment / "bin").mkdir(parents=True)
    (environment / "pyvenv.cfg").touch()
    write_program(environment / "bin/python", 'case "$*" in *import*) ;; *) echo "python $*" ;; esac')
    write_program(environment / "bin/runner", 'echo "runner $*"')
    return environment


def write_program(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def call(
    checkout: Path, script: str, *arguments: str, venv: Path | str, path: str = "/usr/bin:/bin"
) -> subprocess.CompletedProcess[str]:
    """Run a script of deploy/ from the root directory, with almost nothing in the environment."""
    environment = {"PATH": path, "RUNNER_VENV": str(venv)}
    command = [checkout / "deploy" / script, *arguments]
    return subprocess.run(command, cwd="/", env=environment, capture_output=True, text=True, check=False)


def test_what_is_missing_is_installed_before_the_demo_begins(checkout, environment):
    done = call(checkout, "demo", "my dir", venv=environment)
    first, second = done.stdout.splitlines()
    assert first.startswith("python -I -m pip install")
    assert first.endswith(f"--editable {checkout}")
    assert second == "runner demo my dir"


def test_the_second_call_installs_nothing(checkout, environment):
    call(checkout, "demo", venv=environment)
    done = call(checkout, "demo", venv=environment)
    assert (done.stdout, done.stderr) == ("runner demo\n", "")


def test_a_changed_pyproject_is_installed_again(checkout, environment):
    call(checkout, "demo", venv=environment)
    with (checkout / "pyproject.toml").open("a") as file:
        file.write("\n")
    assert "pip install" in call(checkout, "demo", venv=environment).stdout


def test_the_tests_need_more_than_the_demo(checkout, environment):
    call(checkout, "demo", venv=environment)
    done = call(checkout, "test", "-k", "one two", venv=environment)
    assert done.stdout.splitlines()[0].endswith(f"{checkout}[test]")
    assert done.stdout.splitlines()[1] == "python -m pytest -k one two"


def test_after_the_tests_the_demo_needs_nothing_more(checkout, environment):
    call(checkout, "test", venv=environment)
    assert call(checkout, "demo", venv=environment).stdout == "runner demo\n"


def test_a_failed_installation_ends_the_script_and_is_tried_again(checkout, environment):
    write_program(environment / "bin/python", 'case "$*" in *import*) ;; *) echo no network >&2; exit 1 ;; esac')
    for _ in range(2):
        done = call(checkout, "demo", venv=environment)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.endswith("no network\n")


def test_without_a_recent_python_the_remedy_is_one_line(checkout, tmp_path):
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sh", "dirname", "cksum", "cat", "ls"):
        (programs / name).symlink_to(shutil.which(name, path="/usr/bin:/bin"))
    write_program(programs / "python3", "exit 1  # as an old one answers")
    done = call(checkout, "demo", venv=tmp_path / "new", path=str(programs))
    assert done.returncode == 1
    assert done.stderr == "demo: no Python 3.11 or newer on PATH; remedy: apt install python3\n"


def test_a_directory_that_is_no_environment_is_never_cleared(checkout, tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis/chapter1").touch()
    done = call(checkout, "demo", venv=tmp_path / "thesis", path=os.environ["PATH"])
    assert done.returncode == 1
    assert "is no virtual environment and not empty" in done.stderr
    assert (tmp_path / "thesis/chapter1").exists()
