"""What is damaged, stale or down: each command says so, and answers all the same where it can."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator

import pytest
from homes import SITE, Home
from lab import CALLER

from runner.launch.plan import PLANS

STEPS = "jobs:\n  job: {run: [jobs/hello.sh, jobs/hello.sh], profile: local}\n"
TWO_PROFILES = "jobs:\n  job: {run: jobs/hello.sh, profile: [local, prod]}\n"


def run_job(home: Home, *words: str) -> subprocess.CompletedProcess[str]:
    command = [str(home.path / "wrappers" / "run-job"), *words]
    return subprocess.run(command, env=CALLER, capture_output=True, text=True, check=False)


@pytest.fixture
def used(home: Home) -> Home:
    """A home with one run, which is in its journal only."""
    home.compile()
    assert run_job(home, "nightly", "--hand").returncode == 0
    return home


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port on which nobody listens, kept from everybody else."""
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        yield unheard.getsockname()[1]


# What was compiled is not what is written


def test_a_job_that_was_never_compiled_is_not_run(home: Home) -> None:
    answer = home.runner("run", "nightly")
    assert (answer.code, answer.err) == (
        2,
        f'crontab.d/home.plan and {PLANS}/nightly.plan: missing or stale; run "runner compile"\n',
    )


@pytest.mark.parametrize(
    ("file", "old", "new", "stale"),
    [
        ("jobs/all.yaml", b"30 2", b"31 2", f"{PLANS}/nightly.plan"),
        ("envs/local.yaml", b"description: nothing to activate", b"env: {A: b}", f"{PLANS}/nightly.plan"),
        ("envs/site.yaml", b"ops@", b"you@", "crontab.d/home.plan"),
        (f"{PLANS}/nightly.plan", b"step ", b"STEP ", f"{PLANS}/nightly.plan"),
    ],
)
def test_a_job_that_changed_since_it_was_compiled_is_not_run(
    used: Home, file: str, old: bytes, new: bytes, stale: str
) -> None:
    used.write(file, used.read(file).replace(old, new))
    answer = used.runner("run", "nightly")
    assert (answer.code, answer.err) == (2, f'{stale}: missing or stale; run "runner compile"\n')
    assert len(used.runner("history", "--json").objects) == 1


def test_arguments_are_for_a_single_command_only(home: Home) -> None:
    home.write("jobs/all.yaml", STEPS)
    home.compile()
    answer = home.runner("run", "job", "--", "x")
    assert (answer.code, answer.err) == (2, "job has 2 steps: arguments go to a single command only\n")


@pytest.mark.parametrize("command", ["run", "next"])
def test_one_of_several_profiles_must_be_chosen(home: Home, command: str) -> None:
    home.write("envs/prod.yaml", "")
    home.write("jobs/all.yaml", TWO_PROFILES)
    home.compile()
    answer = home.runner(command, "job")
    assert (answer.code, answer.err) == (2, "job runs in several profiles; choose one with -P: local, prod\n")


def test_a_plan_that_was_edited_is_not_run(used: Home) -> None:
    """RUN-3."""
    used.write(f"{PLANS}/nightly.plan", used.read(f"{PLANS}/nightly.plan").replace(b"hello.sh", b"other.sh"))
    done = run_job(used, "nightly")
    assert done.returncode == 127
    assert done.stderr.startswith("CANNOT_START nightly [-] no usable plan for nightly in home: it was changed after")
    assert used.runner("history", "--json").objects[0]["outcome"] == "cannot_start"
    assert used.runner("compile", "--check").out == f"{PLANS}/nightly.plan is stale\n"


# Damaged records


@pytest.mark.parametrize("record", ["health/nightly", "locks/nightly", "sweep.alive", "installed", "journal/drained"])
@pytest.mark.parametrize("damage", [b"", b"nonsense\n", b"\xff\xfe\x00\n.\n", b"run x\nstart {\njob 1\n.\n"])
def test_a_damaged_record_stops_nothing(used: Home, record: str, damage: bytes) -> None:
    used.write(f"state/{record}", damage)
    assert used.runner("status").code == 0
    assert used.runner("sweep").code == 0
    assert used.runner("compile").code == 0
    assert run_job(used, "nightly", "--hand").returncode == 0
    assert len(used.runner("history", "nightly", "--json").objects) == 2


def test_a_damaged_pause_is_a_pause(used: Home) -> None:
    """RUN-7."""
    used.write("state/pauses/nightly", "nonsense")
    assert run_job(used, "nightly", "--hand").returncode == 75
    status = {row["plan"]: row for row in used.runner("status", "--json").objects}
    assert "pause file that names no author" in status["nightly"]["paused"]


@pytest.mark.parametrize("command", ["status", "history", "sweep"])
def test_a_damaged_line_of_the_journal_is_set_aside_and_reported_once(used: Home, command: str) -> None:
    """RUN-16."""
    (journal,) = (used.state / "journal").glob("20*.jsonl")
    journal.write_bytes(b'{"event": "sta\n' + journal.read_bytes())
    first = used.runner(command)
    assert "1 damaged line set aside in journal/rejected.jsonl" in first.err
    assert first.code == 0
    assert used.runner(command).err == ""
    assert len(used.runner("history", "--json").objects) == 1
    assert (used.state / "journal" / "rejected.jsonl").read_text().count('"event"') == 0


# The ledger is down


@pytest.mark.parametrize("kind", ["closed port", "no directory"])
def test_while_the_ledger_is_down_the_journal_answers(used: Home, closed_port: int, kind: str) -> None:
    """DESIGN section 7."""
    urls = {
        "closed port": f"postgresql://u:hidden@127.0.0.1:{closed_port}/x",
        "no directory": f"sqlite:///{used.path}/nowhere/runner.db",
    }
    used.write("envs/site.yaml", f'{SITE}database: "{urls[kind]}"\n')
    status, history, sweep = (used.runner(command, "--json") for command in ("status", "history", "sweep"))
    assert (status.code, history.code, sweep.code) == (0, 0, 75)
    assert [row["outcome"] for row in status.objects] == [None, "ok"]
    assert [run["job"] for run in history.objects] == ["nightly"]
    for answer in (status, history):
        assert "answered from the journal" in answer.err
        assert len(answer.err.splitlines()) == 1
    assert "runner sweep: drain: ledger " in sweep.err
    assert "hidden" not in status.err + history.err + sweep.err
    assert run_job(used, "nightly", "--hand").returncode == 0


def test_once_the_ledger_is_back_nothing_is_missing(used: Home, closed_port: int) -> None:
    used.write("envs/site.yaml", f'{SITE}database: "postgresql://u@127.0.0.1:{closed_port}/x"\n')
    assert used.runner("sweep").code == 75
    used.write("envs/site.yaml", SITE)
    answer = used.runner("history", "--json")
    assert (len(answer.objects), answer.err) == (1, "")


def test_a_database_that_is_none_is_the_users_mistake(used: Home) -> None:
    used.write("envs/site.yaml", f"{SITE}database: oracle://x\n")
    for command in ("status", "history", "logs"):
        answer = used.runner(command)
        assert answer.code == 2
        assert answer.err.startswith('envs/site.yaml:3:11: "oracle://x" is not a database that we know; ')
