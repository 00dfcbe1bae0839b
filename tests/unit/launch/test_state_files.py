"""The state directory: private, and each file in it whole at any moment (SEC-6)."""

import os
import resource
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from runner.launch.state import DIRECTORIES, make_state, read_file, write_file


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_state_directory_and_all_in_it_are_their_owners_alone(tmp_path: Path) -> None:
    make_state(f"{tmp_path}/data/of/state")
    assert {path.name for path in (tmp_path / "data/of/state").iterdir()} == set(DIRECTORIES)
    made = [tmp_path / "data", *(tmp_path / "data").rglob("*")]
    assert {mode_of(path) for path in made} == {0o700}


def test_making_a_state_directory_again_changes_nothing(tmp_path: Path) -> None:
    make_state(str(tmp_path))
    (tmp_path / "logs").chmod(0o750)
    (tmp_path / "logs" / "kept").touch()
    make_state(str(tmp_path))
    assert mode_of(tmp_path / "logs") == 0o750
    assert (tmp_path / "logs" / "kept").exists()


def test_a_file_in_the_place_of_the_state_directory_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "state").touch()
    with pytest.raises(NotADirectoryError):
        make_state(f"{tmp_path}/state")


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 65537, 131072, 200_000])
def test_a_file_of_any_size_is_read_back(tmp_path: Path, size: int) -> None:
    data = os.urandom(size)
    write_file(f"{tmp_path}/health", data)
    assert read_file(f"{tmp_path}/health") == data


def test_an_absent_file_is_none() -> None:
    assert read_file("/nowhere/at/all") is None


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        read_file(str(tmp_path))


def test_a_link_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    (tmp_path / "pause").symlink_to("secret")
    with pytest.raises(OSError, match="symbolic link"):
        read_file(f"{tmp_path}/pause")


def test_writing_replaces_a_link_and_not_what_it_points_to(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("old")
    (tmp_path / "health").symlink_to("precious")
    write_file(f"{tmp_path}/health", b"new")
    assert (tmp_path / "precious").read_text() == "old"
    assert (tmp_path / "health").read_bytes() == b"new"
    assert not (tmp_path / "health").is_symlink()


@pytest.mark.parametrize("plant", [Path.symlink_to, Path.hardlink_to])
def test_what_is_planted_for_the_temporary_file_is_taken_away_and_its_target_unchanged(
    tmp_path: Path, plant: Callable[[Path, Path], None]
) -> None:
    (tmp_path / "precious").write_text("old")
    plant(tmp_path / f"health.{os.getpid()}.tmp", tmp_path / "precious")
    write_file(f"{tmp_path}/health", b"new")
    assert (tmp_path / "precious").read_text() == "old"
    assert (tmp_path / "health").read_bytes() == b"new"


def test_a_file_is_private_unless_a_mode_is_given(tmp_path: Path) -> None:
    write_file(f"{tmp_path}/private", b"")
    write_file(f"{tmp_path}/public", b"", 0o640)
    assert (mode_of(tmp_path / "private"), mode_of(tmp_path / "public")) == (0o600, 0o640)


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    write_file(f"{tmp_path}/health", b"old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            write_file(f"{tmp_path}/health", b"new" * 1000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [path.name for path in tmp_path.iterdir()] == ["health"]
    assert read_file(f"{tmp_path}/health") == b"old"


def test_a_rename_that_fails_leaves_no_temporary_file(tmp_path: Path) -> None:
    (tmp_path / "health").mkdir()
    with pytest.raises(IsADirectoryError):
        write_file(f"{tmp_path}/health", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["health"]
