"""A state directory that is full, gone or in somebody's way: jobs run, somebody is told, nothing else breaks."""

import shutil
import subprocess
from pathlib import Path

import pytest
from lab import CALLER, SLOT, Lab
from missing import give_up

# In a mount namespace: a state of 64 KiB, one run to furnish it, then not a byte of room for the next.
_FULL_DISK = """
mount -t tmpfs -o size=96k tmpfs "$1/state" || exit
"$1/wrappers/run-job" job --slot 2026-03-08T06:00:00Z
head -c 1M /dev/zero >"$1/state/fill" 2>/dev/null
"$1/wrappers/run-job" job --slot 2026-03-08T07:00:00Z
echo "code $?"
rm "$1/state/fill"
"$1/wrappers/run-job" job --slot 2026-03-08T08:00:00Z
echo "code $?"
"""


def test_fault_39_on_a_full_disk_the_job_runs_and_somebody_is_told(lab: Lab) -> None:
    if subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode:
        give_up("no user and mount namespaces (unshare -rm)")
    done = lab.home / "done"
    lab.job("job", f"echo $RUNNER_SLOT >>{done}; echo some output; exit 5")

    result = subprocess.run(
        ["unshare", "-rm", "sh", "-c", _FULL_DISK, "sh", lab.home], env=CALLER, capture_output=True, text=True
    )

    assert result.stdout.split("\n") == ["code 5", "code 5", ""]
    assert "No space left on device" in result.stderr
    assert "Traceback" not in result.stderr
    assert done.read_text().split() == [f"2026-03-08T0{hour}:00:00Z" for hour in (6, 7, 8)]


@pytest.mark.parametrize("name", ["journal", "locks", "logs", "health", "work", "pauses"])
def test_fault_41_a_part_of_the_state_that_is_gone_is_made_anew(lab: Lab, name: str) -> None:
    lab.job("job", "echo hello")
    shutil.rmtree(lab.state / name)

    result = lab.run("job", "--slot", SLOT)

    assert (result.code, result.err) == (0, b"")
    assert lab.outcomes("job") == ["ok"]
    assert lab.output("job") == b"hello\n"
    lab.assert_clean("job")


@pytest.mark.parametrize("name", ["journal", "logs", "health"])
def test_fault_41_what_cannot_be_written_keeps_no_job_from_running(lab: Lab, name: str) -> None:
    lab.job("job", "touch $RUNNER_WORK/ran; exit 5")
    shutil.rmtree(lab.state / name)
    (lab.state / name).write_text("in the way")

    result = lab.run("job", "--slot", SLOT)

    assert result.code == 5
    assert (lab.work("job") / "ran").exists()
    assert "Not a directory" in result.mail
    assert "FAILED job [dsoc-prod] exit 5\n" in result.mail
    assert "Traceback" not in result.mail


@pytest.mark.parametrize("name", ["locks", "work"])
def test_fault_41_without_a_lock_or_a_place_to_work_nothing_runs(lab: Lab, name: str) -> None:
    """RUN-12: never an unlocked run."""
    lab.job("job", f"touch {lab.home}/ran")
    shutil.rmtree(lab.state / name)
    (lab.state / name).write_text("in the way")

    result = lab.run("job", "--slot", SLOT)

    assert (result.code, lab.end("job")["outcome"]) == (126, "cannot_start")
    assert "Not a directory" in lab.end("job")["reason"]
    assert not (lab.home / "ran").exists()


def test_fault_41_a_log_that_is_removed_in_mid_run_disturbs_nothing(lab: Lab) -> None:
    lab.job("job", 'touch "$RUNNER_WORK/ready"; while [ ! -e "$RUNNER_WORK/go" ]; do sleep 0.02; done; echo more')
    wrapper = lab.start_running("job", "--slot", SLOT)

    shutil.rmtree(lab.state / "logs")
    (lab.work("job") / "go").touch()

    assert lab.finish(wrapper).code == 0
    assert lab.end("job")["stdout_bytes"] == 5


@pytest.mark.parametrize("plant", [Path.symlink_to, Path.hardlink_to], ids=["symbolic", "hard"])
@pytest.mark.parametrize("name", ["locks", "health"])
def test_sec_06_a_planted_link_is_not_written_through(lab: Lab, name: str, plant: object) -> None:
    target = lab.home / "precious"
    target.write_text("precious")
    plant(lab.state / name / "job", target)  # type: ignore[operator]
    lab.job("job", "exit 5")

    result = lab.run("job", "--slot", SLOT)

    assert target.read_text() == "precious"
    assert result.code == (126 if name == "locks" else 5)
    assert lab.outcomes("job") == ["cannot_start" if name == "locks" else "failed"]
