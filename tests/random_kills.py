"""Kill -9 at random moments, and hold what the ledger says against what really happened (RUN-15, RUN-16, RUN-17).

``python random_kills.py HOME SEED KILLS`` plays rounds in a home of its own until so many kills have met something
alive, and prints one JSON object: how many kills, runs and outcomes there were, and every untruth. Each round starts
one run of each plan and kills its wrapper, its job or both at a moment of chance, then sweeps that are killed
themselves. The jobs write their own evidence into ``evidence/<run id>``, which nobody but them touches.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab import Lab, is_alive, make_machine_files

from runner.database.connect import connect
from runner.launch.instant import format_slot
from runner.launch.journal import LOST_SEQ
from runner.launch.lock import find_lock
from runner.launch.state import DATABASE, SWEEP_ALIVE, TEMPORARY

_SAY = 'say() { echo "$*" >>"$RUNNER_HOME/evidence/$RUNNER_RUN_ID"; }\nsay started "$RUNNER_SLOT"\n'
_OUTPUT_BYTES = 300_000
# What each kind of job does, and what it ends with if nobody disturbs it: outcome, exit code.
_JOBS = {
    "quick": ("say finished 0", "ok", 0),
    "slow": ("sleep 0.2; say finished 0", "ok", 0),
    "child": ("(sleep 0.03; say child) & wait; say finished 0", "ok", 0),
    "output": (f"head -c {_OUTPUT_BYTES} /dev/zero | tr '\\0' x; say finished 0", "ok", 0),
    "failing": ("echo trouble >&2; say finished 3; exit 3", "failed", 3),
    "retries": ('code=$((RUNNER_ATTEMPT < 2)); say finished "$code"; exit "$code"', "ok", 0),
    "steps": ('sleep 0.01; say finished "$1"; exit "$1"', "failed", 5),
}
_COPIES = 2
_AT_ONCE = 4
_SLOTS_BEGIN = 1_790_000_040
_VICTIMS = ("wrapper", "wrapper", "both", "job", "nobody")


@dataclass(slots=True)
class Report:
    """What a game came to."""

    seed: int
    kills: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    litter: int = 0
    untruths: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Shot:
    """One call of the wrapper: for which plan and slot, who is killed, and after how long.

    ``is_hit`` is whether the wrapper died of it, ``is_job_hit`` whether its job may have.
    """

    plan: str
    slot: str
    victim: str
    delay_s: float
    process: subprocess.Popen[bytes] | None = None
    is_hit: bool = False
    is_job_hit: bool = False

    @property
    def code(self) -> int:
        assert self.process
        return self.process.returncode


class Game:
    """Rounds of kills in one home; the moments follow from the seed, what they meet does not."""

    def __init__(self, lab: Lab, seed: int) -> None:
        self.lab = lab
        self.report = Report(seed)
        self.shots: list[Shot] = []
        self._random = random.Random(seed)
        self._slot = _SLOTS_BEGIN
        (lab.home / "evidence").mkdir()
        self.plans = [f"{kind}-{number}" for kind in _JOBS for number in range(_COPIES)]
        self._lasts_s: dict[str, float] = {}
        for plan in self.plans:
            self._compile(plan)

    def play(self, kills: int) -> Report:
        """Play until so many kills have met something alive, then look whether all that is recorded is true."""
        for plan in self.plans:
            self._lasts_s[kind_of(plan)] = self._play_undisturbed(plan)
        while self.report.kills.total() < kills:
            self._play_round()
        self._sweep_until_quiet()
        self.report.untruths += self._find_untruths()
        return self.report

    def _compile(self, plan: str) -> None:
        kind = kind_of(plan)
        script = self.lab.script(plan, _SAY + _JOBS[kind][0])
        steps = [[script]]
        if kind == "steps":
            steps = [self.lab.step("success", script, "0"), self.lab.step("success", script, "5")]
            steps.append(self.lab.step("always", script, "0"))
        self.lab.plan(plan, steps=steps, retry_times=int(kind == "retries"), retry_delay_s=0.01)

    def _play_undisturbed(self, plan: str) -> float:
        """Run a plan once; return how many seconds that took."""
        shot = Shot(plan, format_slot(self._slot), "nobody", 0)
        begun = time.monotonic()
        shot.process = self.lab.start(plan, "--slot", shot.slot)
        self.lab.finish(shot.process)
        self.shots.append(shot)
        return time.monotonic() - begun

    def _play_round(self) -> None:
        self._slot += 60
        shots = [self._aim(plan) for plan in self._random.sample(self.plans, _AT_ONCE)]
        due: list[tuple[float, Shot]] = []
        for shot in shots:
            shot.process = self.lab.start(shot.plan, "--slot", shot.slot)
            due.append((time.monotonic() + shot.delay_s, shot))
            due = list(self._fire_due(due))
        while due:
            time.sleep(max(min(due)[0] - time.monotonic(), 0))
            due = list(self._fire_due(due))
        if self._random.random() < 0.7:
            self.lab.wait_for(lambda: not self.lab.processes(), "the jobs of killed wrappers to end")
        for _ in range(self._random.choice((0, 0, 1, 2))):
            self._kill_sweep()
        for shot in shots:
            self.lab.finish(shot.process)
            self.shots.append(shot)

    def _aim(self, plan: str) -> Shot:
        # Beside others a run takes up to twice as long as alone.
        delay_s = self._random.uniform(0, 2 * self._lasts_s[kind_of(plan)])
        return Shot(plan, format_slot(self._slot), self._random.choice(_VICTIMS), delay_s)

    def _fire_due(self, due: list[tuple[float, Shot]]) -> Iterator[tuple[float, Shot]]:
        """Kill whoever's time has come; yield the others."""
        for at, shot in due:
            if at > time.monotonic():
                yield at, shot
            elif shot.victim != "nobody":
                self._fire(shot)

    def _fire(self, shot: Shot) -> None:
        assert shot.process
        jobs = _list_children(shot.process.pid) if shot.victim in ("job", "both") else []
        if shot.victim in ("wrapper", "both") and shot.process.poll() is None:
            shot.process.kill()
            shot.is_hit = shot.process.wait() == -signal.SIGKILL
        for pid in jobs:
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
                shot.is_job_hit = True
        if shot.is_hit or shot.is_job_hit:
            self.report.kills[shot.victim] += 1

    def _kill_sweep(self) -> None:
        sweep = self.lab.start("--sweep")
        time.sleep(self._random.uniform(0, 0.6))
        sweep.kill()
        self.lab.finish(sweep)
        self.report.kills["sweep"] += sweep.returncode == -signal.SIGKILL

    def _sweep_until_quiet(self) -> None:
        """Sweep until every run has ended, and once more: the second has nothing to say."""
        self.lab.wait_for(lambda: not self.lab.processes(), "the last job to end")
        # An hour later: then what killed processes have left is removed.
        (self.lab.state / SWEEP_ALIVE).write_bytes(b"")
        self.report.litter += self.lab.age_litter()
        sweeps = [self.lab.sweep() for _ in range(3)]
        self.report.untruths += [f"a sweep exited {sweep.code}: {sweep.mail}" for sweep in sweeps if sweep.code]
        self.report.untruths += [f"a sweep of a quiet home spoke: {sweeps[2].mail}"] * bool(sweeps[2].err)

    # What is recorded, against what happened.

    def _find_untruths(self) -> Iterator[str]:
        runs = self._read_ledger()
        self.report.outcomes.update(str(run["outcome"]) for run in runs)
        by_shot = {(run["plan"], run["slot"], run["pid"]): run for run in runs if run["outcome"] != "skipped"}
        skipped = {(run["plan"], run["slot"]) for run in runs if run["outcome"] == "skipped"}
        ran = Counter((run["plan"], run["slot"]) for run in runs)
        yield from (f"{plan} {slot}: {count} records" for (plan, slot), count in ran.items() if count > 1)
        recorded = {run["run_id"] for run in runs}
        for evidence in self.lab.home.glob("evidence/*"):
            if evidence.name not in recorded:
                yield f"{evidence.name}: ran, and no record says so: {evidence.read_text()!r}"
        fates = {(shot.plan, shot.slot): shot for shot in self.shots}
        for shot in self.shots:
            run = by_shot.get((shot.plan, shot.slot, shot.process.pid if shot.process else 0))
            fault = self._judge(shot, run, is_skipped=(shot.plan, shot.slot) in skipped)
            if fault:
                yield f"{shot.plan} {shot.slot} {shot.victim} after {shot.delay_s:.4f} s: {fault}"
        yield from (f"nobody asked for {run['run_id']}" for run in runs if (run["plan"], run["slot"]) not in fates)
        yield from self._find_litter()

    def _read_ledger(self) -> list[dict[str, Any]]:
        columns = "run_id", "plan", "slot", "outcome", "reason", "exit_code", "signal", "attempts", "stdout_bytes"
        with connect(f"sqlite:///{self.lab.state / DATABASE}") as database:
            rows = database.read(f"SELECT {', '.join(columns)} FROM runs ORDER BY run_id")
            assert all(row[0] for row in rows)
        return [{**dict(zip(columns, row, strict=True)), "pid": int(row[0].rpartition("-")[2])} for row in rows]

    def _judge(self, shot: Shot, run: dict[str, Any] | None, *, is_skipped: bool) -> str:
        """Return what is wrong with the record of one call of the wrapper, empty if it is the truth."""
        if run is None:
            if is_skipped:
                return "" if shot.code in (0, -signal.SIGKILL) else f"was skipped, and exited {shot.code}"
            return "" if shot.is_hit else f"ended by itself with {shot.code} and has no record"
        said = self._read_evidence(run["run_id"])
        if said and said[0] != f"started {shot.slot}":
            return f"its job had another slot: {said[0]}"
        if shot.code >= 0 and shot.code != run["exit_code"]:
            return f"exited {shot.code}, its record says {run['exit_code']}"
        if run["outcome"] == "lost":
            return self._judge_lost(shot, run)
        if run["outcome"] not in ("ok", "failed"):
            return f"is {run['outcome']}: {run['reason']}"
        if run["signal"]:
            killed = run["signal"] == signal.SIGKILL and run["exit_code"] == 128 + signal.SIGKILL
            return "" if killed and shot.is_job_hit else f"its job died of {run['signal']}, and nobody killed it"
        return _judge_end(shot, run, said)

    def _judge_lost(self, shot: Shot, run: dict[str, Any]) -> str:
        ends = [event for event in self._events if event["run_id"] == run["run_id"] and event["event"] == "end"]
        if not shot.is_hit:
            return "is lost, and nobody killed its wrapper"
        if [event for event in ends if event["seq"] != LOST_SEQ]:
            return "is lost, and its end is on record"
        return "" if run["reason"] == "its wrapper was killed" else f"is lost: {run['reason']}"

    @property
    def _events(self) -> list[dict[str, Any]]:
        if not hasattr(self, "_kept_events"):
            self._kept_events = self.lab.events()
        return self._kept_events

    def _read_evidence(self, run_id: str) -> list[str]:
        path = self.lab.home / "evidence" / run_id
        return path.read_text().splitlines() if path.exists() else []

    def _find_litter(self) -> Iterator[str]:
        """Yield what a quiet home must not hold: processes, locks, temporary files, open runs, rejected lines."""
        state = self.lab.state
        yield from (f"process {pid} is left" for pid in self.lab.processes() if is_alive(pid))
        for path in sorted(state.glob("locks/*")):
            record = find_lock(str(path))
            if not self.lab.is_lock_free(path.name) or not record or record.run_id:
                yield f"lock {path.name} is not free"
        yield from (f"{path} is left" for path in state.rglob(f"*{TEMPORARY}"))
        yield from (f"{path} holds {path.read_text()}" for path in state.glob("journal/rejected.jsonl"))
        starts, ends = (
            {event["run_id"] for event in self._events if event["event"] == kind} for kind in ("start", "end")
        )
        yield from (f"{run_id} began and has no end" for run_id in starts - ends)


