"""The tree of a profile decides what a job runs as much as its script does (SEC-19)."""

from __future__ import annotations

from pathlib import Path

import pytest
from activators import KINDS
from homes import Home
from lab import SLOT, Lab

from runner.launch.activation import Change

# What of each kind of tree is looked at, below the directory that a test makes it in.
COMPONENTS = [
    ("venv", "venv"),
    ("venv", "venv/bin"),
    ("venv", "venv/pyvenv.cfg"),
    ("venv", "venv/lib/python3.11/site-packages"),
    ("conda", "conda/envs/wfc3"),
    ("conda", "conda/envs/wfc3/bin"),
    ("conda", "conda/envs/wfc3/etc/conda/activate.d"),
    ("conda", "conda/envs/wfc3/etc/conda/activate.d/iraf.sh"),
    ("conda", "conda/envs"),
    ("bash", "setup.bash"),
    ("tcsh", "setup.tcsh"),
    ("modules", "modulefiles"),
]


def make_tree(kind: str, directory: Path) -> Change:
    directory.mkdir()
    change = KINDS[kind](directory)
    if kind == "venv":
        (directory / "venv/lib/python3.11/site-packages").mkdir(parents=True)
    return change


@pytest.mark.parametrize(("kind", "component"), COMPONENTS)
def test_sec_19_a_tree_that_everybody_can_change_starts_nothing(
    lab: Lab, tmp_path: Path, kind: str, component: str
) -> None:
    change = make_tree(kind, tmp_path / "trees")
    lab.job("job", f"touch {lab.home}/ran", changes=[change])
    (tmp_path / "trees" / component).chmod(0o777)

    result = lab.run("job", "--slot", SLOT)

    assert (result.code, lab.end("job")["outcome"]) == (126, "cannot_start")
    assert lab.end("job")["reason"].startswith(f"{tmp_path}/trees/{component} can be written by everybody (mode 0777)")
    assert not (lab.home / "ran").exists()
    assert b"activating" not in lab.log("job")


@pytest.mark.parametrize("kind", ["venv", "conda", "bash", "modules"])
def test_sec_19_a_tree_of_our_own_is_activated(lab: Lab, tmp_path: Path, kind: str) -> None:
    lab.job("job", f"touch {lab.home}/ran", changes=[make_tree(kind, tmp_path / "trees")])

    assert (lab.run("job", "--slot", SLOT).err, (lab.home / "ran").exists()) == (b"", True)


def test_sec_19_a_command_that_evaluates_or_runs_is_looked_at(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    tool = tmp_path / "tools" / "ur_setup"
    tool.write_text("#!/bin/sh\necho export A=1\n")
    tool.chmod(0o757)
    lab.job("job", "true", changes=[Change("setup", details=[("shell", "bash"), ("eval", f"{tool} -sh")])])

    lab.run("job", "--slot", SLOT)

    assert lab.end("job")["reason"].startswith(f"{tool} can be written by everybody (mode 0757)")


@pytest.fixture
def venv(home: Home) -> Path:
    """A home whose jobs run in a virtual environment; its ``site-packages``."""
    make_tree("venv", home.path.parent / "trees")
    home.write("envs/local.yaml", f"activate: [{{venv: {home.path.parent}/trees/venv}}]\n")
    return home.path.parent / "trees/venv/lib/python3.11/site-packages"


def test_sec_19_an_install_refuses_a_tree_that_everybody_can_change(home: Home, venv: Path) -> None:
    assert home.runner("crontab", "install", "--yes").code == 0
    venv.chmod(0o777)

    answer = home.runner("crontab", "install", "--yes")

    assert answer.code == 2
    assert answer.err.startswith(f"{venv}: can be written by everybody (mode 0777): ")


@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        ("work.pth", "{home}/src\n", "{home}/src"),
        ("__editable__.pipe-1.0.pth", "import __editable___pipe_finder\n", "a mapping in it"),
        ("__editable__.pipe-1.0.pth", "{home}/pipe\n", "{home}/pipe"),
        ("distutils-precedence.pth", "import os; var = 1\n", ""),
        ("inside.pth", "# a comment\n\nvendored\n", ""),
    ],
)
def test_sec_19_an_editable_install_is_a_warning(home: Home, venv: Path, name: str, text: str, place: str) -> None:
    (venv / name).write_text(text.format(home="/home/ana"))

    answer = home.runner("crontab", "install", "--yes")

    assert answer.code == 0
    assert (f"{venv / name}: an editable install: modules come from " in answer.err) == bool(place)
    assert place.format(home="/home/ana") in answer.err
    assert (str(venv / name) in home.runner("check").out) == bool(place)
