"""Who changed, stopped or started what is in the journal, and from there in the ledger (SEC-20)."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
from homes import Home

from runner.home.here import read_host, read_user
from runner.launch.instant import parse_instant
from runner.ledger.history import open_history


def run_apart(home: Home, *words: str) -> subprocess.Popen[bytes]:
    """Start a command in a process of its own, whose place the wrapper takes."""
    command = [sys.executable, "-P", "-m", "runner.cli.main", "--home", str(home.path), *words]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)


def test_sec_20_every_deed_is_read_back_from_the_ledger(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "ana")
    home.script("hello.sh", 'touch "$RUNNER_WORK/ready"; [ "$RUNNER_JOB" = hourly ] || exec sleep 60')
    began = time.time()

    assert home.runner("crontab", "install", "--yes").code == 0
    home.write("jobs/all.yaml", home.read("jobs/all.yaml").replace(b"30 2", b"30 3"))
    assert home.runner("crontab", "install", "--yes").code == 0
    assert home.runner("crontab", "rollback", "--yes").code == 0
    assert home.runner("pause", "nightly", "--reason", "disk full").code == 0
    assert home.runner("resume", "nightly").code == 0
    home.compile()
    assert run_apart(home, "run", "hourly").wait(60) == 0
    process = run_apart(home, "run", "nightly")
    while not (home.state / "work/nightly/ready").exists() and process.poll() is None:
        time.sleep(0.02)
    assert home.runner("stop", "nightly", "--reason", "wrong input").code == 0
    assert process.wait(60) == 143
    assert home.runner("crontab", "uninstall", "--yes").code == 0

    with open_history(f"sqlite:///{home.state}/runner.db", str(home.state), time.time()) as history:
        deeds = history.read_audits(int(time.time()) + 1)[::-1]
    assert [deed["action"] for deed in deeds] == [
        "crontab install", "crontab install", "crontab rollback", "pause", "resume", "run", "run", "stop",
        "crontab uninstall",
    ]  # fmt: skip
    for deed in deeds:
        who = (deed["uid"], deed["user"], deed["sudo_user"], deed["host"])
        assert who == (os.getuid(), read_user(), "ana", read_host())
        assert began - 1 <= parse_instant(deed["at"]) <= time.time()
        assert deed["command"]
        is_about_lines_or_a_plan = deed["action"].startswith("crontab") or deed["action"] == "run"
        assert bool(deed["digest"]) == is_about_lines_or_a_plan
    assert [deed["job"] for deed in deeds if deed["job"]] == ["nightly", "nightly", "hourly", "nightly", "nightly"]


def test_sec_20_a_run_that_cron_starts_is_nobodys_deed(home: Home) -> None:
    home.compile()
    assert subprocess.run([home.path / "wrappers/run-job", "hourly"], capture_output=True, check=False).returncode == 0
    journal = "".join(path.read_text() for path in home.state.glob("journal/*.jsonl"))
    assert '"event": "end"' in journal
    assert '"event": "audit"' not in journal
