"""What a walk finds, and in which order (ARCH-24, ARCH-25)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.archive.index.walk import (
    NOT_UTF8,
    Walk,
    escape,
    is_gone,
    is_utf8,
    make_name_test,
    make_signature,
)

is_fits = make_name_test(["*.fits", "*.fits.gz", "raw_?.dat"])


def _paths(root: Path, below: str = "") -> list[str]:
    return [found[0] for found in Walk(str(root), below, is_fits)]


def _touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


@pytest.mark.parametrize("name", ["a.fits", "A.FITS", "a.b.fits.gz", "raw_1.dat"])
def test_a_name_of_a_pattern_is_wanted_in_either_case(name: str) -> None:
    assert is_fits(name)


@pytest.mark.parametrize("name", ["a.fits.part", ".a.fits", "a.fit", "fits", "raw_12.dat", ".manifest.jsonl"])
def test_other_names_hidden_ones_and_unfinished_ones_are_not(name: str) -> None:
    assert not is_fits(name)


def test_what_is_unfinished_or_hidden_is_never_wanted() -> None:
    is_wanted = make_name_test(["*"])
    assert [name for name in ("a", "a.part", ".a") if is_wanted(name)] == ["a"]


def test_a_walk_is_in_the_order_of_the_bytes_of_paths(tmp_path: Path) -> None:
    _touch(tmp_path, "a/b.fits", "a.fits", "a-b/c.fits", "a0.fits", "é.fits", "B.fits", "a/b/c.fits", "a/b-.fits")

    paths = _paths(tmp_path)
    assert len(paths) == 8
    assert paths == sorted(paths, key=str.encode)


@given(names=st.sets(st.text("aZ-.0é", min_size=1, max_size=4), max_size=8), data=st.data())
def test_any_tree_is_walked_in_that_order(
    names: set[str], data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("tree")
    for name in sorted(name for name in names if name[0] != "."):
        _touch(
            root,
            *([f"{name}/{data.draw(st.sampled_from('xyz'))}.fits"] if data.draw(st.booleans()) else [f"{name}.fits"]),
        )

    paths = _paths(root)
    assert paths == sorted(paths, key=str.encode)
    assert len(paths) == len(list(root.rglob("*.fits")))


def test_a_file_is_found_with_its_size_time_and_inode(tmp_path: Path) -> None:
    (tmp_path / "a.fits").write_bytes(b"12345")
    status = (tmp_path / "a.fits").stat()

    assert list(Walk(str(tmp_path), "", is_fits)) == [("a.fits", 5, status.st_mtime_ns, status.st_ino, None)]


def test_a_part_of_a_root_is_walked_alone(tmp_path: Path) -> None:
    _touch(tmp_path, "a/x.fits", "ab/y.fits", "z.fits")

    assert _paths(tmp_path, "a/") == ["a/x.fits"]
    assert _paths(tmp_path, "z.fits") == ["z.fits"]


def test_no_link_is_followed_and_no_pipe_is_a_file(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    _touch(tmp_path, "outside/secret.fits", "root/a.fits")
    (root / "loop").symlink_to(root)
    (root / "outside").symlink_to(outside)
    (root / "b.fits").symlink_to(outside / "secret.fits")
    (root / "dangling.fits").symlink_to("nowhere")
    os.mkfifo(root / "pipe.fits")
    (root / "directory.fits").mkdir()

    assert _paths(root) == ["a.fits"]


def test_what_is_hidden_is_not_walked(tmp_path: Path) -> None:
    _touch(tmp_path, ".snapshot/a.fits", "b/.c/d.fits", "b/e.fits")

    assert _paths(tmp_path) == ["b/e.fits"]


def test_a_name_that_is_not_utf_8_is_shown_escaped_with_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"\xff.fits")).touch()
    below = tmp_path / os.fsdecode(b"d\xfe")
    below.mkdir()
    (below / "a.fits").touch()

    found = list(Walk(str(tmp_path), "", is_fits))

    assert [(path, flaw) for path, *_, flaw in found] == [("\\xff.fits", NOT_UTF8), ("d\\xfe/a.fits", NOT_UTF8)]


def test_a_directory_that_is_gone_is_said_to_be_unread(tmp_path: Path) -> None:
    walk = Walk(str(tmp_path / "none"), "", is_fits)

    assert list(walk) == []
    assert walk.unread == [(str(tmp_path / "none"), "No such file or directory")]


def test_numbers_beyond_a_database_are_signed() -> None:
    status = os.stat_result((0, 2**64 - 1, 0, 0, 0, 0, 7, 0, 0, 0), {"st_mtime_ns": 2**63})
    assert make_signature(status) == (7, -(2**63), -1)


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("a.fits", False),
        ("b.fits", True),
        ("d/c.fits", True),
        ("x.txt", True),
        (".h/a.fits", True),
        ("a.fits/b.fits", True),
        ("link.fits", True),
    ],
)
def test_gone_is_what_is_not_there_or_not_indexed_any_more(tmp_path: Path, path: str, answer: bool) -> None:
    _touch(tmp_path, "a.fits", "x.txt", ".h/a.fits")
    (tmp_path / "link.fits").symlink_to("a.fits")

    assert is_gone(str(tmp_path), path, is_fits) == answer


@given(st.binary(min_size=1, max_size=8))
def test_what_is_shown_of_a_name_can_always_be_stored(name: bytes) -> None:
    escape(os.fsdecode(name)).encode()
    assert is_utf8(os.fsdecode(name)) == (escape(os.fsdecode(name)) == os.fsdecode(name))
