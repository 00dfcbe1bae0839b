"""``runner demo``: the whole path, as a stranger meets it first."""

import subprocess
import sys
from pathlib import Path

import pytest

RUNNER = (sys.executable, "-P", "-m", "runner.cli.main")


def demo(*arguments: str, directory: Path) -> subprocess.CompletedProcess[str]:
    """Run the demo with nothing in the environment but what it needs."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": "", "TMPDIR": str(directory)}
    return subprocess.run(
        [*RUNNER, "demo", *arguments], cwd=directory, env=environment, capture_output=True, text=True, check=False
    )


def list_names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


@pytest.fixture(scope="module")
def played(tmp_path_factory) -> tuple[Path, str]:
    """Return the directory of a demo that was played and all that it said."""
    directory = tmp_path_factory.mktemp("demo") / "by-hand"
    done = demo(str(directory), directory=directory.parent)
    assert done.returncode == 0, done.stdout + done.stderr
    return directory, done.stdout


@pytest.mark.parametrize(
    "text",
    [
        "$ cat jobs/wfc3.yaml",
        "# BEGIN runner observatory@main",
        "$ runner status",
        "$ runner history",
        "FAILED check-darks [local] exit 3",
        "check-darks: 0 of 4 dark frames found",
        "TIMED_OUT mirror-night [local]",
        "RECOVERED index-wfc3 [local]",
        "each as expected.",
        "runner crontab install",
    ],
)
def test_the_demo_shows(text, played):
    assert text in played[1]


def test_the_lines_of_others_in_the_crontab_stay(played):
    table = played[0] / "cron/table"
    assert table.read_text().startswith("# quicklook@ops1: by hand since 2009.")


def test_the_mails_of_the_night_are_kept(played):
    assert len(list((played[0] / "mail").iterdir())) == 4


def test_everything_lies_in_its_directory(played):
    assert list_names(played[0]) == ["archive", "cron", "mail", "observatory"]
    assert list_names(played[0].parent) == [played[0].name]


def test_without_a_name_the_demo_makes_a_directory_and_says_which(tmp_path):
    done = demo(directory=tmp_path)
    (made,) = tmp_path.iterdir()
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith(f"A small observatory in {made}\n")


def test_a_directory_that_is_not_empty_is_refused(tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis/chapter1").touch()
    done = demo("thesis", directory=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "thesis is not empty; name a new directory, or none\n"
    assert list_names(tmp_path / "thesis") == ["chapter1"]


def test_a_directory_that_cannot_stand_in_a_crontab_is_refused_before_anything_is_written(tmp_path):
    done = demo("my demo", directory=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "my demo: a crontab line takes an absolute path of only" in done.stderr
    assert list_names(tmp_path) == []
