"""The main job under Debian's real cron: install by command, two minutes of firing, mails, history, uninstall.

CRON-81, and what a sysadmin would try first.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import Message
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from clockwork import numbers_of, read_lines
from cronlab import CronLab
from lab import need_program

pytestmark = pytest.mark.timeout(400)  # two full minutes must pass, and one more if the first is nearly over

FOREIGN = b"# by hand since 2009\n\tFOO = bar\n0 3 * * 0 /usr/local/sbin/backup >& /dev/null\r\n# caf\xe9 100\\%\n"
REGISTRY = """\
defaults: {profile: local}
jobs:
  silent: {when: "* * * * *", run: jobs/silent.sh}
  loud: {when: "* * * * *", run: jobs/loud.sh, mailto: [ql-team@example.org, al@example.org]}
  dumb: {when: "* * * * *", run: jobs/dumb.sh}
  bare: {when: "* * * * *", run: jobs/bare.sh}
  iraf: {when: "* * * * *", run: jobs/iraf.sh, profile: iraf}
  no-iraf: {when: "* * * * *", run: jobs/iraf.sh, profile: no-iraf}
  own-clock: {when: "* * * * *", run: jobs/silent.sh, timezone: Asia/Kathmandu}
"""
# Its clocks are put on by two hours, no others by so much: at what is a slot in the other half of the year, its line
# fires now, and no slot is near.
TROLL = ZoneInfo("Antarctica/Troll")
SCRIPTS = {
    "silent.sh": "echo nobody need read this",
    "loud.sh": "echo on stdout; echo no photons >&2; exit 3",
    "dumb.sh": "exit 3",
    "iraf.sh": 'echo "$UR_DIR"; touch "$RUNNER_WORK/ran"',
    "bare.sh": 'env > "$RUNNER_WORK/environment"',
}


class Night:
    """A home installed under a cron of its own, two minutes later."""

    def __init__(self, cron: CronLab, home: Path) -> None:
        self.cron = cron
        self.home = home
        self.mails: list[Message] = []

    def runner(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        """Call the command where this cron is."""
        command = [sys.executable, "-P", "-m", "runner.cli.main", "--home", self.home, *words]
        return self.cron.run(command, env={"PATH": "/usr/sbin:/usr/bin:/bin", "HOME": str(self.home)})

    def history(self, job: str) -> list[dict[str, object]]:
        answer = self.runner("history", job, "--json")
        assert answer.returncode == 0, answer.stderr.decode()
        return [json.loads(line) for line in answer.stdout.splitlines()]

    def mails_about(self, job: str) -> list[Message]:
        return [mail for mail in self.mails if mail["X-Runner-Job"] == job]


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    cron = CronLab()
    try:
        cron.start()
        yield play(Night(cron, tmp_path_factory.mktemp("observatory") / "ql"))
    finally:
        cron.stop()


def play(night: Night) -> Night:
    """Make a home, install it over a foreign crontab, and let two full minutes pass."""
    assert night.cron.crontab("-", input=FOREIGN).returncode == 0
    subprocess.run([sys.executable, "-P", "-m", "runner.cli.main", "init", night.home], check=True, capture_output=True)
    for path in (night.home / "jobs").glob("*.yaml"):
        path.unlink()
    write_iraf(night.home)
    (night.home / "jobs" / "night.yaml").write_text(REGISTRY + describe_other_half(datetime.now(UTC)))
    for name, script in SCRIPTS.items():
        (night.home / "jobs" / name).write_text(f"#!/bin/sh\n{script}\n")
        (night.home / "jobs" / name).chmod(0o755)
    installed = night.runner("crontab", "install", "--yes")
    assert installed.returncode == 0, installed.stderr.decode()
    night.cron.wait_for(lambda: len(night.history("loud")) >= 2, "two runs", within_s=150)
    night.cron.wait_for(lambda: all(run["state"] == "ended" for run in night.history("bare")), "end of the runs")
    night.mails = night.cron.wait_for_mails(3)  # of the first minute, sent by the sweep of the second
    return night


def write_iraf(home: Path) -> None:
    """Write two profiles as the env-wrapper of old was: an alias of the rc file of tcsh, and one that is not there."""
    need_program("tcsh")
    (home / "ur_setup").write_text('#!/bin/sh\necho "setenv UR_DIR /opt/ureka/$3;"\n')
    (home / "ur_setup").chmod(0o755)
    (home / "cshrc").write_text(f"alias ur_setup 'eval `{home}/ur_setup -csh \\!*`'\n")
    setup = 'activate: [{setup: {shell: tcsh, rc: "%s", run: "ur_setup -n common"}}]\n'
    (home / "envs/iraf.yaml").write_text(setup % "{home}/cshrc")
    (home / "envs/no-iraf.yaml").write_text(setup % "/dev/null")


def describe_other_half(now: datetime) -> str:
    """Return a job that has its slots now, and for a quarter of an hour to come, but for the season."""
    offsets = {datetime(now.year, month, 1, tzinfo=TROLL).utcoffset() for month in (1, 7)}
    (other,) = offsets - {now.astimezone(TROLL).utcoffset()}
    hours = {(instant + other).hour for instant in (now, now + timedelta(minutes=15)) if other is not None}
    when = f"* {','.join(map(str, sorted(hours)))} * * *"
    return f'  other-half: {{when: "{when}", run: jobs/silent.sh, timezone: Antarctica/Troll}}\n'


def test_each_minute_was_a_slot_with_one_run(night: Night) -> None:
    slots = [str(run["slot"]) for run in night.history("silent")]
    assert len(slots) == len(set(slots)) >= 2
    assert all(slot.endswith(":00Z") for slot in slots)
    assert {run["outcome"] for run in night.history("silent")} == {"ok"}


def test_a_job_sees_the_environment_that_an_alias_of_tcsh_makes(night: Night) -> None:
    """PROF-3, PROF-27: no HOME, no login and no rc file of cron's is needed; the sweep captures it meanwhile."""
    night.cron.wait_for(lambda: list((night.home / "state/snapshots").glob("iraf@*")), "snapshot by the sweep")
    assert night.runner("run", "iraf").returncode == 0
    runs = night.history("iraf")
    logs = [Path(str(run["log"])).read_text() for run in runs]
    assert {run["outcome"] for run in runs} == {"ok"}
    assert all("\n/opt/ureka/common\n" in log for log in logs)
    assert "# environment of snapshot " in logs[0]


