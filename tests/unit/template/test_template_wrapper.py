"""``wrappers/run-job``: what a crontab line calls (RUN-1)."""

import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
def home(tmp_path) -> Path:
    """Return a home, a blank in its path, whose interpreter prints its arguments."""
    home = tmp_path / "my home"
    (home / ".runner").mkdir(parents=True)
    shutil.copytree(REPOSITORY / "wrappers", home / "wrappers")
    interpreter = home / ".runner" / "python"
    interpreter.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    interpreter.chmod(0o755)
    return home


def call(program: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([program, *arguments], cwd="/", env={}, capture_output=True, text=True, check=False)


def test_it_starts_the_interpreter_of_its_home_isolated_with_the_arguments_as_they_are(home):
    done = call(home / "wrappers/run-job", "job", "--", "two words", "", "*")
    isolation, _, encoding, main, *arguments = done.stdout.removesuffix("\n").split("\n")
    assert (isolation, encoding) == ("-IS", "utf8")
    assert Path(main).resolve() == home / ".runner/main.pyc"
    assert arguments == ["job", "--", "two words", "", "*"]


def test_it_finds_its_home_when_reached_by_a_link(home, tmp_path):
    (tmp_path / "link").symlink_to(home / "wrappers/run-job")
    done = call(tmp_path / "link", "--sweep")
    assert Path(done.stdout.split("\n")[3]).resolve() == home / ".runner/main.pyc"


def test_by_way_of_a_link_to_the_release_in_use_it_names_the_release_itself(home, tmp_path):
    """What `current` leads to a moment later is another matter (RUN-26)."""
    (tmp_path / "current").symlink_to(home)
    done = call(tmp_path / "current/wrappers/run-job", "--sweep")
    assert done.stdout.split("\n")[3] == f"{home}/.runner/main.pyc"


def test_a_home_that_was_never_compiled_says_what_to_do(home):
    shutil.rmtree(home / ".runner")
    done = call(home / "wrappers/run-job", "job")
    assert done.returncode == 127
    assert done.stderr.endswith('run "runner compile" in that home\n')
    assert done.stderr.count("\n") == 1