def kind_of(plan: str) -> str:
    """Return the kind of job of a plan."""
    return plan.partition("-")[0]


def play_in(home: Path, seed: int, kills: int) -> Report:
    """Play in a new home."""
    machine = home.with_name(f"{home.name}-machine")
    machine.mkdir()
    lab = Lab(home, make_machine_files(machine))
    try:
        return Game(lab, seed).play(kills)
    finally:
        lab.tear_down()


def _judge_end(shot: Shot, run: dict[str, Any], said: list[str]) -> str:
    """Return what is wrong with the record of a run whose job came to its own end."""
    kind = kind_of(shot.plan)
    begun, codes = _read_steps(said)
    _, outcome, code = _JOBS[kind]
    if kind == "steps":
        # A step that was killed after the one that failed changes nothing.
        if codes != [0, 5, 0] and not shot.is_job_hit:
            return f"the steps ended with {codes}"
    elif begun != run["attempts"]:
        return f"{begun} starts, {run['attempts']} attempts on record"
    if (run["outcome"], run["exit_code"]) != (outcome, code) or code not in codes[-2:]:
        return f"is {run['outcome']}, exit {run['exit_code']}; its job said {codes}"
    if kind == "output" and run["stdout_bytes"] != _OUTPUT_BYTES:
        return f"{run['stdout_bytes']} bytes of output on record"
    return ""


def _read_steps(said: list[str]) -> tuple[int, list[int]]:
    """Return how many processes began, and the codes that those that ended were about to exit with."""
    codes = [int(line.split()[1]) for line in said if line.startswith("finished ")]
    return len([line for line in said if line.startswith("started ")]), codes


def _list_children(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


if __name__ == "__main__":
    report = play_in(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
    print(json.dumps({name: getattr(report, name) for name in Report.__slots__}))
