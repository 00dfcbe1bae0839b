"""No job is late, stuck in its trouble or flapping; one that failed just now was mailed, and is no finding."""

from __future__ import annotations

from collections.abc import Iterator

from runner.diagnose.check import WARNING, Finding
from runner.diagnose.context import Context
from runner.diagnose.words import show_span
from runner.launch.incident import Health, read_health
from runner.launch.instant import format_slot
from runner.launch.state import HEALTH
from runner.plans.write import read_compiled_plans

ID = "DIAG021"
LEVEL = WARNING
TITLE = "no job is late, stuck or flapping"

_STUCK_S = 86400.0


def find(context: Context) -> Iterator[Finding]:
    """Yield the plans in trouble that needs more than the next run; the job that diagnoses does not find itself."""
    for plan in read_compiled_plans(context.home):
        if plan.job == context.own_job or not plan.enabled:
            continue
        health = read_health(f"{context.state}/{HEALTH}/{plan.name}")
        if words := describe_trouble(health, context.now):
            last = f"last ok {format_slot(int(health.ok_at))}" if health.ok_at else "no run was ever ok"
            seen = f"{health.bad_runs} bad run(s) since {format_slot(int(health.opened_at))}, {last}"
            yield Finding(ID, LEVEL, f"{plan.name} is {words}", f"runner history {plan.name}", seen)


def describe_trouble(health: Health, now: float) -> str:
    """Return what a plan is in, empty if it is well or has just become bad."""
    if not health.incident:
        return ""
    age_s = now - health.opened_at
    words = ["flapping"] if health.flapping else []
    words += [f"bad for {show_span(age_s)}"] if age_s >= _STUCK_S else []
    words += [f"late: slot {health.late} has no run"] if health.late and not _is_over(health) else []
    return ", ".join(words)


def _is_over(health: Health) -> bool:
    """Whether a run has ended well since the slot that had none."""
    return format_slot(int(health.ok_at)) >= health.late
