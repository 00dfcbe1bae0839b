"""A run looks at what it is about to execute: whoever else can change it decides what runs (SEC-1)."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lab import CALLER, SLOT, Lab
from missing import give_up

from runner.launch.activation import Change
from runner.launch.plan import HOME_PLAN, HomePlan, PlanTarget
from runner.launch.plan_encode import encode_home_plan
from runner.launch.state import make_state

NOBODY = 65534
STRANGER = 1234
COMPONENTS = (
    ".",
    "wrappers",
    "wrappers/run-job",
    ".runner",
    ".runner/python._pth",
    ".runner/lib",
    ".runner/lib/encodings",
    ".runner/main.pyc",
    ".runner/launch.code",
    ".runner/runner",
    ".runner/runner/launch",
    "crontab.d",
    "crontab.d/home.plan",
    "crontab.d/plans",
    "crontab.d/plans/job.plan",
    "jobs",
    "jobs/job",
    "state",
)


@pytest.fixture
def job(lab: Lab) -> Lab:
    """A home whose job leaves a file ``ran``."""
    lab.job("job", f"touch {lab.home}/ran")
    return lab


def refuse(lab: Lab, reason: str) -> None:
    """Assert that the job is not started, for a reason that its record and the mail name."""
    result = lab.run("job", "--slot", SLOT)

    assert (result.code, lab.end("job")["outcome"]) == (126, "cannot_start")
    assert lab.end("job")["reason"] == f"{reason}: who can change it decides what runs (SEC-1)"
    assert reason in result.mail
    assert not (lab.home / "ran").exists()
    lab.assert_clean("job")


@pytest.mark.parametrize("component", COMPONENTS)
def test_sec_01_what_everybody_can_change_is_not_run(job: Lab, component: str) -> None:
    (job.home / component).chmod(0o777)

    refuse(job, f"{job.home / component} can be written by everybody (mode 0777)")


def test_sec_01_a_directory_above_the_home_counts(job: Lab) -> None:
    job.home.parent.chmod(0o777)

    refuse(job, f"{job.home.parent} can be written by everybody (mode 0777)")


@pytest.mark.parametrize("component", COMPONENTS)
def test_sec_01_what_its_group_can_change_is_run(job: Lab, component: str) -> None:
    (job.home / component).chmod(0o775)

    assert job.run("job", "--slot", SLOT).code == 0


def need_root() -> None:
    if os.geteuid():
        give_up("needs root")


@pytest.mark.parametrize("component", ["jobs/job", "jobs", "wrappers/run-job", "crontab.d/plans/job.plan"])
def test_sec_01_what_belongs_to_another_user_is_not_run(job: Lab, component: str) -> None:
    need_root()
    os.chown(job.home / component, STRANGER, STRANGER)

    refuse(job, f"{job.home / component} belongs to uid {STRANGER}, not root")


def test_sec_01_a_step_is_looked_at_when_it_is_about_to_start(lab: Lab) -> None:
    """A program that the step before has made, and left open to all."""
    made = lab.home / "state/work/job/made"
    script = lab.script("make", f"cp /bin/true {made}; chmod 0757 {made}")
    lab.plan("job", steps=[[script], [str(made)]])

    lab.run("job", "--slot", SLOT)

    assert lab.end("job")["reason"].startswith(f"{made} can be written by everybody (mode 0757)")


@pytest.mark.parametrize("kind", ["interpreter", "link", "PATH"])
def test_sec_01_the_way_to_a_program_is_looked_at(lab: Lab, kind: str, tmp_path: Path) -> None:
    tools = tmp_path / "shared" / "tools"
    tools.mkdir(parents=True)
    (tools / "sh").symlink_to("/bin/sh")
    body = f"touch {lab.home}/ran"
    if kind == "interpreter":
        lab.job("job", body, interpreter=str(tools / "sh"))
    elif kind == "link":
        lab.plan("job", steps=[[str(tools / "sh"), "-c", body]])
    else:
        lab.plan("job", steps=[["sh", "-c", body]], changes=[Change("append", "PATH", str(tools))])
    tools.parent.chmod(0o777)

    refuse(lab, f"{tools.parent} can be written by everybody (mode 0777)")


def test_sec_01_a_secret_that_others_can_read_is_not_loaded(job: Lab, tmp_path: Path) -> None:
    """As ssh refuses such a key."""
    (tmp_path / "token").write_text("s3cr3t-canary")
    job.job("job", f"touch {job.home}/ran", secrets=[("TOKEN", str(tmp_path / "token"))])
    for mode in (0o644, 0o604, 0o640, 0o600):
        (tmp_path / "token").chmod(mode)
        is_open = mode & 0o004
        code = job.run("job").code
        assert (code, (job.home / "ran").exists()) == ((126, False) if is_open else (0, True))
        reason = f"secret TOKEN in {tmp_path}/token: it can be read by everybody (mode {mode:04o}): chmod 600"
        assert job.end("job")["reason"] == (reason if is_open else "")
        (job.home / "ran").unlink(missing_ok=True)


# As another user


def find_open_interpreter() -> Path:
    """Return an interpreter of our version that any user can start: a root's own would be closed to him."""
    ours = Path(sys.executable).resolve()
    programs = (ours, Path(f"/usr/bin/python3.{sys.version_info.minor}"))
    open_to_all = [path for path in programs if path.exists() and all(one.stat().st_mode & 1 for one in path.parents)]
    if not open_to_all:
        give_up(f"no interpreter like {ours} that other users can start")
    return open_to_all[0]


