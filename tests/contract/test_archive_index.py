"""Trees of files into every database: what is new, changed, gone and back (ARCH-20, 24, 25, 27 to 31)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import index_kills
import pytest
from archives import Tree, make_fits, make_settings, set_age
from index_kills import find_faults

from runner.archive.index.index import index_paths
from runner.archive.index.summary import Summary
from runner.archive.index.write import Entry, Writer
from runner.errors import TryLater, UserError

BEGIN = (
    "import sys; sys.path.insert(0, sys.argv[1]); from archives import Tree; from pathlib import Path\n"
    "tree = Tree(Path(sys.argv[2]), sys.argv[3])\n"
)
INDEX = f"{BEGIN}tree.index()"
# Batches of ten, of names that both have, each in another order.
WRITE = f"""{BEGIN}
import os, random
from runner.archive.index.write import Entry, Writer
names = [f"{{number}}.fits" for number in range(400)]
random.Random(os.getpid()).shuffle(names)
with tree.open() as database:
    writer = Writer(database, str(tree.root), {{}}, None, accepts_changed=False)
    for first in range(0, 400, 10):
        row = (0, "PRIMARY", 1, "PRIMARY", "", None)
        writer.write([Entry(name, (1, 2, 3), "ok", None, "", [row]) for name in names[first : first + 10]], 0.0)
