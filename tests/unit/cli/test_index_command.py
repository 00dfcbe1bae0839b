"""``runner index`` as people and cron call it (ARCH-27, ARCH-31)."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest
from archives import Tree, make_fits
from homes import Home

_MODULES = (
    "import sys; from runner.cli.main import run; code = run(sys.argv[1:]);"
    " print(code, [m for m in ('astropy', 'numpy', 'rich', 'sqlalchemy', 'alembic') if m in sys.modules])"
)


@pytest.fixture
def tree(home: Home) -> Tree:
    (home.path / "archive").mkdir()
    return Tree(home.path / "archive", f"sqlite:///{home.state}/runner.db")


@pytest.fixture(autouse=True)
def _state(home: Home) -> None:
    home.state.mkdir()


def test_one_line_on_stdout_says_what_it_came_to(home: Home, tree: Tree) -> None:
    tree.write("a.fits")
    gone = tree.write("b.fits")

    first, second = (home.runner("index", str(tree.root)) for _ in range(2))
    assert (first.code, first.out, first.err) == (0, "2 indexed\n", "")
    assert (second.code, second.out, second.err) == (0, "0 indexed, 2 unchanged\n", "")
    gone.unlink()
    assert home.runner("index").out == "0 indexed, 1 unchanged, 1 vanished\n"


def test_new_bad_files_are_one_line_on_stderr_and_known_ones_none(home: Home, tree: Tree) -> None:
    tree.write("a.fits")
    tree.write("evil\x1b[31m.fits", b"")

    first, second = home.runner("index", str(tree.root)), home.runner("index")

    assert (first.code, first.err) == (0, f"1 of 2 indexed, 1 new bad: {tree.root}/evil\\x1b[31m.fits: it is empty\n")
    assert (second.code, second.out, second.err) == (0, "0 indexed, 1 known bad, 1 unchanged\n", "")


def test_of_many_bad_files_some_are_named(home: Home, tree: Tree) -> None:
    for number in range(8):
        tree.write(f"{number}.fits", b"")

    (line,) = home.runner("index", str(tree.root)).err.splitlines()

    assert line.startswith(f"0 of 8 indexed, 8 new bad: {tree.root}/0.fits: it is empty; ")
    assert line.endswith("; and 3 more")


def test_strict_is_1_as_long_as_there_are_bad_files(home: Home, tree: Tree) -> None:
    bad = tree.write("a.fits", b"")
    words = ("index", "--strict", str(tree.root))
    assert [home.runner(*words).code, home.runner(*words).code] == [1, 1]

    tree.write(bad.name)

    assert home.runner(*words).code == 0


def test_the_answer_in_json_has_all_counts_and_the_bad_files(home: Home, tree: Tree) -> None:
    tree.write("a.fits")
    tree.write("b.fits", b"")

    (object_,) = home.runner("index", "--json", str(tree.root)).objects

    assert object_ == {
        "indexed": 1, "new_bad": 1, "known_bad": 0, "unchanged": 0, "vanished": 0, "left": 0, "unread": 0,
        "bad_files": [{"path": f"{tree.root}/b.fits", "reason": "it is empty"}], "unread_files": [], "troubles": [],
    }  # fmt: skip


def test_a_dry_run_says_what_would_be_read_and_changes_nothing(home: Home, tree: Tree) -> None:
    tree.write("a.fits")

    assert home.runner("index", "--dry-run", str(tree.root)).out == "1 to be read\n"
    assert tree.ask("SELECT * FROM files") == tree.ask("SELECT * FROM roots") == []


def test_a_disk_that_is_not_mounted_is_75_and_a_line(home: Home, tree: Tree) -> None:
    path = tree.write("a.fits")
    home.runner("index", str(tree.root))
    path.unlink()

    answer = home.runner("index")

    assert (answer.code, answer.err) == (
        75,
        f"{tree.root} has no file any more: is its disk mounted? If it is, call with --accept-empty\n",
    )
    assert home.runner("index", "--accept-empty").out == "0 indexed, 1 vanished\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["none"], "none: there is no such file or directory"),
        ([], "nothing is indexed yet: name a directory"),
        (["--config", "none"], "File 'none' does not exist"),
        (["--verify"], "a directory is not indexed: there is nothing to compare it with"),
    ],
)
def test_a_mistake_is_2_and_a_line(home: Home, words: list[str], message: str) -> None:
    answer = home.runner("index", *words)
    assert (answer.code, message in answer.err) == (2, True)


def test_other_settings_may_be_named(home: Home, tree: Tree) -> None:
    tree.write("a.fits", make_fits("GAIN    =                  1.5"))
    config = home.write("other.yaml", "default_columns: false\ncolumns: {gain: {keyword: GAIN, type: float}}\n")

    assert home.runner("index", "--config", str(config), str(tree.root)).code == 0
    assert tree.ask("SELECT gain FROM hdus") == [(1.5,)]


def test_verify_prints_a_table_of_findings_and_is_1(home: Home, tree: Tree) -> None:
    tree.write("a.fits")
    path = tree.write("b.fits")
    home.runner("index", str(tree.root))
    path.write_bytes(b"")

    answer = home.runner("index", "--verify")

    assert answer.code == 1
    assert answer.out.splitlines()[0].split() == ["FINDING", "FILE", "HDU", "WHAT"]
    assert answer.out.splitlines()[1].split()[:2] == ["changed", str(path)]
    assert answer.out.splitlines()[2] == "1 files verified, 0.0 GB, 0 CHECKSUM and DATASUM, 1 new digests: 1 findings"


def test_verify_in_json_is_an_object_a_finding(home: Home, tree: Tree) -> None:
    path = tree.write("a.fits", make_fits("CHECKSUM= 'nonsense'"))
    home.runner("index", str(tree.root))

    (finding,) = home.runner("index", "--verify", "--json").objects

    assert (finding["path"], finding["finding"], finding["hdu"]) == (str(path), "checksum", 0)


def test_verify_of_what_is_right_is_0(home: Home, tree: Tree) -> None:
    tree.write("a.fits")
    home.runner("index", str(tree.root))
    answer = home.runner("index", "--verify")
    assert (answer.code, answer.out.endswith("1 new digests: 0 findings\n")) == (0, True)


@pytest.mark.parametrize("words", [["index", "--help"], ["index"]])
def test_nothing_heavy_is_imported_where_nothing_is_to_be_read(home: Home, tree: Tree, words: list[str]) -> None:
    tree.write("a.fits")
    home.runner("index", str(tree.root))

    command = [sys.executable, "-c", _MODULES, "--home", str(home.path), *words]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.endswith("0 []\n")


def test_on_a_terminal_there_is_a_bar_and_then_the_line(home: Home, tree: Tree) -> None:
    for number in range(120):
        tree.write(f"{number}.fits")
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "runner.cli.main", "--home", home.path, "index", tree.root]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    with subprocess.Popen(command, stdout=theirs, stdin=theirs, stderr=subprocess.PIPE, env=environment) as process:
        os.close(theirs)
        said = _read_all(ours)

    assert process.returncode == 0
    assert "/120" in said
    assert "files/s, 0 bad" in said
    assert said.rstrip().endswith("120 indexed")


def _read_all(descriptor: int) -> str:
    pieces = []
    try:
        while piece := os.read(descriptor, 1 << 16):
            pieces.append(piece)
    except OSError:  # the other end is closed
        pass
    os.close(descriptor)
    return b"".join(pieces).decode()
