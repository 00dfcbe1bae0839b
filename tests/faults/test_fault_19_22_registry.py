"""Two hosts, a lock that cannot be had, one id twice, and a person in the middle of a run."""

import posix
import shutil
import subprocess
from pathlib import Path

import pytest
from homes import Home
from lab import CALLER, SLOT, Lab, need_program

from runner.launch.plan import HOME_PLAN, HomePlan
from runner.launch.plan_encode import encode_home_plan

# The C library as a file system without locks would make it answer: an NFS without its lock daemon.
_NO_LOCKS = "#include <errno.h>\nint flock(int descriptor, int operation) { errno = ENOLCK; return -1; }\n"
_HOLD = 'touch "$RUNNER_WORK/ready"; while [ ! -e "$RUNNER_WORK/go" ]; do sleep 0.02; done'


def test_fault_19_the_hosts_of_a_job_decide_which_host_runs_it(lab: Lab) -> None:
    lab.job("here", "true", hosts=[posix.uname().nodename])
    lab.job("there", f"touch {lab.home}/ran", hosts=["another-host"])

    results = [lab.run(name, "--slot", SLOT) for name in ("here", "there")]

    assert [(result.code, result.err) for result in results] == [(0, b"")] * 2
    assert lab.outcomes("here") == ["ok"]
    (skip,) = lab.events("skip", "there")
    assert (skip["reason"], skip["slot"]) == ("host", SLOT)
    assert not (lab.home / "ran").exists()


_TWO_HOSTS = """\
name: lab
mail: {via: cron, ops: ops@example.org}
targets:
  one: {hosts: [ops1, ops2], user: ana}
"""


def test_fault_19_check_warns_of_a_job_that_every_host_of_its_site_would_run(home: Home) -> None:
    home.write("envs/site.yaml", _TWO_HOSTS)
    home.job('when: "@daily"')

    answer = home.runner("check")

    assert answer.code == 0
    assert "jobs/all.yaml:2:3: warning: each of ops1, ops2 would run it; name the one in hosts:" in answer.out


@pytest.mark.parametrize("keys", ['when: "@daily", hosts: [ops1]', "tags: [x]", 'when: "@daily", enabled: false'])
def test_fault_19_check_does_not_warn_of_a_job_that_one_host_runs(home: Home, keys: str) -> None:
    home.write("envs/site.yaml", _TWO_HOSTS)
    home.job(keys)

    assert "would run it" not in home.runner("check").out


@pytest.fixture
def no_locks(tmp_path: Path) -> Path:
    """A library in whose presence no lock can be had."""
    need_program("cc")
    source, library = tmp_path / "no_locks.c", tmp_path / "no_locks.so"
    source.write_text(_NO_LOCKS)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    return library


def test_fault_20_where_the_file_system_knows_no_locks_nothing_runs(lab: Lab, no_locks: Path) -> None:
    """RUN-12: never an unlocked run."""
    lab.job("job", f"touch {lab.home}/ran")

    result = lab.run("job", "--slot", SLOT, env={**CALLER, "LD_PRELOAD": str(no_locks)})

    assert (result.code, lab.end("job")["outcome"]) == (126, "cannot_start")
    assert lab.end("job")["reason"] == "lock locks/job: No locks available"
    assert "CANNOT_START job [dsoc-prod] lock locks/job: No locks available\n" in result.mail
    assert not (lab.home / "ran").exists()


@pytest.mark.parametrize("words", [("check",), ("compile",), ("crontab", "install", "--yes")])
def test_fault_21_a_job_id_in_two_files_is_refused_with_both_places(home: Home, words: tuple[str, ...]) -> None:
    home.write("jobs/more.yaml", 'jobs:\n  nightly: {when: "@daily", run: jobs/hello.sh, profile: local}\n')
    before = home.tree()

    answer = home.runner(*words)

    fault = 'jobs/more.yaml:2:3: job id "nightly" is given twice, first at jobs/all.yaml:3:3'
    assert (answer.code, fault in answer.out + answer.err) == (2, True)
    assert home.tree() == before


def test_fault_22_a_run_by_hand_during_a_run_says_who_runs_since_when(lab: Lab) -> None:
    lab.job("job", _HOLD)
    wrapper = lab.start_running("job", "--slot", SLOT)

    result = lab.run("job", "--hand")

    start = lab.events("start", "job")[0]
    assert result.code == 75
    assert f"run {start['run_id']} since {start['started_at']}, wrapper pid {wrapper.pid}, job pid " in result.mail
    (lab.work("job") / "go").touch()
    assert lab.finish(wrapper).code == 0
    lab.assert_clean("job")


def _make_release(lab: Lab, tmp_path: Path) -> Path:
    """Copy the home to where a release stands."""
    release = tmp_path / "releases" / "3f9c2ab"
    shutil.copytree(lab.home, release, symlinks=True)
    (release / HOME_PLAN).write_bytes(encode_home_plan(HomePlan("lab")))
    return release


def _is_held(release: Path) -> bool:
    """Whether a release may not be removed now."""
    return subprocess.run(["flock", "--nonblock", "--exclusive", release, "true"]).returncode != 0


def test_run_26_a_release_in_use_is_held_until_the_last_process_of_its_run_ends(lab: Lab, tmp_path: Path) -> None:
    lab.home = _make_release(lab, tmp_path)
    lab.state = lab.home / "state"
    lab.job("job", _HOLD, mailto=["a@example.org"])
    wrapper = lab.start_running("job", "--slot", SLOT)

    was_held = _is_held(lab.home)
    (lab.work("job") / "go").touch()
    result = lab.finish(wrapper)

    assert (was_held, result.code, lab.end("job")["release"]) == (True, 0, "3f9c2ab")
    assert not _is_held(lab.home)


def test_run_26_a_release_is_held_while_its_run_waits_for_its_turn(lab: Lab, tmp_path: Path) -> None:
    lab.job("job", _HOLD, overlap="wait")
    first = lab.start_running("job", "--slot", SLOT)
    release = _make_release(lab, tmp_path)
    (release / "state").rename(release / "state.copy")
    (release / "state").symlink_to(lab.state)
    lab.home = release
    waiter = lab.start("job", "--slot", "2026-03-08T08:00:00Z")
    lab.wait_for(lambda: lab.events("wait"), "a run to wait")

    assert _is_held(release)

    (lab.work("job") / "go").touch()
    assert [lab.finish(first).code, lab.finish(waiter).code] == [0, 0]
    assert lab.end("job")["release"] == "3f9c2ab"
    lab.assert_clean("job")


def test_run_26_a_release_that_is_being_removed_starts_nothing(lab: Lab, tmp_path: Path) -> None:
    lab.home = _make_release(lab, tmp_path)
    lab.state = lab.home / "state"
    lab.job("job", "touch $RUNNER_WORK/ran")
    remover = subprocess.Popen(["flock", "--exclusive", lab.home, "sh", "-c", "echo; read -r _"], stdin=-1, stdout=-1)
    remover.stdout.readline()

    result = lab.run("job", "--slot", SLOT)

    remover.communicate(b"\n")
    assert (result.code, lab.end("job")["reason"]) == (126, "release 3f9c2ab is being removed")
    assert not (lab.work("job") / "ran").exists()
    lab.assert_clean("job")
