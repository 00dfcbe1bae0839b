"""What the metrics say, from files alone: each metric is declared once, with what it means and its labels."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from runner.alerts.waiting import count_dead, read_waiting
from runner.errors import DONE
from runner.launch.gates import find_pause, is_plan_name
from runner.launch.incident import read_health
from runner.launch.instant import parse_instant
from runner.launch.lock import BESIDE, WAITING, is_held
from runner.launch.plan import PLANS
from runner.launch.process import read_boot_id
from runner.launch.state import HEALTH, OUTBOX
from runner.ledger.files import list_files, read_drained
from runner.ledger.locks import read_locks
from runner.sweep.chores import Round
from runner.sweep.counts import count_runs
from runner.sweep.open_runs import find_open_runs


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric and its samples: the values of its labels, and the number. Each has the label ``home``, too."""

    name: str
    about: str
    labels: tuple[str, ...] = ()
    samples: list[tuple[tuple[str, ...], float]] = field(default_factory=list)

    def add(self, value: float, *labels: str) -> None:
        """Add one sample."""
        self.samples.append((labels, value))


def measure(round_: Round) -> list[Metric]:
    """Return all metrics of a home as this sweep finds them."""
    plans, state = _list_plans(round_.place.home), round_.place.state
    families = (
        _of_sweep(round_),
        _of_queues(state),
        _of_health(state, plans),
        _of_runs(state, plans),
        _of_now(round_, plans),
    )
    return [metric for family in families for metric in family]


def _of_sweep(round_: Round) -> Iterator[Metric]:
    at = Metric("runner_sweep_timestamp_seconds", "When the last sweep began, in Unix time.")
    at.add(round_.now)
    took = Metric("runner_sweep_duration_seconds", "How long it took until it wrote this.")
    took.add(max(time.time() - round_.now, 0.0))
    failed = Metric("runner_sweep_chore_failed", "Whether a chore of the last sweep failed: 1 or 0.", ("chore",))
    for result in round_.results:
        failed.add(result.code != DONE, result.chore)
    yield from (at, took, failed)


def _of_queues(state: str) -> Iterator[Metric]:
    _, drained_bytes = read_drained(state)
    waiting_bytes = [max(file.size_bytes - drained_bytes.get(file.name, 0), 0) for file in list_files(state)]
    backlog = Metric("runner_journal_backlog_bytes", "Records in the journal that the database has not got yet.")
    backlog.add(sum(waiting_bytes))
    open_runs = Metric("runner_open_runs", "Runs that have begun and have no end on record.")
    open_runs.add(len(find_open_runs(state, read_boot_id())))
    mails_at = [entry.at for entry in read_waiting(state)[0]]
    undelivered = Metric("runner_undelivered_mails", "Alerts that wait in the outbox.")
    undelivered.add(len(mails_at))
    oldest = Metric("runner_undelivered_mail_oldest_timestamp_seconds", "When the oldest of them was written.")
    if mails_at:
        oldest.add(min(mails_at))
    dead = Metric("runner_dead_mails", "Alerts that somebody will never get, in outbox/dead.")
    dead.add(count_dead(state))
    waiting = Metric("runner_undelivered_pings", "Pings of jobs that wait in the outbox.")
    waiting.add(len(list(Path(state, OUTBOX).glob("*.ping-*"))))
    yield from (backlog, open_runs, undelivered, oldest, dead, waiting)


def _of_health(state: str, plans: list[str]) -> Iterator[Metric]:
    is_open = Metric("runner_incident_open", "Whether a plan is in trouble: 1 or 0.", ("plan",))
    bad_runs = Metric("runner_incident_bad_runs", "Bad runs since its trouble began.", ("plan",))
    ok_at = Metric("runner_last_success_timestamp_seconds", "When a run last ended ok, in Unix time.", ("plan",))
    bad_at = Metric("runner_last_failure_timestamp_seconds", "When a run last ended badly, in Unix time.", ("plan",))
    for plan in plans:
        health = read_health(f"{state}/{HEALTH}/{plan}")
        is_open.add(bool(health.incident), plan)
        bad_runs.add(health.bad_runs if health.incident else 0, plan)
        for metric, at in ((ok_at, health.ok_at), (bad_at, health.bad_at)):
            if at:
                metric.add(at, plan)
    yield from (is_open, bad_runs, ok_at, bad_at)


def _of_runs(state: str, plans: list[str]) -> Iterator[Metric]:
    counts, known = count_runs(state), set(plans)
    total = Metric("runner_runs_total", "Runs that have ended, and slots that were skipped.", ("plan", "outcome"))
    for (plan, outcome), number in counts.runs.items():
        if plan in known:
            total.add(number, plan, outcome)
    outcome_is = Metric("runner_last_run_outcome", "How the last run ended: 1 for this outcome.", ("plan", "outcome"))
    ended_at = Metric("runner_last_run_timestamp_seconds", "When the last run ended, in Unix time.", ("plan",))
    took = Metric("runner_last_run_duration_seconds", "How long the last run took.", ("plan",))
    for plan, last in counts.last.items():
        if plan in known:
            outcome_is.add(1, plan, last.outcome)
            ended_at.add(last.ended_at, plan)
            if last.duration_s is not None:
                took.add(last.duration_s, plan)
    yield from (total, outcome_is, ended_at, took)


def _of_now(round_: Round, plans: list[str]) -> Iterator[Metric]:
    paused = Metric("runner_paused", "Whether the job of a plan is paused: 1 or 0.", ("plan",))
    for plan in plans:
        paused.add(bool(find_pause(round_.place.state, plan.partition("@")[0], round_.now)), plan)
    running = Metric("runner_running_since_timestamp_seconds", "When the run that goes on began.", ("plan",))
    for plan, since in _find_running(round_.place.state).items():
        running.add(since, plan)
    yield from (paused, running)


def _find_running(state: str) -> dict[str, float]:
    """Return the plans of which a run goes on, and since when; of several runs the oldest, who waits not counted."""
    boot_id = read_boot_id()
    found: dict[str, float] = {}
    for lock in read_locks(state):
        if is_held(lock.record, boot_id) and not lock.name.endswith(f"{BESIDE}{WAITING}"):
            with suppress(ValueError):
                since = parse_instant(lock.record.since)
                found[lock.plan] = min(since, found.get(lock.plan, since))
    return found


def _list_plans(home: str) -> list[str]:
    return sorted(filter(is_plan_name, [path.stem for path in Path(home, PLANS).glob("*.plan")]))
