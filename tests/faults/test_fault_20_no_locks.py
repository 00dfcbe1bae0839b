"""A lock directory on a file system without working locks: nothing is installed that would run without one."""

from __future__ import annotations

from pathlib import Path

import pytest
from homes import Home

from runner.home import locks


@pytest.mark.parametrize("state", ["", "somewhere/else"])
def test_fault_20_an_install_refuses_a_state_directory_on_nfs(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text("1 0 0:1 / / rw - nfs4 server:/export rw\n")
    monkeypatch.setattr(locks, "MOUNTS", mounts)
    if state:
        home.target({"state": state})
    before = home.tree()
    answer = home.runner("crontab", "install", "--yes")
    assert answer.code == 2
    (line,) = [line for line in answer.err.splitlines() if not line.startswith("warning: ")]
    assert line.startswith(f"{home.path}/{state or 'state'}: locks do not work there: it is on nfs4; write state: ")
    assert home.tree() == before
