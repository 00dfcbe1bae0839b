"""A home for tests: the real wrapper, plans, machine files and state, and the questions that tests ask of them.

`Lab.run` calls ``wrappers/run-job`` as cron does; `Lab.assert_clean` is what FAULT-0 asks for after every case.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from missing import give_up

from runner.home.machine import write_machine_files
from runner.launch.incident import Health, parse_health
from runner.launch.lock import LockRecord, find_lock
from runner.launch.plan import HOME_PLAN, PLANS, HomePlan, Plan, Step
from runner.launch.plan_encode import encode_home_plan, encode_plan
from runner.launch.state import TEMPORARY, make_state

REPOSITORY = Path(__file__).parents[1]
CANARY = "s3cr3t-canary"
# What a person's shell or an agent may have exported; none of it may reach a job, a log or a mail.
CALLER = {
    "PATH": f"/usr/local/bin:/usr/bin:/bin:/{CANARY}",
    "CANARY": CANARY,
    "AWS_SECRET_ACCESS_KEY": CANARY,
    "SSH_AUTH_SOCK": f"/tmp/{CANARY}",
    "PYTHONPATH": f"/{CANARY}",
    "LD_LIBRARY_PATH": f"/{CANARY}",
}
SLOT = "2026-03-08T07:00:00Z"

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Result:
    """What one call of the wrapper gave: its exit code, stdout, and stderr, which cron would mail."""

    code: int
    out: bytes
    err: bytes

    @property
    def mail(self) -> str:
        return self.err.decode()

    @property
    def subject(self) -> str:
        return self.mail.partition("\n")[0]


class Lab:
    """One home below a temporary directory."""

    def __init__(self, home: Path, machine_files: Path) -> None:
        self.home = home
        self.state = home / "state"
        self.mails: list[str] = []
        self._started: list[subprocess.Popen[bytes]] = []
        for name in ("jobs", "envs", PLANS):
            (home / name).mkdir(parents=True)
        shutil.copytree(REPOSITORY / "wrappers", home / "wrappers")
        shutil.copytree(machine_files / ".runner", home / ".runner", symlinks=True)
        make_state(str(self.state))
        self.mail_via("cron")

    def mail_via(self, via: str, **keys: str) -> None:
        """Have mail sent so; a sweep has just been here. `keys` are further ones of ``mail:``."""
        plan = HomePlan("lab")
        plan.mail_via, plan.mail_ops = via, ["ops@example.org"]
        (self.home / HOME_PLAN).write_bytes(encode_home_plan(plan))
        rest = "".join([f", {key}: {value}" for key, value in keys.items()])
        settings = f"name: lab\nmail: {{via: {via}, ops: ops@example.org{rest}}}\n"
        (self.home / "envs" / "site.yaml").write_text(settings)
        (self.state / "sweep.alive").touch(0o600)

    # What there is to run.

    def script(self, name: str, body: str, *, interpreter: str = "/bin/sh", mode: int = 0o755) -> str:
        """Write a script into ``jobs/``; return the word that a registry would name it by."""
        path = self.home / "jobs" / name
        path.write_text(f"#!{interpreter}\n{body}\n")
        path.chmod(mode)
        return f"jobs/{name}"

    def plan(self, name: str, *, steps: Iterable[Step | list[str]], **fields: object) -> Plan:
        """Compile a plan; a step that is a mere list of words runs if the one before succeeded."""
        plan = Plan(name, name.partition("@")[0], "dsoc-prod")
        plan.steps = [step if isinstance(step, Step) else Step("success", step) for step in steps]
        for key, value in fields.items():
            owner = plan.activation if hasattr(plan.activation, key) and not hasattr(plan, key) else plan
            assert hasattr(owner, key), key
            setattr(owner, key, value)
        (self.home / PLANS / f"{name}.plan").write_bytes(encode_plan(plan))
        return plan

    def job(self, name: str, body: str, *, interpreter: str = "/bin/sh", **fields: object) -> Plan:
        """Write a script and the plan of a job that runs it."""
        return self.plan(name, steps=[[self.script(name, body, interpreter=interpreter)]], **fields)

    def step(self, condition: str, *words: str) -> Step:
        """Return a step that runs on a condition."""
        return Step(condition, list(words))

    # Running it.

    def start(self, *words: str | bytes, env: dict[str, str] | None = None, **options: Any) -> subprocess.Popen[bytes]:
        """Start ``run-job WORDS`` and do not wait; its stderr is what `finish` returns."""
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        command = [str(self.home / "wrappers" / "run-job"), *words]
        process = subprocess.Popen(command, env=CALLER if env is None else env, **options)
        self._started.append(process)
        return process

    def finish(self, process: subprocess.Popen[bytes], *, within_s: float = 60) -> Result:
        """Wait for a wrapper and return what it gave."""
        out, err = process.communicate(timeout=within_s)
        if err:
            self.mails.append(err.decode("utf-8", "replace"))
        return Result(process.returncode, out or b"", err or b"")

    def run(self, *words: str | bytes, within_s: float = 60, **options: Any) -> Result:
        """Call ``run-job WORDS`` and wait for its end."""
        return self.finish(self.start(*words, **options), within_s=within_s)

    def start_running(self, plan: str, *words: str) -> subprocess.Popen[bytes]:
        """Start a job that creates ``$RUNNER_WORK/ready``; return when it did, and the wrapper has noted its pid."""
        process = self.start(plan, *words)
        ready = self.work(plan) / "ready"
        self.wait_for(lambda: ready.exists() and self.events("attempt", plan), f"job {plan} to be ready")
        return process

    def sweep(self) -> Result:
        """Run the sweep as the block's own line does."""
        return self.run("--sweep")

    def age_litter(self) -> int:
        """Make what killed writers have left old enough for the next sweep to remove; return how much it is."""
        litter = list(self.state.rglob(f"*{TEMPORARY}"))
        for path in litter:
            os.utime(path, (0, 0), follow_symlinks=False)
        return len(litter)

    def wait_for(self, condition: Callable[[], object], what: str, *, within_s: float = 20) -> None:
        """Return as soon as `condition` holds; fail after a deadline."""
        until = time.monotonic() + within_s
        while not condition():
            assert time.monotonic() < until, f"waited {within_s} s for {what}"
            self.pause()

    def pause(self) -> None:
        """Let others work between two looks."""
        time.sleep(0.005)

    # What is known afterwards.

    def events(self, kind: str = "", plan: str = "") -> list[Event]:
        """Return the journal's events, oldest file first; one that was said twice counts once, as in the ledger."""
        # A record that a full disk tore does not count: it stands whole somewhere else (RUN-13, RUN-15).
        lines = [json.loads(line) for line in self.journal_text().split("\n") if line.endswith("}")]
        events = list({(event["run_id"], event["seq"]): event for event in reversed(lines)}.values())[::-1]
        by_run = {event["run_id"]: event["plan"] for event in events if "plan" in event}
        return [
            event
            for event in events
            if kind in ("", event["event"]) and plan in ("", by_run.get(event.get("run_id", ""), ""))
        ]

    def end(self, plan: str) -> Event:
        """Return the newest end event of a plan."""
        return self.events("end", plan)[-1]

    def outcomes(self, plan: str) -> list[str]:
        """Return how each run of a plan ended, skips included."""
        final = [event for event in self.events(plan=plan) if event["event"] in ("end", "skip")]
        return [event.get("outcome", "skipped") for event in final]

    def journal_text(self) -> str:
        """Return all of the journal."""
        return "".join([file.read_text() for file in sorted(self.state.glob("journal/????-??-??.jsonl"))])

    def health(self, plan: str) -> Health:
        return parse_health((self.state / "health" / plan).read_bytes())

    def lock(self, plan: str) -> LockRecord:
        record = find_lock(str(self.state / "locks" / plan))
        assert record
        return record

    def log(self, plan: str) -> bytes:
        return (self.state / "logs" / plan / "latest.log").read_bytes()

    def output(self, plan: str) -> bytes:
        """Return the job's own bytes of the newest log."""
        return b"".join([line for line in self.log(plan).splitlines(keepends=True) if not line.startswith(b"# ")])

    def work(self, plan: str) -> Path:
        return self.state / "work" / plan

    def is_lock_free(self, plan: str) -> bool:
        with open(self.state / "locks" / plan, "rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
        return True

    def processes(self, run_id: str = "") -> list[int]:
        """Return the living processes of this home's jobs, or of one run."""
        mark = f"RUNNER_RUN_ID={run_id}\0" if run_id else f"RUNNER_HOME={self.home}\0"
        return [pid for pid in _list_pids() if mark.encode() in _read_environment(pid)]

    def cpu_s(self, pid: int) -> float:
        """Return the CPU time that a process has used, user and system."""
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def peak_rss_bytes(self, pid: int) -> int:
        """Return the most memory that a process ever had, 0 if it is gone."""
        try:
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        except (FileNotFoundError, ProcessLookupError):
            return 0
        return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))

    def assert_clean(self, plan: str) -> None:
        """Assert what holds after every fault (FAULT-0); how many mails there were is each test's own affair."""
        runs = [event["run_id"] for event in self.events("start", plan)]
        slots = [event["slot"] for event in self.events("start", plan) if event["trigger"] in ("cron", "missed")]
        assert len(set(slots)) == len(slots), "more than one run of a slot"
        assert sorted(event["run_id"] for event in self.events("end", plan)) == sorted(runs)
        self.wait_for(lambda: not self.processes(), "the last process of the run to end", within_s=2)
        assert self.is_lock_free(plan)
        assert not self.lock(plan).run_id
        self.assert_no_litter()

    def assert_no_litter(self) -> None:
        """Assert that no temporary file stays in the state, and that nothing of the caller got anywhere."""
        files = [path for path in self.state.rglob("*") if not path.is_dir()]
        assert not [path for path in files if path.name.endswith((TEMPORARY, ".part"))]
        assert not [path for path in files if path.is_file() and CANARY.encode() in path.read_bytes()]
        assert not [mail for mail in self.mails if CANARY in mail]

    def tear_down(self) -> None:
        """End what the test's jobs and wrappers left behind, each by its pid."""
        for process in self._started:
            if process.poll() is None:
                process.kill()
        for pid in self.processes():
            kill(pid, signal.SIGKILL)
        for process in self._started:
            process.communicate()  # what it started may hold its stderr


def make_machine_files(home: Path) -> Path:
    """Write ``.runner`` into `home` and return it."""
    write_machine_files(home)
    return home


def need_program(name: str) -> None:
    """Skip the test where the machine lacks a program, fail it where ``RUNNER_TEST_STRICT=1``."""
    if not shutil.which(name):
        give_up(f"no program {name}")


def kill(pid: int, number: int) -> None:
    """Send a signal to a process of a test's own that may be gone."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def is_alive(pid: int) -> bool:
    """Whether a process runs, zombies not counted."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _list_pids() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal()]


def _read_environment(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes() if is_alive(pid) else b""
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return b""
