"""The home is ``--home``, else ``RUNNER_HOME``, else the nearest directory upwards (DESIGN section 7)."""

from pathlib import Path

import pytest

from runner.errors import UserError
from runner.home.find import find_home


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return make_home(tmp_path / "home")


def make_home(path: Path) -> Path:
    (path / "jobs").mkdir(parents=True)
    (path / "envs").mkdir()
    return path


def test_the_option_wins_over_the_variable(home: Path, tmp_path: Path) -> None:
    other = make_home(tmp_path / "other")
    assert find_home(str(home), {"RUNNER_HOME": str(other)}, tmp_path) == home
    assert find_home(None, {"RUNNER_HOME": str(other)}, home) == other


def test_an_empty_variable_counts_as_absent(home: Path) -> None:
    assert find_home(None, {"RUNNER_HOME": ""}, home) == home


def test_the_nearest_directory_upwards_is_found(home: Path) -> None:
    deep = home / "jobs" / "a" / "b"
    deep.mkdir(parents=True)
    assert find_home(None, {}, deep) == home


def test_a_relative_option_begins_at_the_working_directory(home: Path) -> None:
    assert find_home("home", {}, home.parent) == home
    assert find_home("..", {}, home / "jobs") == home


def test_what_is_found_is_the_real_path(home: Path, tmp_path: Path) -> None:
    (tmp_path / "current").symlink_to(home)
    assert find_home(str(tmp_path / "current"), {}, tmp_path) == home


def test_what_is_named_must_be_a_home(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"\(--home\) is no home: it has no jobs/ and envs/"):
        find_home(str(tmp_path), {}, tmp_path)
    with pytest.raises(UserError, match=r"\(RUNNER_HOME\) is no home"):
        find_home(None, {"RUNNER_HOME": "/nonexistent"}, tmp_path)


def test_outside_of_any_home_one_is_told_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(UserError, match='is in no home; make one with "runner init DIR"'):
        find_home(None, {}, tmp_path)
