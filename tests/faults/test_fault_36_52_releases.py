"""A switch during a run, and builds that fail: a run stays in its release, and what fails changes nothing (RUN-26)."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from remotes import JOBS, SITE, Installation

from runner.errors import UserError
from runner.home.release import RELEASE
from runner.releases.base import Base, locked
from runner.releases.build import Found, Task, build_release
from runner.releases.cache import Cache
from runner.releases.steps import STEPS, Work

HELD = """\
jobs:
  held: {{when: "30 2 29 2 *", run: "jobs/held.sh {word}", profile: {profile}, mailto: {word}@example.org}}
  hello: {{when: "30 2 29 2 *", run: jobs/hello.sh, profile: local}}
"""
SCRIPT = """\
#!/bin/sh
touch "$RUNNER_WORK/ready"
while [ ! -e "$RUNNER_WORK/go" ]; do sleep 0.05; done
echo "$1 of $RUNNER_RELEASE" >&2
exit 3
"""


def write_held(place: Installation, word: str, profile: str) -> str:
    """Commit a job that runs until it is let go, and then fails."""
    place.remote.write(f"envs/{profile}.yaml", f"description: {word}\n")
    place.remote.write("jobs/all.yaml", HELD.format(word=word, profile=profile))
    place.remote.write("jobs/held.sh", SCRIPT, 0o755)
    return place.remote.commit(word)


def start_held(place: Installation) -> subprocess.Popen[str]:
    """Start the job as cron does; return when it runs."""
    process = subprocess.Popen(place.line("held"), env=place.env, stderr=subprocess.PIPE, text=True)
    wait_for((place.state / "work/held/ready").exists)
    return process


def let_go(place: Installation, process: subprocess.Popen[str]) -> str:
    """Let the job end; return what cron mails of it."""
    (place.state / "work/held/go").touch()
    return process.communicate(timeout=60)[1]


def wait_for(condition: Callable[[], object]) -> None:
    until = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


class Overlap:
    """A run that began in a release, and a switch to another one before it ended; what was seen meanwhile."""

    def __init__(self, directory: Path) -> None:
        place = self.place = Installation(directory)
        self.old = write_held(place, "old", "local")
        place.build_well()
        run = start_held(place)
        self.new = write_held(place, "new", "other")
        assert place.build_well() == self.new
        let_left_long_ago(place, self.old)
        self.listed = {row["commit"]: row["runs"] for row in place.release("list", "--json").objects}
        self.pruned = place.release("prune", "--keep", "1")
        self.mail = let_go(place, run)
        self.next = place.run("held")


@pytest.fixture(scope="module")
def overlap(tmp_path_factory: pytest.TempPathFactory) -> Overlap:
    return Overlap(tmp_path_factory.mktemp("overlap"))


def test_fault_36_record_and_mail_name_the_plan_profile_and_release_that_the_run_began_with(overlap: Overlap) -> None:
    start, end = overlap.place.events("start")[0], overlap.place.events("end")[0]
    assert (start["release"], end["release"], end["profile"]) == (overlap.old, overlap.old, "local")
    assert start["mailto"] == ["old@example.org"]
    assert f"old of {overlap.old}" in overlap.mail
    assert f"profile local   release {overlap.old}" in overlap.mail


def test_fault_52_the_run_ends_in_its_release_and_the_next_one_is_of_the_new(overlap: Overlap) -> None:
    first, second = overlap.place.events("end")
    assert (first["outcome"], first["exit_code"], overlap.next.returncode) == ("failed", 3, 3)
    assert (second["release"], second["profile"]) == (overlap.new, "other")


def test_fault_52_a_release_in_use_is_not_pruned_until_its_last_run_has_ended(overlap: Overlap) -> None:
    place, (run_id, _) = overlap.place, [event["run_id"] for event in overlap.place.events("start")]
    assert overlap.listed == {overlap.old: [run_id], overlap.new: []}
    assert (overlap.pruned.code, f"stays: {run_id}" in overlap.pruned.out) == (0, True)

    assert place.release("prune", "--keep", "1", "--dry-run").out.endswith("would be removed\n")
    removed = place.release("prune", "--keep", "1", "--json").objects
    assert removed == [{"commit": overlap.old, "removed": True, "users": []}]
    assert [path.name for path in (place.base / "releases").iterdir()] == [overlap.new]
    assert place.release("prune", "--keep", "1").out == "nothing to remove\n"
    assert place.release("rollback").code == 2


def let_left_long_ago(place: Installation, commit: str) -> None:
    """Let the record say that a release was left an hour ago and not within this minute."""
    path = place.base / "builds" / f"{commit}.json"
    path.write_text(path.read_text().replace('"left_at": "2', '"left_at": "1'))


@pytest.fixture(scope="module")
def proven(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """One with a good release in use."""
    place = Installation(tmp_path_factory.mktemp("proven"))
    place.build_well()
    return place


@pytest.mark.parametrize(
    ("name", "text", "code", "step"),
    [
        ("jobs/all.yaml", "jobs: [", 1, "check"),
        ("envs/site.yaml", "no_such: 1\n", 1, "settings"),
        ("envs/site.yaml", "name: lab\nmail: {ops: ops@example.org}\n", 1, "settings: envs/site.yaml: the state dir"),
        ("envs/site.yaml", "SITErelease: {prove: 'sh -c \"echo unproved; exit 7\"'}\n", 1, "prove: its own proof"),
        ("envs/local.yaml", "activate: [{setup: {shell: bash, source: /no/such}}]\n", 75, "profiles"),
        ("requirements.txt", "--no-index\nno-such-package==1.0\n", 75, "environment"),
        ("wrappers/run-job", "#!/bin/sh\n", 1, "check"),
    ],
    ids=["yaml", "settings", "state", "proof", "profile", "packages", "mode"],
)
def test_fault_52_what_fails_keeps_the_old_release_and_crontab(
    proven: Installation, name: str, text: str, code: int, step: str
) -> None:
    good, before = proven.current, (proven.crontab.table, proven.tree())
    proven.remote.write(name, text.replace("SITE", SITE.format(state=proven.state)))
    bad = proven.remote.commit("bad")

    answer = proven.build()

    assert (answer.code, proven.current) == (code, good), answer.err
    assert f"release {bad[:12]} was not built: {step}" in answer.err
    assert "author  Ana <ana@example.org>\nsubject bad\n" in answer.err
    assert (proven.crontab.table, proven.tree()) == before
    proven.remote.git("reset", "--quiet", "--hard", good)
    proven.remote.push()


def test_fault_52_a_build_killed_between_two_steps_leaves_no_trace_after_the_next(proven: Installation) -> None:
    base, good, before = Base(proven.base), proven.current, proven.tree()
    killed = proven.remote.commit("killed")
    Cache(base.cache).fetch()
    found = Found(Cache(base.cache).read_commit(killed), Task.BUILD, RELEASE.record(**RELEASE.defaults), b"")
    for steps in (0, 2, 4, len(STEPS)):
        die_in(lambda n=steps: build_upto(base, found, n))
        assert proven.current == good
    with locked(base) as lock:
        build_release(base, found, lock, (("stop", refuse),))

    assert proven.tree() == before


def build_upto(base: Base, found: Found, steps: int) -> None:
    with locked(base) as lock:
        build_release(base, found, lock, (*STEPS[:steps], ("kill", kill)))


def kill(work: Work) -> Work:
    os.kill(os.getpid(), 9)
    return work


def refuse(work: Work) -> Work:
    raise UserError("no")


def die_in(action: Callable[[], object]) -> None:
    """Do something in a child that kills itself."""
    pid = os.fork()
    if pid == 0:
        try:
            action()
        finally:
            os._exit(1)
    assert os.waitpid(pid, 0)[1] == 9


def test_fault_52_runs_that_start_while_releases_are_switched_are_each_of_one(proven: Installation) -> None:
    """Four at once against a switch every few milliseconds; `deploy/bench release --long` starts a thousand."""
    place = proven
    proven.remote.write("jobs/all.yaml", JOBS.replace("profile", "overlap: allow, profile"))
    proven.remote.commit("two")
    commits = [place.current, place.build_well()]
    is_over = threading.Event()

    def switch() -> None:
        number = 0
        while not is_over.wait(0.003):
            number += 1
            link = place.base / ".link"
            link.symlink_to(f"releases/{commits[number % 2]}")
            link.rename(place.base / "current")

    switcher = threading.Thread(target=switch)
    switcher.start()
    try:
        for _ in range(10):
            runs = [subprocess.Popen(place.line("hello"), env=place.env, stderr=subprocess.PIPE) for _ in range(4)]
            said = [run.communicate(timeout=60) for run in runs]
            assert {run.returncode for run in runs} == {0}, said
    finally:
        is_over.set()
        switcher.join()
    ends = place.events("end")
    assert len(ends) >= 10
    assert {end["outcome"] for end in ends} == {"ok"}
    assert {end["release"] for end in ends} <= set(commits)
    for end in ends:
        assert f"hello from {end['release']}\n" in (place.state / "logs/hello" / f"{end['run_id']}.log").read_text()
