"""What is known of a plan at a slot, gathered for ``why``: records, crontab, registry, pauses, signs of life.

The surest is asked first: of a slot that has a record nothing else is read. libc's zone is changed here, to that of
each plan in turn; who called says which it is to be afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from runner.errors import UserError
from runner.home.here import find_state, find_target, read_host, read_user
from runner.home.settings import Settings
from runner.launch import lines
from runner.launch.boot import read_boot_time
from runner.launch.gates import find_pause, read_plan
from runner.launch.hosts import matches_host
from runner.launch.installed import Installed, read_installed
from runner.launch.instant import format_slot, parse_instant
from runner.launch.outcome import LOST
from runner.launch.plan import PLANS, Plan
from runner.launch.plan_encode import encode_plan
from runner.launch.process import read_boot_id
from runner.launch.records import BY_HAND
from runner.launch.slot import Schedule, use_zone
from runner.launch.state import PAUSES, SWEEP_ALIVE, read_file
from runner.ledger.asked import Asked, Meant, choose_meant, find_nearest, is_due, parse_asked
from runner.ledger.history import History
from runner.ledger.known import Crontab, Facts, Life
from runner.ledger.record import Event
from runner.ledger.tables import Run
from runner.ledger.waiting import find_waiting
from runner.plans.write import list_compiled_plans

if TYPE_CHECKING:
    from runner.plans.make import Planned

_UNTIL = re.compile(r"until (\d{4}-\d\d-\d\dT[0-9:.]+Z)(?:: )?")


class Scene:
    """A home on this host, whose files are read once for all plans that are asked about."""

    def __init__(self, settings: Settings, now: float) -> None:
        self.settings = settings
        self.now = now
        self.home = settings.home
        self.state = str(find_state(settings))
        self.host = read_host()
        target = find_target(settings)
        self.zone = target.timezone if target else ""
        self.stranger = "" if target else f"no target of envs/site.yaml is for {read_user()} on {self.host}"

    @cached_property
    def installed(self) -> dict[str, Installed]:
        """What the last install put into the crontab."""
        return read_installed(self.state)

    @cached_property
    def compiled(self) -> list[str]:
        """The names of the compiled plans."""
        return list_compiled_plans(self.home)

    @cached_property
    def registry(self) -> dict[str, Planned] | None:
        """What would be compiled now, by plan; None where the registry has errors."""
        from runner.plans.load import load_home  # most answers need no registry

        try:
            return {one.plan.name: one for one in load_home(self.home).planned}
        except UserError:
            return None


@dataclass(frozen=True, slots=True)
class _Plan:
    """One plan: its compiled form, a bare one if there is none, and the schedules that cron goes by."""

    plan: Plan
    is_compiled: bool
    schedules: Sequence[Schedule]
    zone: str


def find_plans(scene: Scene, name: str) -> list[str]:
    """Return the plans of a job, or the plan, that a person means; none if nobody has ever heard of it."""
    known = {*scene.compiled, *scene.installed}
    found = sorted(plan for plan in known if name in (plan, plan.partition("@")[0]))
    return found or sorted(plan for plan in scene.registry or () if name in (plan, plan.partition("@")[0]))


def gather_facts(scene: Scene, history: History, name: str, time: str) -> Iterator[Facts]:
    """Yield what is known of one plan at a time as a person writes it; several slots if the clock showed it twice."""
    use_zone(scene.zone or None)
    asked = parse_asked(time, scene.now)
    plan = _read_plan(scene, name)
    if plan.zone != scene.zone:
        # What the target's clock did is nothing to a plan that goes by another.
        asked = Asked(asked.instants or (asked.moved or 0,))
    use_zone(plan.zone or None)
    for meant in choose_meant(asked, plan.schedules):
        use_zone(plan.zone or None)
        yield _gather(scene, history, plan, meant)


def _read_plan(scene: Scene, name: str) -> _Plan:
    is_compiled = name in scene.compiled
    plan = read_plan(str(scene.home), name)[0]
    installed = scene.installed.get(name)
    if installed:
        return _Plan(plan, is_compiled, installed.schedules, installed.timezone or scene.zone)
    if not is_compiled and scene.registry and name in scene.registry:
        plan = scene.registry[name].plan
    return _Plan(plan, is_compiled, plan.schedules, plan.timezone or scene.zone)


def _gather(scene: Scene, history: History, one: _Plan, meant: Meant) -> Facts:
    plan, slot = one.plan, meant.slot
    nearest = find_nearest(one.schedules, slot)
    facts = Facts(plan.name, meant, scene.now, scene.host, nearest=nearest, missed=plan.missed)
    waiting = find_waiting(scene.state, plan.name, read_boot_id())
    if waiting and waiting.slot == format_slot(slot):
        return replace(facts, waiting=waiting.run_id)
    runs = history.read_runs_due(plan.name, slot, slot + 60)
    runs.sort(key=lambda run: run.host != scene.host)  # stable: each host's stay the newest first
    facts = replace(facts, runs=tuple(runs))
    if any(run.trigger != BY_HAND for run in runs):
        return facts
    installed = scene.installed.get(plan.name)
    return replace(
        facts,
        crontab=_compare(scene, one, slot),
        elsewhere=_find_elsewhere(scene, plan),
        pause=_find_pause(scene, history, plan.job, slot),
        owed=installed is not None and format_slot(slot) in (*installed.missed, *installed.rerun),
        life=_read_life(scene, history.read_runs_around(scene.host, slot), slot),
    )


def _compare(scene: Scene, one: _Plan, slot: int) -> Crontab:
    """Return what crontab, compiled plan and registry say of a slot."""
    name = one.plan.name
    installed = scene.installed.get(name)
    planned = (scene.registry or {}).get(name)
    return Crontab(
        has_plan=installed is not None,
        installed_since=installed.at if installed else 0.0,
        compiled=is_due(one.plan.schedules, slot) if one.is_compiled else None,
        registered=is_due(planned.plan.schedules, slot) if planned else None,
        is_enabled=planned.job.enabled if planned else one.plan.enabled,
        has_schedule=bool(one.schedules or one.plan.schedules),
        note=_compare_registry(scene, name, planned),
    )


def _compare_registry(scene: Scene, name: str, planned: Planned | None) -> str:
    if scene.registry is None:
        return "the registry has errors: runner check"
    if planned is None:
        return "the registry has it no more"
    compiled = read_file(f"{scene.home}/{PLANS}/{name}.plan")
    return "" if encode_plan(planned.plan) == compiled else "the compiled plan differs from the registry"


def _find_elsewhere(scene: Scene, plan: Plan) -> str:
    if plan.hosts and not matches_host(plan.hosts, scene.host):
        return f"{scene.host} is none of {' '.join(plan.hosts)}"
    return scene.stranger


def _find_pause(scene: Scene, history: History, job: str, slot: int) -> str:
    """Return by whom the job was paused at a slot; of hosts that share a ledger each has pauses of its own."""
    audits = [audit for audit in history.read_audits(slot + 1) if audit.get("host") == scene.host]
    return find_pause_at(audits, job, slot) or _read_pause(scene, job, slot)


def find_pause_at(audits: Iterable[Event], job: str, at: int) -> str:
    """Return who had paused a job at an instant and why, empty if nobody had; `audits` are the newest first."""
    for audit in audits:
        if audit.get("job") == job and audit.get("action") in ("pause", "resume") and parse_instant(audit["at"]) <= at:
            return _describe_pause(audit, at) if audit["action"] == "pause" else ""
    return ""


def _describe_pause(audit: Event, at: int) -> str:
    detail = str(audit.get("detail") or "")
    until = _UNTIL.match(detail)
    if until and parse_instant(until[1]) <= at:
        return ""
    who = audit.get("sudo_user") or audit.get("user")
    return f"by {who} since {audit['at']}" + (f" {detail}" if until else f": {detail}" if detail else "")


def _read_pause(scene: Scene, job: str, slot: int) -> str:
    """Return by whom the pause file that is there now had the job paused at a slot."""
    paused = find_pause(scene.state, job, slot)
    try:
        since = lines.decode_dict(read_file(f"{scene.state}/{PAUSES}/{job}") or b"").get("since", "")
        return "" if since and parse_instant(since) > slot else paused
    except (OSError, ValueError):
        return paused


def _read_life(scene: Scene, runs: Iterable[Run], slot: int) -> Life:
    """Return the signs of life nearest to a slot, from the runs around it (newest first)."""
    before, after = _find_signs(runs, slot)
    path = Path(scene.state, SWEEP_ALIVE)
    return Life(
        seen_before=before[0],
        boot_before=before[1],
        seen_after=after[0],
        boot_after=after[1],
        boot_id=read_boot_id(),
        booted_at=read_boot_time(),
        swept_at=path.stat().st_mtime if path.exists() else 0.0,
    )


def _find_signs(runs: Iterable[Run], slot: int) -> tuple[tuple[str, str], tuple[str, str]]:
    """Return instant and boot of the last sign before a slot and of the first one after."""
    signs = sorted({(at, run.boot_id or "") for run in runs for at in _list_signs(run)})
    middle = format_slot(slot)
    before = [sign for sign in signs if sign[0][:19] < middle[:19]]
    after = [sign for sign in signs if sign[0][:19] >= middle[:19]]
    boots_before = [boot for _, boot in before if boot]
    boots_after = [boot for _, boot in after if boot]
    return (
        (before[-1][0] if before else "", boots_before[-1] if boots_before else ""),
        (after[0][0] if after else "", boots_after[0] if boots_after else ""),
    )


def _list_signs(run: Run) -> Iterator[str]:
    """Yield the instants at which a run shows that its host was on; the end of a lost one is the sweep's guess."""
    yield run.started_at
    if run.ended_at and run.outcome != LOST:
        yield run.ended_at