@pytest.fixture
def shared(open_directory: Path, machine_files: Path) -> Iterator[Callable[[str], Lab]]:
    """Make homes that any user gets to; their state is nobody's."""
    need_root()
    labs = []

    def make(name: str) -> Lab:
        lab = Lab(open_directory / name, machine_files)
        labs.append(lab)
        for file in ("python", "python._pth"):  # the other looks elsewhere
            (lab.home / ".runner" / file).unlink()
        (lab.home / ".runner/python").symlink_to(find_open_interpreter())
        state = open_directory / "state"
        make_state(str(state))
        lab.state = state
        plan = HomePlan("lab")
        plan.mail_ops = ["ops@example.org"]
        plan.targets = [PlanTarget("here", ["*"], "nobody", "", str(state))]
        (lab.home / HOME_PLAN).write_bytes(encode_home_plan(plan))
        lab.job("job", "echo hello")
        for path in (state, *state.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
        return lab

    yield make
    for lab in labs:
        lab.tear_down()


def run_as_nobody(lab: Lab, *before: str) -> tuple[int, str]:
    """Run the job as nobody; return its exit code and the reason that is recorded."""
    become = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *before]
    subprocess.run([*become, lab.home / "wrappers/run-job", "job"], env=CALLER, cwd="/", capture_output=True)
    return lab.end("job")["exit_code"], lab.end("job")["reason"].partition(":")[0]


def give(lab: Lab, uid: int) -> None:
    """Let a home belong to a user."""
    for path in (lab.home, *lab.home.rglob("*")):
        os.chown(path, uid, uid, follow_symlinks=False)


@pytest.mark.parametrize("owner", [0, NOBODY])
def test_sec_01_what_belongs_to_root_or_to_the_job_user_is_run(shared: Callable[[str], Lab], owner: int) -> None:
    lab = shared("home")
    give(lab, owner)

    assert run_as_nobody(lab) == (0, "")


def test_sec_01_a_home_of_another_user_is_not_run(shared: Callable[[str], Lab]) -> None:
    lab = shared("home")
    give(lab, STRANGER)

    assert run_as_nobody(lab) == (126, f"{lab.home} belongs to uid {STRANGER}, neither root nor uid {NOBODY}")


def test_sec_01_a_release_may_be_its_deployers_and_nobody_elses(shared: Callable[[str], Lab]) -> None:
    lab = shared("releases/3f9c2ab")
    give(lab, STRANGER)
    os.chown(lab.home.parent, STRANGER, STRANGER)

    assert run_as_nobody(lab) == (0, "")
    os.chown(lab.home / "jobs/job", STRANGER + 1, 0)
    assert run_as_nobody(lab)[0] == 126


def test_sec_01_root_runs_no_release_of_another_user(shared: Callable[[str], Lab]) -> None:
    lab = shared("releases/3f9c2ab")
    give(lab, NOBODY)

    assert lab.run("job").code == 126


@pytest.mark.parametrize(("account", "code"), [("daemon", 0), ("", 126), ("no-such-account", 126)])
def test_sec_01_the_account_of_the_site_may_own_its_software(
    shared: Callable[[str], Lab], account: str, code: int
) -> None:
    """PROF-14: the trees of a profile belong to the account that its site declares."""
    lab = shared("home")
    tools = lab.home.parent / "tools"
    tools.mkdir()
    os.chown(tools, 1, 1)  # daemon's
    lab.job("job", "echo hello", changes=[Change("prepend", "PATH", str(tools))], owner=account)

    assert run_as_nobody(lab)[0] == code


def test_sec_01_in_a_user_namespace_an_unknown_owner_is_no_stranger(shared: Callable[[str], Lab]) -> None:
    """There root's files belong to the overflow uid as everybody else's do."""
    if subprocess.run(["setpriv", f"--reuid={NOBODY}", "--clear-groups", "unshare", "-r", "true"]).returncode:
        give_up("no user namespaces for a plain user (unshare -r)")
    lab = shared("home")
    plan = HomePlan("lab")
    plan.targets = [PlanTarget("here", ["*"], "root", "", str(lab.state))]
    (lab.home / HOME_PLAN).write_bytes(encode_home_plan(plan))

    assert run_as_nobody(lab, "unshare", "-r") == (0, "")
    (lab.home / "jobs").chmod(0o757)
    assert run_as_nobody(lab, "unshare", "-r")[0] == 126
