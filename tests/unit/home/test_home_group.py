"""Who may read logs, and that they may read nothing else (RUN-43)."""

from __future__ import annotations

import grp
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from homes import SITE, Home
from lab import SLOT, Lab

from runner.errors import TryLater
from runner.home.group import share_logs

# A group that whoever runs the tests may give files to.
NUMBER = next((number for number in os.getgroups() if number != os.getegid()), os.getegid())
GROUP = grp.getgrgid(NUMBER).gr_name


@pytest.fixture
def open_lab(machine_files: Path) -> Iterator[Lab]:
    """A home below a directory that everybody may enter."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        lab = Lab(Path(directory, "home"), machine_files)
        lab.home.chmod(0o755)
        yield lab
        lab.tear_down()


def modes(state: Path) -> dict[str, str]:
    return {str(path.relative_to(state)): oct(path.lstat().st_mode & 0o7777) for path in [state, *state.rglob("*")]}


def test_old_logs_and_those_to_come_are_the_groups_and_all_else_is_private(lab: Lab) -> None:
    lab.job("old", "true")
    lab.run("old", "--slot", SLOT)
    lab.sweep()
    share_logs(str(lab.state), GROUP)
    lab.job("new", "true")
    lab.run("new", "--slot", SLOT)

    found = modes(lab.state)
    assert (found["."], found["logs"], found["logs/old"]) == ("0o750", "0o2750", "0o2750")
    logs = [path for path in lab.state.glob("logs/*/*.log") if not path.is_symlink()]
    assert {(path.lstat().st_mode & 0o777, path.lstat().st_gid) for path in logs} == {(0o640, NUMBER)}
    assert len(logs) == 2
    private = {name: mode for name, mode in found.items() if "/" not in name and name not in (".", "logs")}
    assert set(private.values()) <= {"0o700", "0o600"}, private


@pytest.mark.skipif(os.geteuid() != 0, reason="root")
def test_a_member_of_the_group_reads_logs_and_a_stranger_nothing(open_lab: Lab) -> None:
    lab = open_lab
    share_logs(str(lab.state), "daemon")
    lab.job("job", "echo 12 frames")
    lab.run("job", "--slot", SLOT)

    def read(path: str, group: str) -> bool:
        words = ["cat", str(lab.state / path)]
        who = {"user": "nobody", "group": group, "extra_groups": []}
        return subprocess.run(words, capture_output=True, check=False, **who).returncode == 0  # type: ignore[call-overload]

    assert read("logs/job/latest.log", "daemon")
    assert not read("logs/job/latest.log", "nogroup")
    assert not read("locks/job", "daemon")


def test_without_a_group_the_state_is_its_owners_alone_again(lab: Lab) -> None:
    share_logs(str(lab.state), GROUP)
    share_logs(str(lab.state), "")
    assert modes(lab.state)["."] == "0o700"


def test_a_second_time_changes_nothing(lab: Lab) -> None:
    share_logs(str(lab.state), GROUP)
    before = lab.state.stat().st_ctime_ns
    share_logs(str(lab.state), GROUP)
    assert lab.state.stat().st_ctime_ns == before


def test_a_group_that_is_gone_is_the_sites_trouble(lab: Lab) -> None:
    with pytest.raises(TryLater, match="group no-such, who are to read the logs, does not exist"):
        share_logs(str(lab.state), "no-such")


def test_a_group_that_this_host_does_not_have_is_an_error_of_check(home: Home) -> None:
    home.write("envs/site.yaml", f"{SITE}group: no-such\n")
    answer = home.runner("check")
    assert answer.code == 2
    assert 'envs/site.yaml: this host has no group "no-such", who are to read the logs' in answer.out


def test_compile_and_the_sweep_share_the_logs(home: Home) -> None:
    home.write("envs/site.yaml", f"{SITE}group: {GROUP}\n")
    home.compile()
    assert modes(home.state)["logs"] == "0o2750"
    home.state.chmod(0o700)
    home.runner("sweep")
    assert modes(home.state)["."] == "0o750"