def test_without_the_alias_no_script_runs_and_the_mail_says_why(night: Night) -> None:
    """PROF-40: as the env-wrapper of old would have done all the same, in the wrong environment."""
    (mail,) = night.mails_about("no-iraf")
    assert not (night.home / "state/work/no-iraf/ran").exists()
    assert {run["outcome"] for run in night.history("no-iraf")} == {"cannot_start"}
    assert "profile no-iraf: setup: ur_setup: Command not found." in str(mail.get_payload())


def test_a_job_by_a_clock_of_its_own_runs_at_its_slots(night: Night) -> None:
    """CRON-36."""
    slots = {str(run["slot"]) for run in night.history("own-clock")}
    assert slots >= {str(run["slot"]) for run in night.history("silent")[1:]}
    assert {run["outcome"] for run in night.history("own-clock")} == {"ok"}


def test_a_firing_that_is_no_slot_of_a_gated_job_leaves_no_record(night: Night) -> None:
    """CRON-37: cron fired its line each minute in which the others ran."""
    table = (night.cron.directory / "spool" / "root").read_bytes()
    lines = [
        line for line in table.decode("latin-1").splitlines(keepends=True) if line.endswith("run-job other-half\n")
    ]
    schedules = [schedule for _, schedule in read_lines("".join(lines))]
    slots = [datetime.fromisoformat(str(run["slot"])) for run in night.history("silent")]
    assert slots
    assert all(any(one.matches(numbers_of(slot.astimezone())) for one in schedules) for slot in slots)
    assert night.history("other-half") == []
    state = night.home / "state"
    assert not [path for path in state.rglob("*") if "other-half" in path.name]
    assert not [path for path in state.glob("journal/*") if b'"other-half"' in path.read_bytes()]


def test_a_failing_job_is_mailed_once_to_its_own_list_with_its_stderr(night: Night) -> None:
    (mail,) = night.mails_about("loud")
    assert mail["To"] == "al@example.org, ql-team@example.org"
    assert mail["Subject"] == "FAILED loud [local] exit 3"
    body = str(mail.get_payload())
    assert body.startswith("loud failed after ")
    assert "no photons" in body
    assert "on stdout" not in body
    assert mail.get_content_type() == "text/plain"


def test_a_failing_job_stands_in_the_history(night: Night) -> None:
    runs = night.history("loud")
    assert [(run["outcome"], run["exit_code"]) for run in runs[:2]] == [("failed", 3)] * 2
    assert [run["alerted"] for run in runs][-1] == "first"


def test_silence_is_not_mailed(night: Night) -> None:
    assert sorted(str(mail["X-Runner-Job"]) for mail in night.mails) == ["dumb", "loud", "no-iraf"]


def test_a_failure_without_output_is_mailed_all_the_same(night: Night) -> None:
    (mail,) = night.mails_about("dumb")
    assert "(no output)" in str(mail.get_payload())


def test_a_job_sees_nothing_of_the_daemons_environment(night: Night) -> None:
    environment = (night.home / "state" / "work" / "bare" / "environment").read_text()
    assert "RUNNER_CANARY" not in environment
    assert "RUNNER_SLOT=20" in environment


def test_an_uninstall_leaves_the_foreign_crontab_as_it_was(night: Night) -> None:
    removed = night.runner("crontab", "uninstall", "--yes")
    assert removed.returncode == 0, removed.stderr.decode()
    spool = night.cron.directory / "spool" / "root"
    assert spool.read_bytes().endswith(FOREIGN)
