"""A new home is the living example of this repository with its owner's name in it."""

import os
from pathlib import Path

import pytest

from runner.errors import UserError
from runner.home.find import find_home
from runner.home.settings import read_settings
from runner.home.template import adapt_settings, create_home, find_template
from runner.registry.read import read_registry

TEMPLATE = find_template()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return create_home(tmp_path / "deep" / "ql", TEMPLATE, "wfc3ql")


def test_a_new_home_is_found_and_its_files_are_right(home: Path) -> None:
    assert find_home(None, {}, home / "jobs") == home
    settings = read_settings(home)
    assert (settings.name, settings.mail.via, settings.mail.ops) == ("ql", "sendmail", ("wfc3ql",))
    assert read_registry(home).jobs


def test_files_come_with_their_executable_bits_and_can_be_edited(home: Path) -> None:
    for name in ("wrappers/run-job", "jobs/wfc3.yaml"):
        assert (home / name).read_bytes() == (TEMPLATE / name).read_bytes()
        assert os.access(home / name, os.X_OK) == os.access(TEMPLATE / name, os.X_OK)
        assert (home / name).stat().st_mode & 0o200


def test_nothing_compiled_comes_along(tmp_path: Path) -> None:
    template = tmp_path / "template"
    for name in ("jobs/__pycache__", "envs", "wrappers", "crontab.d/plans", "state"):
        (template / name).mkdir(parents=True)
    (template / "envs/site.yaml").write_text("name: x\nmail: {ops: y}\n")
    home = create_home(tmp_path / "home", template)
    assert sorted(path.name for path in home.iterdir()) == [
        ".gitignore", "crontab.d", "envs", "jobs", "state", "wrappers",
    ]  # fmt: skip
    assert not list((home / "crontab.d").iterdir())
    assert not list((home / "jobs").iterdir())


def test_the_state_directory_is_private(home: Path) -> None:
    """SEC-6."""
    assert (home / "state").stat().st_mode & 0o777 == 0o700
    assert (home / "state/journal").is_dir()


def test_what_each_machine_makes_for_itself_stays_out_of_git(home: Path) -> None:
    ignored = (home / ".gitignore").read_text().splitlines()
    assert {"/.runner/", "/state/", "/crontab.d/"} <= set(ignored)


def test_a_home_that_is_there_stays_as_it_is(home: Path) -> None:
    (home / "jobs/wfc3.yaml").write_text("jobs:\n")
    assert create_home(home, TEMPLATE) == home
    assert (home / "jobs/wfc3.yaml").read_text() == "jobs:\n"


def test_an_empty_directory_will_do(tmp_path: Path) -> None:
    assert create_home(tmp_path, TEMPLATE) == tmp_path


@pytest.mark.parametrize("name", ["notes.txt", ".git"])
def test_a_directory_with_something_else_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    with pytest.raises(UserError, match="is not empty and no home"):
        create_home(tmp_path, TEMPLATE)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    with pytest.raises(UserError, match="is not empty and no home"):
        create_home(tmp_path / "x", TEMPLATE)


def test_settings_keep_their_comments_and_lose_their_targets() -> None:
    before = "# a\nname: x  # b\nmail: {via: cron, ops: y}  # c\ntargets:\n  ops:\n    user: u\n\n# d\nbase: {}\n"
    after = "# a\nname: on-2  # b\nmail: {via: cron, ops: z}  # c\n\n# d\nbase: {}\n"
    assert adapt_settings(before, "on-2", "z") == after
