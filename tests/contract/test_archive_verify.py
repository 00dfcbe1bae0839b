"""Disk and database compared byte for byte, over every database (ARCH-24)."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from archives import Tree, make_fits

from runner.archive.index.verify import Verification
from runner.errors import TryLater, UserError


@pytest.fixture
def tree(database_url: str, tmp_path: Path) -> Tree:
    (tmp_path / "archive").mkdir()
    return Tree(tmp_path / "archive", database_url)


def _kinds(tree: Tree, *paths: Path) -> list[tuple[str, str]]:
    return [(os.path.relpath(one.path, tree.root), one.kind) for one in tree.verify(*paths)]


def _replace(path: Path, data: bytes) -> None:
    """Write other bytes of the same length, and say that nothing happened."""
    status = path.stat()
    assert len(data) == status.st_size
    path.write_bytes(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_what_is_as_it_was_gets_its_digest_and_no_finding(tree: Tree) -> None:
    path = tree.write("a.fits")
    tree.index()

    with tree.open() as database:
        verification = Verification(database, tree.settings)
        assert list(verification) == []

    assert (verification.files, verification.size_bytes, verification.digests) == (1, 2880, 1)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert tree.ask("SELECT digest, digest_state FROM files") == [(f"sha256:{digest}", "ok")]


def test_disk_and_database_are_compared_both_ways(tree: Tree) -> None:
    for name in ("changed.fits", "missing.fits", "same.fits"):
        tree.write(name)
    tree.write("bad.fits", b"")
    tree.index()
    tree.write("changed.fits", make_fits(data=b"more"))
    tree.write("new.fits")
    (tree.root / "missing.fits").unlink()

    found = [("bad.fits", "bad"), ("changed.fits", "changed"), ("new.fits", "unindexed"), ("missing.fits", "missing")]
    assert _kinds(tree) == found
    assert _kinds(tree) == found, "nothing but digests is written"


def test_a_file_replaced_under_its_old_time_is_found_by_its_digest_until_it_is_accepted(tree: Tree) -> None:
    path = tree.write("a.fits", make_fits("OBJECT  = 'M 31    '"))
    was = path.read_bytes()
    tree.index()
    tree.verify()
    _replace(path, make_fits("OBJECT  = 'M 33    '"))

    assert tree.index().unchanged == 1, "the walk cannot see it"
    assert _kinds(tree) == [("a.fits", "digest")]
    assert tree.ask("SELECT digest_state FROM files") == [("changed",)]
    _replace(path, was)
    assert _kinds(tree) == [], "what comes back is right"
    _replace(path, make_fits("OBJECT  = 'M 33    '"))
    assert _kinds(tree) == [("a.fits", "digest")]

    tree.index(reads_all=True)

    assert tree.ask("SELECT digest, digest_state, object FROM files, hdus") == [(None, None, "M 33")]
    assert _kinds(tree) == []


def test_a_digest_outlives_reading_again_and_not_a_change(tree: Tree) -> None:
    path = tree.write("a.fits")
    tree.index()
    tree.verify()
    tree.index(reads_all=True)
    assert tree.ask("SELECT digest_state FROM files") == [("ok",)]

    path.write_bytes(make_fits(data=b"other"))
    tree.index()

    assert tree.ask("SELECT digest, digest_state FROM files") == [(None, None)]


def test_a_part_is_verified_alone(tree: Tree) -> None:
    for name in ("a/x.fits", "b/y.fits"):
        tree.write(name)
    tree.index()
    for name in ("a/x.fits", "b/y.fits"):
        (tree.root / name).unlink()
    tree.write("b/z.fits")

    assert _kinds(tree, tree.root / "a") == [("a/x.fits", "missing")]


def test_what_was_never_indexed_cannot_be_verified(tree: Tree, tmp_path: Path) -> None:
    tree.write("a.fits")
    with pytest.raises(UserError, match="is not indexed: there is nothing to compare it with"):
        tree.verify(tree.root)
    tree.index(tree.root)
    with pytest.raises(UserError, match=f"{tmp_path} is not indexed"):
        tree.verify(tmp_path)


def test_a_root_that_is_empty_is_not_said_to_miss_its_files(tree: Tree) -> None:
    tree.write("a.fits")
    tree.index()
    (tree.root / "a.fits").unlink()

    with pytest.raises(TryLater, match="is its disk mounted"):
        tree.verify()
