"""The files of a commit get where they belong, and nowhere else (SEC-2, SEC-15)."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from runner.errors import UserError
from runner.releases.export import unpack
from runner.releases.seal import remove_tree, seal

COMMITTED_AT = 1_700_000_000


def make_tar(*members: tuple[str, str, str]) -> io.BytesIO:
    """Return a tar of (kind, name, text or target)."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        for kind, name, text in members:
            member = tarfile.TarInfo(name)
            member.mtime = COMMITTED_AT
            member.type = {"link": tarfile.SYMTYPE, "hard": tarfile.LNKTYPE, "dir": tarfile.DIRTYPE}.get(kind, b"0")
            member.mode = 0o775 if kind == "program" else 0o664
            if kind in ("link", "hard"):
                member.linkname = text
                tar.addfile(member)
            else:
                member.size = len(text)
                tar.addfile(member, io.BytesIO(text.encode()))
    file.seek(0)
    return file


def test_files_have_their_bytes_mode_and_the_time_of_the_commit(tmp_path: Path) -> None:
    unpack(make_tar(("dir", "jobs", ""), ("program", "jobs/x", "1"), ("file", "y", "2")), tmp_path / "new")

    assert (tmp_path / "new/jobs/x").read_text() == "1"
    assert (tmp_path / "new/jobs/x").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "new/y").stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "new/y").stat().st_mtime == COMMITTED_AT


def test_links_inside_are_kept(tmp_path: Path) -> None:
    unpack(make_tar(("dir", "jobs", ""), ("link", "jobs/up", "../y"), ("file", "y", "2")), tmp_path / "new")
    assert (tmp_path / "new/jobs/up").read_text() == "2"


@pytest.mark.parametrize(
    "members",
    [
        [("link", "out", "/etc/passwd")],
        [("link", "out", "../x")],
        [("dir", "d", ""), ("link", "d/up", ".."), ("link", "out", "d/up/../x")],
        [("file", "../x", "")],
        [("file", "/x", "")],
        [("file", "a//x", "")],
        [("hard", "x", "/etc/passwd")],
        [("file", ".git/config", "")],
        [("file", ".venv/bin/python", "")],
        [("dir", ".runner", "")],
    ],
)
def test_what_would_be_elsewhere_or_in_the_place_of_ours_is_refused(
    tmp_path: Path, members: list[tuple[str, str, str]]
) -> None:
    with pytest.raises(UserError):
        unpack(make_tar(*members), tmp_path / "new")
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    with pytest.raises((UserError, FileExistsError, FileNotFoundError)):
        unpack(make_tar(("link", "d", "../outside"), ("file", "d/x", "planted")), tmp_path / "new")
    assert list((tmp_path / "outside").iterdir()) == []


@pytest.mark.parametrize(
    ("of_base", "of_file", "of_directory"), [(0o755, 0o444, 0o555), (0o750, 0o440, 0o550), (0o700, 0o400, 0o500)]
)
def test_a_sealed_tree_is_as_open_as_the_base_and_nobody_can_write_to_it(
    tmp_path: Path, of_base: int, of_file: int, of_directory: int
) -> None:
    tree = tmp_path / "base/releases/x"
    (tree / "d").mkdir(parents=True)
    (tree / "d/file").touch(0o666)
    (tree / "d/program").touch(0o777)
    (tree / "d/link").symlink_to("file")
    (tmp_path / "base").chmod(of_base)

    seal(tree)

    modes = {path.name: path.stat().st_mode & 0o7777 for path in (tree, *tree.rglob("*"))}
    assert modes == {"x": of_directory, "d": of_directory, "file": of_file, "program": of_directory, "link": of_file}
    remove_tree(tree)
    assert not tree.exists()
