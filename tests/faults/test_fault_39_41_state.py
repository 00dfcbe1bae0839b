"""A state directory that is full, gone or in somebody's way: jobs run, somebody is told, nothing else breaks."""

import shutil
import subprocess
from pathlib import Path

import pytest
from lab import CALLER, SLOT, Lab
from missing import need_namespaces

# In a mount namespace the state is a file system of its own, small and soon full; what is left of it is kept.
_SMALL_DISK = """
mount -t tmpfs -o size=2m,mode=700 tmpfs "$1/state" || exit
run() { "$1/wrappers/run-job" job --slot "2026-03-08T0$2:00:00Z"; echo "code $?"; }
{ %s
}
cp -r "$1/state" "$1/kept"
"""
_FILL = 'cat /dev/zero >"$1/state/fill" 2>/dev/null'
# The last page of a file takes some more records even on a full disk; not those of so many runs.
_RUNS = "; ".join([f'run "$1" {hour}' for hour in range(2, 8)])


def _run_on_small_disk(lab: Lab, script: str) -> tuple[list[str], str]:
    """Run a script whose home has a state of 2 MiB; return the lines of its stdout, and what cron would mail."""
    need_namespaces()
    words = ["unshare", "-rm", "sh", "-c", _SMALL_DISK % script, "sh", lab.home]
    result = subprocess.run(words, env=CALLER, capture_output=True, text=True)
    lab.mails.append(result.stderr)
    lab.state = lab.home / "kept"
    return result.stdout.splitlines(), result.stderr


def test_fault_39_on_a_full_disk_the_job_runs_and_no_record_is_lost(lab: Lab) -> None:
    """RUN-15: start and end wait in the reserve until there is room in the journal."""
    lab.job("job", f"echo $RUNNER_SLOT >>{lab.home}/done; echo some output; exit 5")
    full = f'run "$1" 1; "$1/wrappers/run-job" --sweep\n{_FILL}\n{_RUNS}; rm "$1/state/fill"'

    codes, mail = _run_on_small_disk(lab, f'{full}; "$1/wrappers/run-job" --sweep; run "$1" 8')

    slots = [f"2026-03-08T0{hour}:00:00Z" for hour in range(1, 9)]
    assert codes == ["code 5"] * 8
    assert (lab.home / "done").read_text().split() == slots
    assert "runner: job: journal: No space left on device; the records of this run wait in the reserve\n" in mail
    assert "Traceback" not in mail
    assert sorted(event["slot"] for event in lab.events("start", "job")) == slots
    assert [event["outcome"] for event in lab.events("end", "job")] == ["failed"] * 8
    assert not (lab.state / "journal/reserve").read_bytes().strip(b"\0")
    lab.assert_clean("job")


def test_fault_39_without_a_reserve_the_record_is_at_least_said(lab: Lab) -> None:
    lab.job("job", "exit 5")

    codes, mail = _run_on_small_disk(lab, f'run "$1" 1; {_FILL}\n{_RUNS}; rm "$1/state/fill"; run "$1" 8')

    assert codes == ["code 5"] * 8
    assert 'journal: No space left on device; this record is not kept: \n{"event": "' in mail
    assert "Traceback" not in mail


def test_fault_39_on_a_full_disk_a_run_waits_and_replaces_as_ever(lab: Lab) -> None:
    hold = f'echo $RUNNER_SLOT >>{lab.home}/done; while [ ! -e "{lab.home}/go" ]; do sleep 0.02; done'
    lab.job("job", hold, overlap="wait")
    wait = 'while [ ! -e "$1/done" ]; do sleep 0.02; done'
    script = f"""run "$1" 1 & {wait}
    {_FILL}
    run "$1" 2 & sleep 1; touch "$1/go"; wait; rm "$1/state/fill"; "$1/wrappers/run-job" --sweep"""

    codes, mail = _run_on_small_disk(lab, f'"$1/wrappers/run-job" --sweep; {script}')

    assert (codes, "Traceback" in mail) == (["code 0"] * 2, False)
    assert (lab.home / "done").read_text().split() == ["2026-03-08T01:00:00Z", "2026-03-08T02:00:00Z"]
    assert [event["outcome"] for event in lab.events("end", "job")] == ["ok", "ok"]
    lab.assert_clean("job")


def test_fault_39_the_sweep_goes_on_on_a_full_disk_and_says_so(lab: Lab) -> None:
    lab.job("job", "exit 5")
    sweep = '"$1/wrappers/run-job" --sweep; echo "code $?"'

    codes, mail = _run_on_small_disk(lab, f'{sweep}\n{_FILL}\n{_RUNS}; {sweep}; rm "$1/state/fill"; {sweep}')

    assert (codes[0], codes[-1], "Traceback" in mail) == ("code 0", "code 0", False)
    assert "runner sweep: reserve: " in mail
    assert [event["outcome"] for event in lab.events("end", "job")] == ["failed"] * 6
    lab.assert_clean("job")


def test_fault_40_a_disk_that_fills_up_in_mid_run_costs_the_log_and_not_the_job(lab: Lab) -> None:
    lines = "yes a line of output | head -c 300000"
    body = f"{lines}; {_FILL.replace('$1', str(lab.home))}; {lines}; rm {lab.home}/state/fill; echo after; exit 7"
    lab.job("job", body)

    codes, mail = _run_on_small_disk(lab, 'run "$1" 6')

    end = lab.end("job")
    note = f"bytes of the log were lost: {lab.home}/state/logs/job/{end['run_id']}.log: No space left on device"
    assert codes == ["code 7"]
    assert (end["outcome"], end["stdout_bytes"]) == ("failed", 2 * 300_000 + len("after\n"))
    assert note in mail
    assert lab.output("job").endswith(b"after\n")
    assert [line.startswith(b"# ") for line in lab.log("job").splitlines()[-2:]] == [True, True]
    assert note.encode() in lab.log("job").splitlines()[-2]
    lab.assert_clean("job")


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
