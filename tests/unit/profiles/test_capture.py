"""What a snapshot is said to depend on (PROF-62)."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.profiles.capture import list_watched


@pytest.mark.parametrize("name", ["setup.sh", "none.sh"])
def test_a_watched_file_is_an_input_also_where_it_is_not_there_yet(tmp_path: Path, name: str) -> None:
    assert list_watched(f"{tmp_path}/{name}") == [f"{tmp_path}/{name}"]


def test_of_a_pattern_the_directory_is_watched_too_since_another_file_may_appear(tmp_path: Path) -> None:
    for name in ("b.sh", "a.sh", "c.txt"):
        (tmp_path / name).touch()
    assert list_watched(f"{tmp_path}/*.sh") == [str(tmp_path), f"{tmp_path}/a.sh", f"{tmp_path}/b.sh"]
