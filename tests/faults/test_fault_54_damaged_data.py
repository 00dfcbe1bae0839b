"""Damaged, odd and unfinished files: each is a row with a reason, said once, and no crash (FAULT-54, ARCH-25 to 30)."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from archives import Tree, make_fits, make_settings
from cutting_server import Reply, cutting_server
from fetching import BODY, fetch_one
from lab import Lab
from missing import need_namespaces

with warnings.catch_warnings():
    from astropy.io import fits

_DATA = bytes(range(256)) * 20


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    (tmp_path / "archive").mkdir()
    return Tree(tmp_path / "archive", f"sqlite:///{tmp_path}/runner.db")


def _reasons(tree: Tree) -> list[tuple[str, str, str | None]]:
    return [tuple(row) for row in tree.ask("SELECT path, state, reason FROM files ORDER BY path")]


def test_fault_54_a_download_that_is_cut_each_time_leaves_nothing_under_its_final_name(tmp_path: Path) -> None:
    with cutting_server(lambda request: Reply(200, BODY, cut=70_000)) as server:
        for _ in range(4):
            result = fetch_one(f"{server.url}/a.fits", tmp_path / "out", attempts=2)
        asked = len(server.requests)
        left_alone = fetch_one(f"{server.url}/a.fits", tmp_path / "out", attempts=2)

    assert (result.result, result.is_permanent) == ("failed", True)
    assert left_alone.result == "failed"
    assert len(server.requests) == asked, "not retried for ever"
    assert not (tmp_path / "out" / "a.fits").exists()


def test_fault_54_a_wrong_checksum_is_found_by_verify_and_by_nothing_else(tree: Tree) -> None:
    good, wrong = tree.root / "good.fits", tree.root / "wrong.fits"
    for path in (good, wrong):
        fits.PrimaryHDU(fits.getdata(tree.write(path.name, make_fits(data=_DATA)))).writeto(
            path, checksum=True, overwrite=True
        )
    data = bytearray(wrong.read_bytes())
    data[2880 + 17] ^= 1
    wrong.write_bytes(data)

    assert tree.index().indexed == 2

    assert [(Path(one.path).name, one.kind, one.hdu) for one in tree.verify()] == [
        ("wrong.fits", "datasum", 0),
        ("wrong.fits", "checksum", 0),
    ]


@pytest.mark.parametrize("bytes_left", [2880 + 100, 2881])
def test_fault_54_data_that_are_cut_off_are_bad_and_what_is_there_of_the_header_is_known(
    tree: Tree, bytes_left: int
) -> None:
    tree.write("short.fits", make_fits("OBJECT  = 'M 31    '", data=_DATA)[:bytes_left])

    assert len(tree.index().new_bad) == 1

    ((path, state, reason),) = _reasons(tree)
    assert (path, state) == ("short.fits", "bad")
    assert "data are cut off" in str(reason)
    assert tree.ask("SELECT object FROM hdus") == [("M 31",)]


def test_fault_54_a_file_of_no_bytes_is_bad_once_and_not_read_again_until_it_changes(tree: Tree) -> None:
    path = tree.write("empty.fits", b"")

    assert tree.index().new_bad == [(str(path), "it is empty")]
    again = tree.index()
    assert (again.read, again.new_bad, again.known_bad) == (0, [], 1)
    tree.write(path.name)
    assert (tree.index().indexed, _reasons(tree)) == (1, [("empty.fits", "ok", None)])


def test_fault_54_the_same_file_twice_is_two_rows_and_the_same_path_twice_is_one(tree: Tree) -> None:
    one = tree.write("a.fits")
    os.link(one, tree.root / "b.fits")
    (tree.root / "c.fits").write_bytes(one.read_bytes())

    assert tree.index(tree.root, tree.root, one, tree.root / "." / "b.fits").indexed == 3
    assert tree.index(tree.root).unchanged == 3
    assert tree.ask("SELECT count(*) FROM hdus") == [(3,)]


def test_fault_54_a_file_whose_copy_goes_on_is_ok_when_it_is_whole(tree: Tree) -> None:
    whole = make_fits(data=_DATA)
    growing = tree.write("growing.fits", whole[:4000])
    tree.index()
    assert tree.states() == {"growing.fits": "bad"}

    with open(growing, "ab") as file:
        file.write(whole[4000:])
    tree.index()

    assert _reasons(tree) == [("growing.fits", "ok", None)]


def test_fault_54_a_number_that_is_none_is_no_value(tree: Tree) -> None:
    tree.write("nan.fits", make_fits("EXPTIME = NaN", "OBJECT  = 'M 31    '"))

    assert tree.index().read == 1

    assert tree.ask("SELECT exptime, object FROM hdus") == [(None, "M 31")]
    assert tree.index().read == 0


def test_fault_54_long_keywords_and_long_texts_are_whole(tree: Tree) -> None:
    tree.settings = make_settings(
        "columns: {seeing: {keyword: HIERARCH ESO TEL AMBI FWHM, type: float}, comment1: {keyword: LONGTEXT}}"
    )
    cards = (
        "HIERARCH ESO TEL AMBI FWHM = 0.83",
        f"LONGTEXT= '{'a' * 60}&'",
        f"CONTINUE  '{'b' * 60}&'",
        "CONTINUE  'c'",
    )
    tree.write("long.fits", make_fits(*cards))

    tree.index()

    assert tree.ask("SELECT seeing, comment1 FROM hdus") == [(0.83, "a" * 60 + "b" * 60 + "c")]


@pytest.mark.parametrize(
    "data", [b"\0" * 5760, b"not FITS", os.urandom(3000), make_fits()[:1000], b"SIMPLE  =                    T"]
)
def test_fault_54_what_is_no_fits_file_is_bad_with_a_reason(tree: Tree, data: bytes) -> None:
    odd = tree.write("odd.fits", data)

    ((path, reason),) = tree.index().new_bad

    assert path == str(odd)
    assert reason


def test_fault_54_a_run_that_meets_new_bad_files_is_warned_once(lab: Lab) -> None:
    archive = Tree(lab.home / "archive", f"sqlite:///{lab.state}/runner.db")
    for number in range(100):
        archive.write(f"{number:03}.fits", {17: b"", 42: b"not FITS"}.get(number))
    command = f'exec {sys.executable} -m runner.cli.main --home "$RUNNER_HOME" index "$RUNNER_HOME/archive"'
    lab.job("index", command)

    first, second = lab.run("index"), lab.run("index")
    archive.write("042.fits", b"something else")
    lab.run("index")

    assert lab.outcomes("index") == ["warned", "ok", "warned"]
    said = "98 of 100 indexed, 2 new bad: {0}/017.fits: it is empty; {0}/042.fits: not a FITS file"
    assert any(line.startswith(said.format(archive.root)) for line in first.mail.splitlines())
    assert second.subject.startswith("RECOVERED index")
    assert "new bad" not in second.mail, "known bad files are silent"
    assert b"0 of 1 indexed, 1 new bad: " in lab.log("index")
    run_ids = {event["run_id"] for event in lab.events("end", "index")}
    assert {row[0] for row in archive.ask("SELECT run_id FROM files")} <= run_ids


# What the system does not give us

_IN_NAMESPACE = """
import subprocess, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from archives import Tree
tree, disk = Tree(Path(sys.argv[2], "archive"), f"sqlite:///{sys.argv[2]}/runner.db"), Path(sys.argv[2], "disk")
"""
_UNMOUNT = f"""{_IN_NAMESPACE}
mount = ["mount", "--bind", disk, tree.root]
subprocess.run(mount, check=True)
print(tree.index().indexed)
subprocess.run(["umount", tree.root], check=True)
print(len(tree.index().troubles), *tree.states().values())
subprocess.run(mount, check=True)
print(tree.index().unchanged)
"""


def _run_apart(options: str, program: str, tree: Tree) -> list[str]:
    """Run a program in a user namespace of its own; return the lines that it printed."""
    need_namespaces(options)
    command = ["unshare", options, sys.executable, "-c", program, Path(__file__).parents[1], tree.root.parent]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()


def test_arch_30_a_disk_that_is_not_mounted_does_not_empty_the_index(tree: Tree) -> None:
    Tree(tree.root.parent / "disk", "").write("a.fits")

    assert _run_apart("-rm", _UNMOUNT, tree) == ["1", "1 ok", "1"]


def test_arch_27_what_may_not_be_read_is_said_once_and_read_as_soon_as_it_may_be(tree: Tree) -> None:
    closed = [tree.write("closed.fits"), tree.write("directory/a.fits").parent]
    tree.write("open.fits")
    tree.index()
    for path in closed:
        path.chmod(0)
    program = f"{_IN_NAMESPACE}\ns = tree.index(reads_all=True)\nprint(s.new_bad, s.unread, s.vanished)"
    program += "\ns = tree.index()\nprint(s.new_bad, s.known_bad)"

    first, second = _run_apart("-U", program, tree)  # whoever we are, without the rights of root

    reason = "cannot be read: Permission denied"
    assert first == f"[('{closed[0]}', '{reason}')] [('{closed[1]}', 'Permission denied')] 0"
    assert second == "[] 1"
    for path in closed:
        path.chmod(0o700)
    assert (tree.index().indexed, set(tree.states().values())) == (1, {"ok"})
