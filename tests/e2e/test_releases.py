"""From a bare git remote with three commits, good, broken and good, to releases and back, as cron starts it.

The builds are a job of the home itself, as README recommends: what is mailed of them is the wrapper's to decide.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from itertools import count
from pathlib import Path

import pytest
from remotes import BROKEN, JOBS, SITE, Installation, is_sealed

# What an hourly build is; `runner` is that of the release itself.
BUILD = "  build: {when: '5 * * * *', run: .runner/bin/runner release build, profile: local, timeout: 30m}\n"
# A crontab stands first on PATH, as on a terminal; under cron a profile would say so.
PROFILE = "path: {{prepend: [{crontab}]}}\n"


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    return Story(tmp_path_factory.mktemp("releases"))


class Story:
    """Three commits and their hourly builds; what was seen after each."""

    def __init__(self, directory: Path) -> None:
        place = self.place = Installation(directory)
        self._hours = count()
        place.remote.write("envs/local.yaml", PROFILE.format(crontab=place.crontab.directory))
        self.good = self.push(JOBS, "good")
        self.first = place.build("--branch", "main")
        assert self.first.code == 0, self.first.err
        self.hours = [self.build()]
        self.table = place.crontab.table
        self.broken = self.push(BROKEN, "broken")
        self.hours += [self.build() for _ in range(2)]
        self.after_broken = (place.current, place.crontab.table)
        self.better = self.push(JOBS.replace("hello:", "greet:"), "better")
        self.hours += [self.build()]

    def push(self, jobs: str, subject: str) -> str:
        self.place.remote.write("jobs/all.yaml", jobs + BUILD)
        return self.place.remote.commit(subject)

    def build(self) -> subprocess.CompletedProcess[str]:
        """Let the build of the next hour fire; its stderr is what cron mails."""
        return self.place.run("build", "--slot", f"2026-03-08T{next(self._hours):02}:05:00Z")


def test_a_good_commit_becomes_current_with_its_crontab(story: Story) -> None:
    assert story.first.code == 0, story.first.err
    assert f"{story.place.base}/current/wrappers/run-job hello" in (story.table or b"").decode()
    assert story.good in story.place.log(story.good) or story.good[:12] in story.place.log(story.good)


def test_an_hour_without_a_commit_says_and_mails_nothing(story: Story) -> None:
    assert (story.hours[0].returncode, story.hours[0].stdout, story.hours[0].stderr) == (0, "", "")


def test_a_broken_one_is_refused_with_one_mail_that_has_author_and_log(story: Story) -> None:
    refused, again = story.hours[1:3]
    assert (refused.returncode, again.returncode) == (1, 1)
    assert refused.stderr.startswith("FAILED build [local] exit 1\n")
    assert "author  Ana <ana@example.org>\nsubject broken\n" in refused.stderr
    assert 'jobs/all.yaml:2:11: unknown key "whenn"; did you mean "when"?' in refused.stderr
    assert again.stderr == ""  # ALERT-4: a reminder comes after an hour
    assert story.after_broken == (story.good, story.table)


def test_the_next_good_one_becomes_current_and_the_team_hears_that_it_is_over(story: Story) -> None:
    assert story.hours[3].returncode == 0
    assert story.hours[3].stderr.startswith("RECOVERED build [local] after 2 failures")
    assert story.place.states() == {"good": "kept", "broken": "refused", "better": "current"}
    assert b"run-job greet" in (story.place.crontab.table or b"")


def test_every_step_is_in_the_journal(story: Story) -> None:
    audits = [(event["action"], event["command"]) for event in story.place.events("audit")]
    steps = [command for action, command in audits if action == "release build"]
    assert steps == [f"- -> {story.good}", f"refused {story.broken}", f"{story.good} -> {story.better}"]


def test_a_release_is_read_only_and_without_history(story: Story) -> None:
    assert is_sealed(story.place.home)
    assert not (story.place.home / ".git").exists()
    for words in (["compile"], ["add", "x", "--when", "@daily", "--run", "true", "--profile", "local"]):
        answer = story.place.runner("--home", str(story.place.base / "current"), *words)
        assert (answer.code, "is a release, and stays as it was built" in answer.err) == (2, True)


def test_rollback_needs_no_network_and_lasts_until_a_newer_commit(story: Story) -> None:
    place = story.place
    away = place.remote.bare.rename(place.remote.bare.with_name("away"))
    try:
        assert place.release("rollback", "--dry-run").code == 0
        assert place.current == story.better
        assert place.release("rollback").code == 0
        assert (place.current, place.crontab.table) == (story.good, story.table)
        unreachable = place.release("build")
        assert (unreachable.code, place.current) == (75, story.good)
        assert "cannot fetch main" in unreachable.err
    finally:
        away.rename(place.remote.bare)
    assert "was switched away from" in place.build().out
    assert place.current == story.good
    assert place.release("switch", story.better[:7], "--json").objects[0]["before"] == story.good
    assert place.release("switch", story.better).out.endswith("is in use already\n")


def test_of_two_at_once_the_second_says_so(story: Story) -> None:
    with open(story.place.base / "lock", "rb") as lock:
        import fcntl

        fcntl.flock(lock, fcntl.LOCK_EX)
        for words in (["build"], ["switch", story.good], ["rollback"], ["prune"]):
            answer = story.place.release(*words)
            assert (answer.code, "is going on" in answer.err) == (75, True)


def test_commits_are_completed(story: Story) -> None:
    command = [sys.executable, "-P", "-m", "runner.cli.main"]
    words = {"COMP_WORDS": f"runner release switch --base {story.place.base} ", "COMP_CWORD": "5"}
    env = {**story.place.env, "_RUNNER_COMPLETE": "bash_complete", **words}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert {line.partition(",")[2] for line in done.stdout.splitlines()} == {story.good, story.better}


# Kills


KILLER = """\
#!/bin/sh
here=$(dirname "$0")
case $1 in
-V) exit 1 ;;
-l) [ -e "$here/table" ] || { echo "no crontab for $(id -un)" >&2; exit 1; }; cat "$here/table" ;;
-n) ;;
*) kill -9 $(cat BASE/lock); sleep 1; exit 1 ;;
esac
"""


@pytest.fixture
def place(tmp_path: Path) -> Installation:
    return Installation(tmp_path)


def test_a_build_killed_in_its_proof_leaves_all_as_it_was_and_the_next_one_builds(place: Installation) -> None:
    prove = f"release: {{prove: \"sh -c 'kill -9 $(cat {place.base}/lock)'\"}}\n"
    place.remote.write("envs/site.yaml", SITE.format(state=place.state) + prove)
    killed = place.remote.commit("kills its builder")
    assert place.build().code == -signal.SIGKILL
    assert (place.base / "releases" / killed).exists()
    assert not (place.base / "current").exists()
    place.remote.write("envs/site.yaml", SITE.format(state=place.state))
    good = place.remote.commit("good")
    wait_for_lock(place)

    assert place.build_well() == good
    assert [path.name for path in (place.base / "releases").iterdir()] == [good]


def test_a_switch_killed_before_its_crontab_is_completed_by_the_next_call(place: Installation) -> None:
    first = place.build_well()
    table = place.crontab.table
    place.remote.write("jobs/all.yaml", JOBS.replace("hello:", "greet:"))
    second = place.remote.commit("second")
    script = (place.crontab.directory / "crontab").read_text()
    place.crontab.replace(KILLER.replace("BASE", str(place.base)))
    assert place.build().code == -signal.SIGKILL
    assert (place.current, place.crontab.table) == (second, table)
    place.crontab.replace(script)
    wait_for_lock(place)

    assert place.build_well() == second
    assert b"run-job greet" in (place.crontab.table or b"")
    assert place.release("rollback").code == 0
    assert (place.current, place.crontab.table) == (first, table)


def test_a_crontab_that_cannot_be_installed_takes_the_switch_back(place: Installation) -> None:
    first = place.build_well()
    table = (place.crontab.table or b"").replace(b"30 2", b"31 2")  # by hand
    place.crontab.table = table
    place.remote.write("jobs/all.yaml", JOBS.replace("hello:", "greet:"))
    second = place.remote.commit("second")

    answer = place.build()

    assert (answer.code, place.current, place.crontab.table) == (2, first, table)
    assert f"release {second[:12]}: its crontab cannot be installed" in answer.err
    place.crontab.table = table.replace(b"31 2", b"30 2")
    assert place.build_well() == second


def test_a_lock_of_a_git_that_was_killed_stops_no_build(place: Installation) -> None:
    place.build_well()
    for name in ("config", "packed-refs", "refs/heads/main"):
        (place.base / f"cache.git/{name}.lock").touch()
    newer = place.remote.commit("newer")

    assert place.build_well("--branch", "main") == newer


def test_a_fetch_goes_on_with_the_lock_of_a_builder_that_was_killed(place: Installation) -> None:
    """Else the next build would take the locks of a git that lives."""
    place.build_well()
    ssh = place.crontab.directory / "kill-builder"
    ssh.write_text(f"#!/bin/sh\nkill -9 $(cat {place.base}/lock)\nexec sleep 3\n")
    ssh.chmod(0o755)
    place.env["GIT_SSH_COMMAND"] = str(ssh)

    killed = place.release("build", "--remote", "ssh://git@example.org/lab.git")
    next_one = place.build()

    assert (killed.code, next_one.code) == (-signal.SIGKILL, 75)
    assert "another build, switch or prune" in next_one.err
    wait_for_lock(place)
    assert place.build().code == 0


def wait_for_lock(place: Installation) -> None:
    """Wait for what a killed builder had started: until then it holds the lock."""
    until = time.monotonic() + 20
    while os.spawnlp(os.P_WAIT, "flock", "flock", "-n", f"{place.base}/lock", "true"):
        assert time.monotonic() < until
        time.sleep(0.05)
