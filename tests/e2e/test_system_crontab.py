"""A file of /etc/cron.d under Debian's real cron: jobs as another user, several recipients, and what cron ignores."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from email.message import Message
from pathlib import Path

import pytest
from cronlab import CronLab

from runner.crontab.crond import find_file_flaws
from runner.crontab.dialects import DEBIAN

pytestmark = pytest.mark.timeout(500)  # two full minutes must pass, one for each of two installs

NOBODY = 65534
JOBS = """\
defaults: {profile: local}
jobs:
  bare: {when: "* * * * *", run: jobs/bare.sh}
  loud: {when: "* * * * *", run: jobs/loud.sh, mailto: [ql-team@example.org, al@example.org]}
  other: {when: "* * * * *", run: jobs/loud.sh, mailto: other@example.org}
  plain: {when: "* * * * *", run: jobs/loud.sh}
"""
LATER = 'jobs:\n  later: {when: "* * * * *", run: jobs/bare.sh, profile: local}\n'
SCRIPTS = {"bare.sh": '{ id -un; env; } > "$RUNNER_WORK/environment"', "loud.sh": "echo no photons >&2; exit 3"}
# How each file differs from one that cron reads.
ODD_FILES = {
    "right": lambda path: path,
    "private": lambda path: path.chmod(0o600),
    "executable": lambda path: path.chmod(0o755),
    "dot.name": lambda path: path,
    "tilde~": lambda path: path,
    ".hidden": lambda path: path,
    "group": lambda path: path.chmod(0o664),
    "others": lambda path: path.chmod(0o646),
    "owner": lambda path: os.chown(path, NOBODY, 0),
    "hard": lambda path: (path.parent.parent / "work" / "again").hardlink_to(path),
    "link": lambda path: path.rename(path.parent.parent / "target-of-link"),
    "link-of-another": lambda path: path.rename(path.parent.parent / "target-of-another"),
}


class Night:
    """A home whose jobs run as ``nobody``, installed by root under a cron of its own."""

    def __init__(self, cron: CronLab) -> None:
        self.cron = cron
        self.home = cron.directory / "ql"
        self.state = cron.directory / "var" / "state"
        self.file = cron.directory / "cron.d" / "runner-ql-night"
        self.mails: list[Message] = []
        self.fired: set[str] = set()

    def runner(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        """Call the command as root where this cron is."""
        command = [sys.executable, "-P", "-m", "runner.cli.main", "--home", self.home, *words]
        return self.cron.run(command, env={"PATH": "/usr/sbin:/usr/bin:/bin", "HOME": str(self.cron.directory)})

    def install(self) -> None:
        """Install the target, which must succeed."""
        answer = self.runner("crontab", "install", "--target", "night", "--yes")
        assert answer.returncode == 0, answer.stderr.decode()

    def seen_by(self, job: str) -> str:
        """Return what the job wrote of its user and environment; empty if it has not run."""
        path = self.state / "work" / job / "environment"
        return path.read_text() if path.exists() else ""


@pytest.fixture(scope="module")
def night() -> Iterator[Night]:
    cron = CronLab()
    try:
        cron.start()
        cron.open_to_all(Path(sys.executable).resolve(), Path(sys.base_prefix))
        yield play(Night(cron))
    finally:
        cron.stop()


def play(night: Night) -> Night:
    """Install, wait until all has fired; then install other jobs, and wait for those."""
    make_home(night)
    make_odd_files(night.cron.directory)
    night.install()
    night.mails = night.cron.wait_for_mails(3, within_s=150)
    night.cron.wait_for(lambda: night.seen_by("bare"), "run of bare")
    night.fired = {path.name for path in (night.cron.directory / "fired").iterdir()}
    (night.home / "jobs" / "night.yaml").write_text(LATER)
    night.install()
    night.cron.wait_for(lambda: night.seen_by("later"), "run of the job that came later", within_s=150)
    return night


def make_home(night: Night) -> None:
    """Make a home that belongs to root, and a directory in which its user may keep its state."""
    subprocess.run([sys.executable, "-P", "-m", "runner.cli.main", "init", night.home], check=True, capture_output=True)
    for path in (night.home / "jobs").glob("*.yaml"):
        path.unlink()
    (night.home / "jobs" / "night.yaml").write_text(JOBS)
    for name, script in SCRIPTS.items():
        (night.home / "jobs" / name).write_text(f"#!/bin/sh\n{script}\n")
        (night.home / "jobs" / name).chmod(0o755)
    (night.home / "envs" / "local.yaml").write_text("description: nothing to activate\n")
    target = f"{{hosts: [{socket.gethostname()}], user: nobody, kind: cron-d, state: {night.state}}}"
    (night.home / "envs" / "site.yaml").write_text(
        f"name: ql\nmail: {{via: cron, ops: ops@example.org}}\ntargets:\n  night: {target}\n"
    )
    night.state.parent.mkdir()
    os.chown(night.state.parent, NOBODY, NOBODY)


def make_odd_files(lab: Path) -> None:
    """Write a file for each oddity, whose line says that it fired."""
    (lab / "fired").mkdir()
    for name, spoil in ODD_FILES.items():
        path = lab / "cron.d" / name
        path.write_text(f"* * * * * root touch {lab}/fired/{name}\n")
        path.chmod(0o644)
        spoil(path)
    (lab / "cron.d" / "link").symlink_to(lab / "target-of-link")
    (lab / "cron.d" / "link-of-another").symlink_to(lab / "target-of-another")
    os.chown(lab / "cron.d" / "link-of-another", NOBODY, 0, follow_symlinks=False)


def test_jobs_run_as_the_user_of_the_column(night: Night) -> None:
    """CRON-11, CRON-50."""
    environment = night.seen_by("bare")
    assert environment.startswith("nobody\n")
    assert "RUNNER_CANARY" not in environment
    assert (night.state / "work" / "bare").stat().st_uid == NOBODY


def test_each_list_of_recipients_gets_its_own_mail(night: Night) -> None:
    """CRON-25."""
    told = {mail["To"]: str(mail["Subject"]).partition("run-job ")[2].split()[0] for mail in night.mails}
    assert told == {
        "al@example.org,ql-team@example.org": "loud",
        "other@example.org": "other",
        "ops@example.org": "plain",
    }
    assert all("no photons" in str(mail.get_payload()) for mail in night.mails)


def test_an_install_over_a_file_that_cron_has_read_is_seen_by_cron(night: Night) -> None:
    """CRON-50: the time of change is another one."""
    assert night.seen_by("later").startswith("nobody\n")
    assert night.runner("crontab", "verify", "--target", "night").returncode == 0


@pytest.mark.parametrize("name", ODD_FILES)
def test_fault_50_cron_fires_just_the_files_that_have_no_flaws(night: Night, name: str) -> None:
    path = night.cron.directory / "cron.d" / name
    flaws = find_file_flaws(path.name, path.lstat(), path.stat(), DEBIAN)
    assert (name in night.fired) == (not flaws), flaws


def test_an_uninstall_removes_the_file(night: Night) -> None:
    """CRON-64."""
    assert night.runner("crontab", "uninstall", "--target", "night", "--yes").returncode == 0
    assert not night.file.exists()
