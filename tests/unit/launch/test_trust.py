"""The walk from a file up to the root: who else could change what is executed (SEC-1)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runner.launch.environment import real_path
from runner.launch.trust import find_doubts, judge

DIRECTORY = 0o040000
FILE = 0o100000


@pytest.mark.parametrize(
    ("mode", "owner", "verdict"),
    [
        (FILE | 0o755, 0, ""),
        (FILE | 0o755, 7, ""),
        (FILE | 0o755, 8, "refused"),
        (FILE | 0o775, 7, "warned"),
        (FILE | 0o757, 7, "refused"),
        (FILE | 0o757, 0, "refused"),
        (DIRECTORY | 0o1777, 0, ""),
        (DIRECTORY | 0o1777, 7, "refused"),
        (DIRECTORY | 0o777, 0, "refused"),
        (FILE | 0o1777, 0, "refused"),
        (DIRECTORY | 0o2775, 7, "warned"),
    ],
)
def test_mode_and_owner_decide(mode: int, owner: int, verdict: str) -> None:
    doubt = judge("/x", mode, owner, 7)
    assert (doubt and ("refused" if doubt.refused else "warned")) == (verdict or None)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A script four levels down."""
    script = tmp_path / "home" / "jobs" / "deep" / "script.sh"
    script.parent.mkdir(parents=True)
    script.touch()
    return script


@pytest.mark.parametrize("component", ["home", "home/jobs", "home/jobs/deep", "home/jobs/deep/script.sh"])
def test_every_component_is_looked_at(tmp_path: Path, tree: Path, component: str) -> None:
    assert find_doubts([str(tree)], os.geteuid()) == []
    (tmp_path / component).chmod(0o777)
    (doubt,) = find_doubts([str(tree)], os.geteuid())
    assert (doubt.path, doubt.refused) == (str(tmp_path / component), True)
    assert doubt.why == "can be written by everybody (mode 0777)"


def test_a_component_above_many_files_is_named_once(tmp_path: Path, tree: Path) -> None:
    (tmp_path / "home").chmod(0o775)
    doubts = find_doubts([str(tree), str(tree.parent), str(tree)], os.geteuid())
    assert [(doubt.path, doubt.refused) for doubt in doubts] == [(str(tmp_path / "home"), False)]


def test_a_link_is_followed_to_where_the_file_is(tmp_path: Path, tree: Path) -> None:
    (tmp_path / "link").symlink_to(tree)
    tree.parent.chmod(0o777)
    assert real_path(str(tmp_path / "link")) == str(tree)
    assert [doubt.path for doubt in find_doubts([str(tmp_path / "link")], os.geteuid())] == [str(tree.parent)]


def test_the_file_of_another_user_is_refused(tree: Path) -> None:
    (doubt, *_) = find_doubts([str(tree)], os.geteuid() + 1) if os.geteuid() else [judge("x", FILE, 5, 0)]
    assert doubt is not None
    assert doubt.refused


def test_what_is_not_there_cannot_be_trusted(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        find_doubts([str(tmp_path / "nothing")], 0)