"""


@pytest.fixture
def tree(database_url: str, tmp_path: Path) -> Tree:
    (tmp_path / "archive").mkdir()
    return Tree(tmp_path / "archive", database_url)


def test_each_file_is_a_row_with_what_is_known_of_it(tree: Tree) -> None:
    path = tree.write("night/a.fits")
    status = path.stat()

    assert tree.index(run_id="run-1").describe() == {
        "indexed": 1, "new_bad": 0, "known_bad": 0, "unchanged": 0, "vanished": 0, "left": 0, "unread": 0
    }  # fmt: skip

    columns = "path, size_bytes, mtime_ns, inode, hdu_count, state, reason, digest, run_id"
    assert tree.ask(f"SELECT {columns} FROM files") == [
        ("night/a.fits", 2880, status.st_mtime_ns, status.st_ino, 1, "ok", None, None, "run-1")
    ]
    assert tree.ask("SELECT path FROM roots") == [(str(tree.root),)]
    assert tree.ask("SELECT file_id = files.id, number, object FROM hdus, files") == [(True, 0, "a")]


def test_indexing_again_changes_nothing(tree: Tree) -> None:
    for name in ("a.fits", "b/c.fits", "b-c.fits"):
        tree.write(name)
    tree.write("bad.fits", b"")
    tree.index()
    before = tree.ask("SELECT * FROM files ORDER BY id"), tree.ask("SELECT * FROM hdus ORDER BY file_id")

    summary = tree.index()

    assert (summary.indexed, summary.unchanged, summary.known_bad, summary.new_bad) == (0, 3, 1, [])
    assert (tree.ask("SELECT * FROM files ORDER BY id"), tree.ask("SELECT * FROM hdus ORDER BY file_id")) == before


def test_reading_all_again_gives_the_same(tree: Tree) -> None:
    tree.write("a.fits")
    tree.write("bad.fits", b"")
    tree.index()
    before = tree.content(), tree.ask("SELECT id, first_seen_at FROM files ORDER BY id")

    summary = tree.index(reads_all=True)

    assert (summary.indexed, summary.known_bad, summary.new_bad) == (1, 1, [])
    assert (tree.content(), tree.ask("SELECT id, first_seen_at FROM files ORDER BY id")) == before


def test_a_changed_file_is_read_again_under_its_id_and_its_old_hdus_go(tree: Tree) -> None:
    path = tree.write("a.fits")
    tree.index()
    before = tree.ask("SELECT id, first_seen_at FROM files")
    path.write_bytes(b"")

    assert tree.index().new_bad == [(str(path), "it is empty")]

    assert tree.ask("SELECT id, first_seen_at FROM files") == before
    assert tree.ask("SELECT * FROM hdus") == []


def test_a_file_that_is_gone_vanishes_and_one_that_comes_back_is_ok(tree: Tree) -> None:
    tree.write("a.fits")
    path = tree.write("b.fits")
    tree.index()
    path.rename(tree.root / "aside")

    assert (tree.index().vanished, tree.states()) == (1, {"a.fits": "ok", "b.fits": "vanished"})
    assert tree.index().vanished == 0, "it is said once"
    (tree.root / "aside").rename(path)
    assert (tree.index().indexed, tree.states()) == (1, {"a.fits": "ok", "b.fits": "ok"})


def test_a_part_of_a_root_leaves_the_rest_alone(tree: Tree) -> None:
    for name in ("a/x.fits", "a-b/y.fits", "z.fits"):
        tree.write(name)
    tree.index()
    for name in ("a/x.fits", "a-b/y.fits"):
        (tree.root / name).unlink()

    assert tree.index(tree.root / "a").vanished == 1

    assert tree.states() == {"a-b/y.fits": "ok", "a/x.fits": "vanished", "z.fits": "ok"}
    assert tree.index(tree.root / "z.fits").unchanged == 1


def test_a_new_root_takes_over_the_files_of_those_within_it(tree: Tree) -> None:
    for name in ("a/x.fits", "b/y.fits", "z.fits"):
        tree.write(name)
    tree.index(tree.root / "a", tree.root / "b")
    ids = tree.ask("SELECT id FROM files ORDER BY id")

    summary = tree.index(tree.root)

    assert (summary.indexed, summary.unchanged, summary.vanished) == (1, 2, 0)
    assert list(tree.states()) == ["a/x.fits", "b/y.fits", "z.fits"]
    assert tree.ask("SELECT path FROM roots") == [(str(tree.root),)]
    assert tree.ask("SELECT id FROM files ORDER BY id")[:2] == ids


def test_a_single_file_makes_its_directory_a_root_of_which_it_alone_is_known(tree: Tree) -> None:
    path = tree.write("a.fits")
    tree.write("b.fits")

    tree.index(path)

    assert (list(tree.states()), tree.ask("SELECT path FROM roots")) == (["a.fits"], [(str(tree.root),)])


def test_without_paths_all_that_was_ever_indexed_is_looked_at(tree: Tree) -> None:
    with tree.open() as database, pytest.raises(UserError, match="nothing is indexed yet: name a directory"):
        index_paths(database, tree.settings)
    tree.write("a/x.fits")
    tree.write("b/y.fits")
    tree.index(tree.root / "a", tree.root / "b")

    with tree.open() as database:
        assert index_paths(database, tree.settings).unchanged == 2


def test_another_column_is_filled_for_all_files(tree: Tree) -> None:
    tree.write("a.fits", make_fits("GAIN    =                  1.5"))
    tree.index()
    tree.settings = make_settings("columns: {gain: {keyword: GAIN, type: float}}")

    assert tree.index().indexed == 1

    assert tree.ask("SELECT gain FROM hdus") == [(1.5,)]


def test_a_dry_run_counts_and_changes_nothing(tree: Tree) -> None:
    tree.write("a/x.fits")
    gone = tree.write("a/y.fits")
    tree.index(tree.root / "a")
    before = tree.content()
    gone.unlink()
    tree.write("b.fits")

    summary = tree.index(is_dry=True)

    assert (summary.to_read, summary.unchanged, summary.vanished, summary.indexed) == (1, 1, 1, 0)
    assert tree.content() == before


# What is not finished, not there, or not what it seems


def test_a_young_file_is_left_until_it_has_settled(tree: Tree) -> None:
    tree.settings = make_settings("settle: 10m")
    path = tree.write("a.fits")

    assert (tree.index().left, tree.states()) == (1, {})
    set_age(path, 1200)
    assert (tree.index().indexed, tree.states()) == (1, {"a.fits": "ok"})


def test_a_file_that_grows_after_the_walk_is_left_for_the_next_time(tree: Tree) -> None:
    for number in range(100):
        tree.write(f"{number:03}.fits")
    growing = tree.write("growing.fits")

    def grow(_: Summary) -> None:
        with open(growing, "ab") as file:
            file.write(b"\0" * 2880)

    with tree.open() as database:
        summary = index_paths(database, tree.settings, [str(tree.root)], watch=grow)

    assert (summary.indexed, summary.left, "growing.fits" in tree.states()) == (100, 1, False)
    tree.index()
    assert tree.ask("SELECT size_bytes FROM files WHERE path = 'growing.fits'") == [(growing.stat().st_size,)]


def test_a_file_that_goes_after_the_walk_is_no_trouble(tree: Tree) -> None:
    for number in range(100):
        tree.write(f"{number:03}.fits")
    going = tree.write("going.fits")

    with tree.open() as database:
        summary = index_paths(database, tree.settings, [str(tree.root)], watch=lambda _: going.unlink(missing_ok=True))

    assert (summary.indexed, summary.left, len(tree.states())) == (100, 1, 100)


@pytest.mark.parametrize("what_is_there", ["nothing", "no root", "a note"])
def test_a_root_that_is_empty_or_gone_loses_none_of_its_files(tree: Tree, what_is_there: str) -> None:
    tree.write("a.fits")
    tree.index()
    (tree.root / "a.fits").unlink()
    if what_is_there == "no root":
        tree.root.rmdir()
    elif what_is_there == "a note":
        (tree.root / "NOT_MOUNTED").touch()

    summary = tree.index()

    assert (len(summary.troubles), summary.vanished, tree.states()) == (1, 0, {"a.fits": "ok"})
    assert str(tree.root) in summary.troubles[0]


def test_a_root_that_was_emptied_on_purpose_is_said_to_be(tree: Tree) -> None:
    path = tree.write("a.fits")
    tree.index()
    path.unlink()

    assert tree.index(accepts_empty=True).vanished == 1


def test_other_roots_are_indexed_though_one_is_not_mounted(tree: Tree) -> None:
    tree.write("a/x.fits")
    tree.write("b/y.fits")
    tree.index(tree.root / "a", tree.root / "b")
    shutil.rmtree(tree.root / "a")
    tree.write("b/z.fits")

    summary = tree.index(tree.root / "a", tree.root / "b")

    assert (len(summary.troubles), summary.indexed) == (1, 1)


def test_names_of_all_kinds_are_kept_as_they_are(tree: Tree) -> None:
    names = [
        "new\nline.fits",
        "'; DROP TABLE files; --.fits",
        'quo"te,.fits',
        "é😀.fits",
        "\\.fits",
        "%s ?.fits",
        "-rf.fits",
        "\U0010ffff\U0010ffff.fits",
    ]
    for name in names:
        tree.write(name)

    assert tree.index().indexed == len(names)

    assert sorted(tree.states()) == sorted(names)
    assert tree.index().unchanged == len(names)


def test_a_name_that_is_not_utf_8_is_bad_once_and_named_escaped(tree: Tree) -> None:
    odd = tree.root / os.fsdecode(b"n\xff.fits")
    odd.write_bytes(make_fits())

    assert tree.index().new_bad == [(f"{tree.root}/n\\xff.fits", "its name is not UTF-8")]
    assert (tree.index().known_bad, tree.states()) == (1, {"n\\xff.fits": "bad"})


# Several at once


def test_two_indexers_at_once_are_one(tree: Tree) -> None:
    for number in range(200):
        tree.write(f"{number % 7}/{number}.fits")

    _run_beside(INDEX, tree)

    assert tree.ask("SELECT count(*), min(state), max(state) FROM files") == [(200, "ok", "ok")]
    assert tree.ask("SELECT count(*) FROM hdus JOIN files ON file_id = id AND number = 0") == [(200,)]
    assert tree.index().unchanged == 200


def test_two_who_write_many_batches_at_once_give_no_id_twice(tree: Tree) -> None:
    tree.write("x.fits")
    tree.index()

    _run_beside(WRITE, tree)

    assert find_faults(tree) == []
    assert tree.ask("SELECT count(*), count(DISTINCT id) FROM files WHERE path <> 'x.fits'") == [(400, 400)]


def _run_beside(program: str, tree: Tree) -> None:
    command = [sys.executable, "-c", program, str(Path(__file__).parents[1]), str(tree.root), tree.url]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(2)]
    assert [(process.communicate()[1], process.returncode) for process in processes] == [(b"", 0)] * 2


def test_an_indexer_that_is_killed_at_any_moment_is_completed_by_the_next(database_url: str, tmp_path: Path) -> None:
    report = index_kills.run(tmp_path, database_url, seed=29, kills=10)

    assert report["faults"] == []
    assert report["kills"] == 10


def test_several_processes_read_what_one_reads(tree: Tree) -> None:
    for number in range(230):
        tree.write(f"{number}.fits", b"" if number % 50 == 7 else None)
    tree.index(processes=2)
    beside = tree.content()

    tree.index(reads_all=True)

    assert tree.content() == beside
    assert len(beside) == 230


def test_a_root_that_another_indexer_takes_over_meanwhile_is_for_later(tree: Tree) -> None:
    tree.write("a/x.fits")
    tree.index(tree.root / "a")
    tree.index(tree.root)

    with tree.open() as database:
        writer = Writer(database, str(tree.root / "a"), {}, None, accepts_changed=False)
        with pytest.raises(TryLater, match="became a part of another root meanwhile"):
            writer.write([Entry("y.fits", (1, 2, 3), "ok", None, "", ())], 0.0)
