"""The walk from a file up to the root: who else could change what is executed (SEC-1)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from missing import give_up

from runner.launch.doubts import find_doubts, judge, start_walk
from runner.launch.environment import real_path
from runner.launch.outcome import CannotStart
from runner.launch.trust import Walk, list_program

DIRECTORY = 0o040000
FILE = 0o100000


@pytest.mark.parametrize(
    ("mode", "owner", "why", "verdict"),
    [
        (FILE | 0o755, 8, "belongs to uid 8, neither root nor uid 7", "refused"),
        (FILE | 0o777, 8, "belongs to uid 8, neither root nor uid 7", "refused"),
        (FILE | 0o775, 7, "can be written by its group (mode 0775)", "warned"),
        (FILE | 0o757, 7, "can be written by everybody (mode 0757)", "refused"),
        (FILE | 0o757, 0, "can be written by everybody (mode 0757)", "refused"),
        (DIRECTORY | 0o1777, 7, "can be written by everybody (mode 1777)", "refused"),
        (DIRECTORY | 0o2775, 7, "can be written by its group (mode 2775)", "warned"),
    ],
)
def test_mode_and_owner_decide(mode: int, owner: int, why: str, verdict: str) -> None:
    doubt = judge("/x", mode, owner, {0, 7})
    assert (doubt.why, doubt.by_group) == (why, verdict == "warned")
    assert doubt.refused == (verdict == "refused")


def test_root_trusts_nobody_but_root() -> None:
    walk = Walk(0)
    walk.let_own(7)
    assert walk.owners == {0}
    assert judge("/x", FILE, 7, walk.owners).why == "belongs to uid 7, not root"


def look(*paths: Path) -> list[tuple[str, bool]]:
    """Return what is doubtful on the way to files, and whether it is refused."""
    return [(doubt.path, doubt.refused) for doubt in find_doubts(map(str, paths), start_walk(os.geteuid()))]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A script four levels down."""
    script = tmp_path / "home" / "jobs" / "deep" / "script.sh"
    script.parent.mkdir(parents=True)
    script.touch()
    return script


@pytest.mark.parametrize("component", ["home", "home/jobs", "home/jobs/deep", "home/jobs/deep/script.sh"])
def test_every_component_is_looked_at(tmp_path: Path, tree: Path, component: str) -> None:
    assert look(tree) == []
    (tmp_path / component).chmod(0o777)
    assert look(tree) == [(str(tmp_path / component), True)]


def test_a_component_above_many_files_is_named_once(tmp_path: Path, tree: Path) -> None:
    (tmp_path / "home").chmod(0o775)
    assert look(tree, tree.parent, tree) == [(str(tmp_path / "home"), False)]


def test_a_sticky_directory_of_roots_is_open_to_all_and_safe(tmp_path: Path, tree: Path) -> None:
    (tmp_path / "home").chmod(0o1777)
    assert look(tree) == ([] if os.geteuid() == 0 else [(str(tmp_path / "home"), True)])
    tree.chmod(0o1757)
    assert (str(tree), True) in look(tree)


def test_what_is_written_to_a_device_changes_nothing() -> None:
    assert look(Path("/dev/null")) == []


def test_a_link_is_followed_to_where_the_file_is(tmp_path: Path, tree: Path) -> None:
    (tmp_path / "link").symlink_to(tree)
    tree.parent.chmod(0o777)
    assert real_path(str(tmp_path / "link")) == str(tree)
    assert look(tmp_path / "link") == [(str(tree.parent), True)]


@pytest.mark.parametrize("target", ["../home/jobs/./deep", "{home}/jobs/deep", "second"])
def test_who_can_replace_a_link_on_the_way_is_told_of(tmp_path: Path, tree: Path, target: str) -> None:
    links = tmp_path / "links"
    links.mkdir()
    (links / "second").symlink_to(tree.parent)
    (links / "first").symlink_to(target.format(home=tmp_path / "home"))
    links.chmod(0o777)
    assert look(links / "first" / "script.sh") == [(str(links), True)]
    assert Walk(os.geteuid()).follow(str(links / "first" / "script.sh")) == str(tree)


def test_a_link_that_leads_to_itself_ends_the_walk(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    Walk(os.geteuid()).follow(str(tmp_path / "a"))


def test_the_file_of_another_user_is_refused(tree: Path) -> None:
    if os.geteuid():
        give_up("needs root")
    os.chown(tree, 65534, 65534)
    assert look(tree) == [(str(tree), True)]


def test_what_is_not_there_is_an_error_and_remembered_by_nobody(tmp_path: Path, tree: Path) -> None:
    walk = Walk(os.geteuid())
    (tmp_path / "link").symlink_to("home/later")
    for _ in range(2):
        with pytest.raises(FileNotFoundError):
            walk.follow(str(tmp_path / "link"))
    (tmp_path / "home" / "later").touch()
    (tmp_path / "home" / "later").chmod(0o666)
    with pytest.raises(CannotStart, match=r"home/later can be written by everybody \(mode 0666\)"):
        walk.require([str(tmp_path / "link")])


def test_a_program_is_looked_at_with_the_interpreter_of_its_first_line(tree: Path, tmp_path: Path) -> None:
    interpreter = tmp_path / "interpreter"
    interpreter.touch(0o777)
    interpreter.chmod(0o777)
    tree.write_text(f"#! {interpreter} -x\necho\n")
    assert list_program(str(tree)) == [str(tree), str(interpreter)]
    with pytest.raises(CannotStart, match="interpreter can be written by everybody"):
        Walk(os.geteuid()).require_program(str(tree))
