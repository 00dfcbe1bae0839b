"""What PATHs mean where some directories are indexed already."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runner.archive.index.roots import Given, Scope, find_mount, find_trouble, list_sources, plan_roots, read_given
from runner.archive.index.walk import make_name_test
from runner.errors import TryLater, UserError

is_fits = make_name_test(["*.fits"])


def _directory(path: str) -> Given:
    return Given(path, is_directory=True)


def _file(path: str) -> Given:
    return Given(path, is_directory=False)


def test_without_paths_all_roots_are_looked_at() -> None:
    assert plan_roots(["/b", "/a"], []).scopes == (Scope("/a"), Scope("/b"))


def test_a_new_directory_becomes_a_root() -> None:
    plan = plan_roots(["/b"], [_directory("/a")])
    assert (plan.new, plan.taken_over, plan.scopes) == (("/a",), {}, (Scope("/a"),))


def test_a_path_within_a_root_is_a_part_of_it() -> None:
    plan = plan_roots(["/a"], [_directory("/a/b"), _file("/a/c.fits"), _directory("/a")])
    assert (plan.new, plan.scopes) == ((), (Scope("/a"),))
    assert plan_roots(["/a"], [_file("/a/c.fits"), _directory("/a/b")]).scopes == (
        Scope("/a", "b/"),
        Scope("/a", "c.fits"),
    )


def test_a_name_that_begins_like_a_root_is_not_within_it() -> None:
    assert plan_roots(["/a"], [_directory("/ab")]).new == ("/ab",)


def test_a_file_outside_makes_its_directory_a_root_and_is_looked_at_alone() -> None:
    plan = plan_roots([], [_file("/a/b/c.fits")])
    assert (plan.new, plan.scopes) == (("/a/b",), (Scope("/a/b", "c.fits"),))


def test_a_new_root_takes_over_those_within_it() -> None:
    plan = plan_roots(["/a/b", "/a/c/d", "/e"], [_directory("/a")])
    assert (plan.new, plan.taken_over) == (("/a",), {"/a/b": "/a", "/a/c/d": "/a"})
    assert plan_roots(["/a"], [_directory("/")]).taken_over == {"/a": "/"}


def test_nothing_is_looked_at_twice() -> None:
    given = [_directory("/a/b"), _directory("/a"), _file("/a/b/c.fits"), _directory("/a/b"), _directory("/a-b")]
    assert plan_roots([], given).scopes == (Scope("/a"), Scope("/a-b"))
    assert plan_roots(["/a"], [_directory("/a/b"), _file("/a/b/c.fits")]).scopes == (Scope("/a", "b/"),)


def test_a_dry_run_finds_the_files_of_roots_that_would_be_taken_over() -> None:
    sources = list(list_sources(Scope("/a"), {"/a/b": 1, "/a/b-c": 2, "/e": 3}))
    assert sources == [(2, "b-c/", ""), (1, "b/", "")]


def test_what_is_hidden_below_a_root_is_the_users_mistake() -> None:
    with pytest.raises(UserError, match=r"/a/\.b/c: what is hidden below /a is not indexed"):
        plan_roots(["/a"], [_directory("/a/.b/c")])
    assert plan_roots([], [_directory("/a/.b/c")]).new == ("/a/.b/c",)


# What is there


def test_a_path_that_is_not_there_is_the_users_mistake(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="none: there is no such file or directory"):
        read_given([str(tmp_path / "none")], [], is_fits)


def test_a_root_that_is_not_there_is_one_still(tmp_path: Path) -> None:
    path = str(tmp_path / "none")
    assert read_given([path], [path], is_fits) == [_directory(path)]


@pytest.mark.parametrize("is_there", [True, False])
def test_a_path_within_a_root_that_is_empty_or_gone_is_for_later(tmp_path: Path, is_there: bool) -> None:
    root = tmp_path / "disk"
    if is_there:
        root.mkdir()
    with pytest.raises(TryLater, match="disk"):
        read_given([str(root / "2026")], [str(root)], is_fits)


def test_a_file_of_no_indexed_name_is_the_users_mistake(tmp_path: Path) -> None:
    (tmp_path / "a.txt").touch()
    with pytest.raises(
        UserError, match=r'a\.txt: no file of such a name is indexed; see "names" in envs/archive\.yaml'
    ):
        read_given([str(tmp_path / "a.txt")], [], is_fits)


def test_a_path_that_is_not_utf_8_is_named_so_that_it_can_be_read(tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"\xff\n")
    odd.mkdir()
    with pytest.raises(UserError, match=r"\\xff\\x0a: its name is not UTF-8"):
        read_given([str(odd)], [], is_fits)


def test_a_link_is_what_it_points_to(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert read_given([str(tmp_path / "link")], [], is_fits) == [_directory(str(tmp_path / "real"))]


def test_an_empty_root_is_doubtful_until_somebody_says_that_it_is_mounted(tmp_path: Path) -> None:
    assert "is its disk mounted?" in (find_trouble(str(tmp_path)) or "")
    assert find_trouble(str(tmp_path), accepts_empty=True) is None
    (tmp_path / "NOT_MOUNTED").touch()
    assert find_trouble(str(tmp_path)) is None
    assert "is its disk mounted?" in (find_trouble(str(tmp_path), is_bare=True) or "")


def test_a_root_that_is_gone_is_trouble_whatever_is_said(tmp_path: Path) -> None:
    assert "No such file or directory" in (find_trouble(str(tmp_path / "none"), accepts_empty=True) or "")
    assert find_mount(str(tmp_path / "none")) is None
