"""Other users, and what a caller has: neither rights nor tokens come with a run (SEC-13, SEC-16, SEC-18)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from lab import CANARY, SLOT, Lab
from missing import give_up

NOBODY = 65534
# Agents, tickets, keys, and what changes how programs start.
TOKENS = (
    "SSH_AUTH_SOCK", "SSH_AGENT_PID", "GPG_AGENT_INFO", "KRB5CCNAME", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN", "AWS_PROFILE", "GIT_DIR", "GIT_SSH_COMMAND", "GIT_ASKPASS", "GITHUB_TOKEN", "PGPASSWORD",
    "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "MAST_API_TOKEN", "CAPO_PROFILE", "RUNNER_HOME",
)  # fmt: skip


def need_root() -> None:
    if os.geteuid():
        give_up("needs root")


def test_sec_13_a_set_uid_start_is_refused_before_anything_is_read(lab: Lab) -> None:
    need_root()
    lab.job("job", f"touch {lab.home}/ran")
    words = [str(lab.home / ".runner/main.pyc"), "job"]
    become = f"import os; os.setresuid({NOBODY}, 0, 0); os.execv({sys.executable!r}, ['python', '-IS', *{words!r}])"

    result = subprocess.run([sys.executable, "-c", become], capture_output=True, check=False)

    assert (result.returncode, result.stderr) == (126, b"run-job: refuses a set-uid start (SEC-13)\n")
    assert not (lab.home / "ran").exists()
    assert lab.journal_text() == ""


@pytest.mark.parametrize("trigger", [["--slot", SLOT], ["--hand"]])
def test_sec_16_nothing_of_a_caller_who_has_all_of_it_gets_into_a_job(lab: Lab, trigger: list[str]) -> None:
    lab.plan("job", steps=[["env"]])

    lab.run("job", *trigger, env={"PATH": "/usr/bin:/bin", **dict.fromkeys(TOKENS, CANARY)})

    found = dict(line.split("=", 1) for line in lab.output("job").decode().splitlines())
    assert set(found) & set(TOKENS) == {"RUNNER_HOME"}
    assert found["RUNNER_HOME"] == str(lab.home)
    lab.assert_clean("job")


def test_sec_18_another_user_takes_no_lock(open_directory: Path, machine_files: Path) -> None:
    need_root()
    lab = Lab(open_directory / "home", machine_files)
    lab.job("job", "true")
    lab.run("job", "--slot", SLOT)
    lock = lab.state / "locks/job"
    become = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]

    taken = subprocess.run([*become, "flock", "--nonblock", lock, "true"], capture_output=True, text=True, check=False)

    assert (taken.returncode, "Permission denied" in taken.stderr) == (66, True)
    assert [path.stat().st_mode & 0o777 for path in (lock, lock.parent, lab.state)] == [0o600, 0o700, 0o700]
    assert lab.run("job").code == 0


def test_sec_18_the_lock_of_another_user_is_never_believed(lab: Lab) -> None:
    need_root()
    lab.job("job", f"touch {lab.home}/ran")
    (lab.state / "locks/job").touch(0o600)
    os.chown(lab.state / "locks/job", NOBODY, NOBODY)

    result = lab.run("job", "--slot", SLOT)

    assert (result.code, lab.end("job")["outcome"]) == (126, "cannot_start")
    assert lab.end("job")["reason"] == "lock locks/job: not a regular file of this user with one link"
    assert not (lab.home / "ran").exists()
