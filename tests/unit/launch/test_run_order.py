"""RUN-2: the order of one run, seen at the edge of the real process; RUN-45: what it loads for that."""

import ast
import re
import subprocess
from pathlib import Path

import pytest
from lab import CALLER, SLOT, Lab

_OBSERVER = Path(__file__).with_name("observer.py")
# The first two rows of the specification's table of import costs, and what those import.
_AFFORDABLE = {
    "posix", "select", "pwd", "marshal", "syslog", "_posixsubprocess", "struct", "_struct", "_signal", "_sha256",
    "fcntl", "resource", "_socket", "time", "errno", "_ctypes", "os", "_json", "gc",
}  # fmt: skip

Call = tuple[str, str]


def _observe(lab: Lab, *words: str) -> tuple[list[Call], list[str]]:
    """Run a plan under the observer; return what it did, file by file below the home, and the modules it has loaded."""
    answer = lab.home / "answer"
    python, main = lab.home / ".runner/python", lab.home / ".runner/main.py"
    subprocess.run([python, "-IS", "-X", "utf8", _OBSERVER, answer, main, *words], env=CALLER, capture_output=True)
    calls, modules = ast.literal_eval(answer.read_text())
    return [(call, _shorten(lab, file)) for call, file in calls], modules


def _shorten(lab: Lab, file: str) -> str:
    name = file.removeprefix(f"{lab.home}/").removeprefix("state/")
    name = re.sub(r"logs/job/\d.*\.log", "log", name)
    name = re.sub(r"outbox/.*", "outbox", name)
    return re.sub(r"journal/.*\.jsonl", "journal", "stderr" if file.startswith("pipe:") else name)


def _order(calls: list[Call], *milestones: Call) -> list[Call]:
    """Return the milestones in the order of the first call of each after the one before, as far as they came."""
    found, rest = [], iter(calls)
    for milestone in milestones:
        if any(call == milestone for call in rest):
            found.append(milestone)
    return found


_BEFORE_THE_JOB = [
    ("open", "crontab.d/home.plan"),
    ("open", "crontab.d/plans/job.plan"),
    ("open", "pauses/job"),
    ("open", "locks/job"),
    ("flock", "locks/job"),
    ("pwrite", "locks/job"),
    ("write", "journal"),
    ("fdatasync", "journal"),
    ("open", "log"),
    ("write", "log"),
    ("posix_spawn", ""),
    ("pwrite", "locks/job"),
    ("poll", ""),
    ("wait4", ""),
    ("write", "log"),
    ("open", "health/job"),
    ("flock", "health/job"),
    ("pwrite", "health/job"),
]
_AFTER_THE_JOB = [
    ("write", "journal"),
    ("fdatasync", "journal"),
    ("pwrite", "locks/job"),
    ("flock", "locks/job"),
    ("_exit", ""),
]


def test_a_good_run_keeps_the_order(lab: Lab) -> None:
    lab.job("job", "echo hello")

    calls, _ = _observe(lab, "job", "--slot", SLOT)

    milestones = [*_BEFORE_THE_JOB, *_AFTER_THE_JOB]
    assert _order(calls, *milestones) == milestones
    assert lab.outcomes("job") == ["ok"]


@pytest.mark.parametrize(("via", "alert"), [("cron", ("write", "stderr")), ("sendmail", ("open", "outbox"))])
def test_a_bad_run_speaks_before_its_health_says_so_and_its_end_is_on_record(lab: Lab, via: str, alert: Call) -> None:
    """Who is killed in between speaks twice rather than never."""
    lab.mail_via(via)
    lab.job("job", "exit 3")

    calls, _ = _observe(lab, "job", "--slot", SLOT)

    milestones = [*_BEFORE_THE_JOB[:-1], alert, _BEFORE_THE_JOB[-1], *_AFTER_THE_JOB]
    assert _order(calls, *milestones) == milestones


def test_only_the_start_and_the_end_are_waited_for(lab: Lab) -> None:
    """RUN-15: nothing is synced that need not be."""
    lab.job("job", "echo hello")

    calls, _ = _observe(lab, "job", "--slot", SLOT)

    assert [file for call, file in calls if call == "fdatasync"] == ["journal", "journal"]


def test_a_duplicate_slot_is_seen_after_the_lock_is_tried_and_leaves_nothing(lab: Lab) -> None:
    lab.job("job", "true")
    lab.run("job", "--slot", SLOT)

    calls, _ = _observe(lab, "job", "--slot", SLOT)

    assert calls[-1] == ("_exit", "")
    assert [call for call in calls if call[0] in ("write", "pwrite", "posix_spawn")] == []
    assert ("flock", "locks/job") in calls


def test_a_paused_plan_does_not_touch_its_lock(lab: Lab) -> None:
    lab.job("job", "true")
    (lab.state / "pauses" / "job").write_text("author ana\nsince today\n")

    calls, _ = _observe(lab, "job", "--slot", SLOT)

    assert ("write", "journal") in calls
    assert [call for call in calls if call[1].startswith("locks")] == []


def test_no_file_is_opened_for_a_name_that_is_no_plan(lab: Lab) -> None:
    """RUN-3."""
    calls, _ = _observe(lab, "../etc/passwd")

    assert [file for call, file in calls if call == "open"] == [".runner/launch.code", "/dev/null"]


def test_a_good_run_loads_only_what_its_budget_affords(lab: Lab) -> None:
    """RUN-45."""
    lab.job("job", "echo hello")
    bare = [lab.home / ".runner/python", "-IS", "-X", "utf8", "-c", "import sys; print(*sys.modules)"]
    known = set(subprocess.run(bare, capture_output=True, text=True, check=True).stdout.split())

    _, modules = _observe(lab, "job", "--slot", SLOT)

    ours = {module for module in modules if module == "runner" or module.startswith("runner.launch")}
    assert set(modules) - known - ours <= _AFFORDABLE
    assert "runner.launch.report" not in ours


@pytest.mark.parametrize("module", ["json", "re", "typing", "pathlib", "subprocess", "datetime", "traceback"])
def test_even_a_bad_run_does_without_what_is_dear(lab: Lab, module: str) -> None:
    lab.job("job", "echo caf\\351 >&2; exit 3")

    _, modules = _observe(lab, "job", "--slot", SLOT)

    assert module not in modules


def test_a_run_that_a_watch_is_to_hear_of_opens_no_socket(lab: Lab) -> None:
    lab.job("job", "exit 3", ping="https://watch.example.org/job")

    _, modules = _observe(lab, "job", "--slot", SLOT)

    assert len(list((lab.state / "outbox").glob("*.ping-*"))) == 2
    assert {"socket", "http", "ssl", "uuid", "urllib"}.isdisjoint(modules)
