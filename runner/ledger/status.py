"""How every plan stands: its last run, its next slot, who paused it, whether it is in trouble (DESIGN section 7)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from runner.document.zones import in_zone
from runner.launch.gates import find_pause
from runner.launch.incident import read_health
from runner.launch.instant import format_slot
from runner.launch.plan import Plan
from runner.launch.process import read_boot_id
from runner.launch.slot import slots_after
from runner.launch.state import HEALTH
from runner.ledger.history import History
from runner.ledger.tables import Run
from runner.ledger.waiting import Waiting, find_waiting


@dataclass(frozen=True, slots=True)
class Status:
    """One plan now; the fields of ``runner status --json``, None where there is nothing to say.

    Attributes
    ----------
    state, outcome, run_id, last_slot
        Of the run that waits for its turn, else of its newest run; skipped slots are no runs.
    next_slot
        When it is due next, paused or not.
    paused
        By whom, since when and why.
    incident
        The run that opened the incident that it is in.
    behind, enabled
        The run that the waiting one waits for, and whether the job is enabled; no fields of ``--json``.
    """

    plan: str
    state: str | None
    outcome: str | None
    run_id: str | None
    last_slot: str | None
    next_slot: str | None
    paused: str | None
    incident: str | None
    behind: str | None = None
    enabled: bool = True

    def describe(self) -> dict[str, str | None]:
        """Return the fields by name, in order."""
        return {name: getattr(self, name) for name in self.__slots__ if name not in ("behind", "enabled")}


def read_status(history: History, plans: Sequence[Plan], state: str, timezone: str, now: float) -> list[Status]:
    """Return the status of each plan, in their order.

    Parameters
    ----------
    timezone
        The zone of the target; empty for the host's own. A plan's own zone comes before it.
    now
        POSIX seconds.
    """
    last = history.read_last_runs([plan.name for plan in plans])
    slots = _find_next_slots(plans, timezone, now)
    boot_id = read_boot_id()
    return [
        _make_status(
            plan,
            last.get(plan.name),
            find_waiting(state, plan.name, boot_id),
            None if slot is None else format_slot(slot),
            find_pause(state, plan.job, now) or None,
            read_health(f"{state}/{HEALTH}/{plan.name}").incident or None,
        )
        for plan, slot in zip(plans, slots, strict=True)
    ]


def _make_status(
    plan: Plan,
    run: Run | None,
    waiting: Waiting | None,
    next_slot: str | None,
    paused: str | None,
    incident: str | None,
) -> Status:
    """Return the status that these facts mean."""
    common: dict[str, Any] = {"next_slot": next_slot, "paused": paused, "incident": incident, "enabled": plan.enabled}
    if waiting:
        behind = run.run_id if run and run.state == "running" else None
        return Status(plan.name, "waiting", None, waiting.run_id, waiting.slot, **common, behind=behind)
    if run is None:
        return Status(plan.name, None, None, None, None, **common)
    return Status(plan.name, run.state, run.outcome, run.run_id, run.slot, **common)


def _find_next_slots(plans: Iterable[Plan], timezone: str, now: float) -> list[int | None]:
    slots = []
    for zone, group in groupby(plans, lambda plan: plan.timezone or timezone):
        with in_zone(zone or None):
            slots += [next(slots_after(plan.schedules, now), None) for plan in group]
    return slots
