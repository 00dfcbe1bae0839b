"""``runner.job``: what a Python job logs, and that any environment can import it."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
from lab import REPOSITORY, SLOT, Lab
from pythons import OLDEST, find_pythons

SOURCE = REPOSITORY / "runner" / "job.py"
JOB = """
from runner.job import log_fail, log_info, set_up_logging

@log_fail
@log_info
def main(name, power=1):
    return 1 / power

set_up_logging()
"""


def _run(*words: str, code: str = JOB, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a script as somebody does at his terminal."""
    own = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(REPOSITORY), **environment}
    return subprocess.run([sys.executable, "-c", code, *words], env=own, capture_output=True, text=True, check=False)


# Where it can be imported


def test_it_is_written_for_the_oldest_python_and_imports_the_standard_library_alone() -> None:
    tree = ast.parse(SOURCE.read_bytes(), feature_version=OLDEST)
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names


def test_no_room_imports_it() -> None:
    rooms = [path.read_text() for path in (REPOSITORY / "runner").rglob("*.py") if path != SOURCE]
    assert not [text for text in rooms if "\nfrom runner.job import" in text or "\nimport runner.job" in text]


@pytest.mark.parametrize("python", find_pythons())
def test_a_job_imports_it_in_any_python(lab: Lab, python: str) -> None:
    lab.job("job", f"{JOB}main('wfc3', power=4)", interpreter=python)

    result = lab.run("job", "--slot", SLOT)

    assert (result.code, result.err) == (0, b"")
    assert b"runner.job: main('wfc3', power=4)\n" in lab.output("job")
    assert b"runner.job: main completed\n" in lab.output("job")


def test_where_the_runner_is_installed_its_own_package_is_not_hidden(lab: Lab) -> None:
    code = "import runner.job, runner.launch, runner; print(runner.__file__)"
    lab.job("job", code, interpreter=sys.executable)

    assert lab.run("job", "--slot", SLOT).code == 0
    assert lab.output("job").decode() == f"{REPOSITORY}/runner/__init__.py\n"


def test_a_command_in_a_profile_imports_it_too(lab: Lab) -> None:
    (lab.home / "envs/dsoc-prod.yaml").write_text("")
    command = [lab.home / "wrappers/with-profile", "dsoc-prod", "/usr/bin/python3", "-c", "import runner.job"]
    assert subprocess.run(command, capture_output=True).returncode == 0


# What is logged


def test_a_call_is_logged_with_arguments_person_place_versions_and_time(lab: Lab) -> None:
    lab.job("job", f"{JOB}main('wfc3')", interpreter=sys.executable)

    lab.run("job", "--slot", SLOT)

    said = lab.output("job").decode()
    assert f"run {lab.end('job')['run_id']}, release -, profile dsoc-prod\n" in said
    assert f"user {os.environ.get('USER', 'root')}, host " in said
    assert f"Python {sys.version.split()[0]} {sys.executable}\n" in said
    assert "runner.job: main took 0." in said


def test_packages_are_those_that_were_imported() -> None:
    said = _run(code=f"import numpy, json\n{JOB}main('x')").stdout
    packages = next(line for line in said.splitlines() if "packages" in line)
    assert "numpy " in packages
    assert "json" not in packages


def test_long_arguments_are_cut() -> None:
    assert max(map(len, _run(code=f"{JOB}main('x' * 10000)").stdout.splitlines())) < 400


def test_errors_go_to_stderr_which_is_mailed_and_all_else_to_stdout() -> None:
    code = f"{JOB}import logging, warnings; log = logging.getLogger('a')\nlog.debug('d'); log.info('i')"
    code += "\nlog.warning('w'); warnings.warn('deprecated'); log.error('e')"

    done = _run(code=code)

    assert [line.split(" ", 1)[1] for line in done.stderr.splitlines()] == ["ERROR a: e"]
    assert [line.split()[1] for line in done.stdout.splitlines() if "Z " in line] == ["INFO", "WARNING", "WARNING"]


def test_setting_up_twice_says_nothing_twice() -> None:
    assert _run(code=f"{JOB}set_up_logging(); import logging; logging.info('once')").stdout.count("once") == 1


def test_an_exception_is_logged_and_still_fails_the_job_with_one_traceback(lab: Lab) -> None:
    lab.job("job", f"{JOB}main('x', power=0)", interpreter=sys.executable)

    result = lab.run("job", "--slot", SLOT)

    assert (result.code, lab.end("job")["outcome"]) == (1, "failed")
    assert b"ERROR runner.job: main crashed: ZeroDivisionError: division by zero\n" in lab.output("job")
    assert b"main took" in lab.output("job")
    assert lab.output("job").count(b"Traceback") == 1


def test_what_a_function_returns_is_returned_under_its_own_name() -> None:
    assert _run(code=f"{JOB}print('is', main('x', power=2), main.__name__)").stdout.endswith("is 0.5 main\n")


# What is recorded


@pytest.fixture
def declare() -> str:
    return "from runner.job import note, product, set_up_logging, used\nset_up_logging()\n"


def test_outside_of_a_run_it_is_logged_and_nothing_else(declare: str, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("photons")
    said = _run(code=f"{declare}product({str(tmp_path / 'a')!r}); note('seeing 0.7')")

    assert (said.returncode, said.stderr) == (0, "")
    assert "product: " in said.stdout
    assert "note: seeing 0.7" in said.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_product_that_is_not_there_is_the_jobs_mistake(declare: str) -> None:
    said = _run(code=f"{declare}product('/no/such')")
    assert (said.returncode, said.stderr.splitlines()[-1][:17]) == (1, "FileNotFoundError")


def test_what_cannot_be_recorded_is_an_error_in_the_log_and_the_job_goes_on(declare: str, tmp_path: Path) -> None:
    said = _run(code=f"{declare}note('x'); print('on')", RUNNER_STATE=str(tmp_path / "none"), RUNNER_RUN_ID="r")
    assert said.returncode == 0
    assert "note is not recorded: " in said.stderr
    assert said.stdout.endswith("on\n")


def test_a_link_planted_for_the_journal_is_not_followed(declare: str, tmp_path: Path) -> None:
    """SEC-6."""
    (tmp_path / "journal").mkdir()
    (tmp_path / "precious").write_text("x")
    code = f"{declare}import os, time; name = time.strftime('%Y-%m-%d.jsonl', time.gmtime())\n"
    code += f"os.{{how}}({str(tmp_path / 'precious')!r}, {str(tmp_path / 'journal')!r} + '/' + name); note('x')"

    for how in ("symlink", "link"):
        said = _run(code=code.format(how=how), RUNNER_STATE=str(tmp_path), RUNNER_RUN_ID="r")
        next((tmp_path / "journal").iterdir()).unlink()
        assert "note is not recorded: " in said.stderr
    assert (tmp_path / "precious").read_text() == "x"
