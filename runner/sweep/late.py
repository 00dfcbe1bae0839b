"""``late``: what ends badly for want of a run, or of an end, is told as well (ALERT-17, ALERT-18).

``LATE`` is a slot that nobody has started or skipped or will start, and a plan whose last success is older than it
expects; ``LONG`` is a run that takes longer than its plan expects. Each is told once: the plan's health remembers it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass

from runner.errors import TryLater
from runner.launch.boot import read_boot_time
from runner.launch.gates import Place
from runner.launch.incident import LATE, LONG, Health, judge_finding, read_health
from runner.launch.installed import Installed, read_installed
from runner.launch.instant import format_instant, format_slot
from runner.launch.journal import LOST_SEQ, make_run_id, short_host
from runner.launch.lock import BESIDE, WAITING, LockRecord, is_held
from runner.launch.overdue import find_due
from runner.launch.plan import Plan
from runner.launch.process import read_boot_id
from runner.launch.records import BY_CRON, BY_HAND
from runner.launch.state import HEALTH
from runner.ledger.locks import LockFile, measure_age, read_locks
from runner.ledger.record import Event, parse_event
from runner.sweep.chores import Round
from runner.sweep.health import change_health
from runner.sweep.named import Named, find_named
from runner.sweep.watched import Watched, watch_plans

IDLE = "nothing is installed"
_FLIP_SEQ = LOST_SEQ - 2
_CLOCK_BOOTTIME = 7  # goes on while the machine sleeps, and nobody sets it


@dataclass(frozen=True, slots=True)
class Seen:
    """An installed plan as this round finds it.

    Attributes
    ----------
    is_watched
        Whether cron is to start it, here and now.
    due
        The newest slot that has become overdue since the last round, POSIX seconds.
    """

    one: Installed
    plan: Plan
    is_watched: bool
    due: int | None


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to be told.

    Attributes
    ----------
    what, mark
        Which field of the plan's health keeps what was told of last (``late aged long``), and what that is.
    due_at
        Since when it is so, POSIX seconds.
    run
        The run that goes on, by its ``start`` event, or what would name the run that is missing.
    """

    what: str
    mark: str
    due_at: float
    reason: str
    run: Event


def has_work(round_: Round) -> bool:
    """Whether anything is installed."""
    return bool(read_installed(round_.place.state))


def work(round_: Round, booted_at: float | None = None) -> str:
    """Tell what is late and what is long; what was due before the boot at `booted_at` is told as of that boot."""
    told, troubles = [], []
    for number, finding in enumerate(_find_all(round_)):
        if _is_told(round_.place.state, finding):
            continue
        booted_at = read_boot_time() if booted_at is None else booted_at
        try:
            _tell(round_, finding, number, read_boot_id() if finding.due_at < booted_at else "")
            told.append(f"{finding.run['plan']}: {finding.reason}")
        except OSError as error:
            troubles.append(f"{finding.run['plan']}: {error.filename}: {error.strerror}")
    if troubles:
        raise TryLater("; ".join(troubles))
    return "; ".join(told)


def _find_all(round_: Round) -> list[Finding]:
    seen = [_look_at(round_, watched) for watched in watch_plans(round_)]
    overdue = [one for one in seen if one.due is not None]
    timed = [one for one in seen if one.plan.max_duration_s]
    aging = [one for one in seen if one.plan.max_age_s and one.is_watched]
    locks = list(read_locks(round_.place.state)) if overdue or timed else []
    return [*_find_late(round_, overdue, locks), *_find_aged(round_, aging), *_find_long(round_, timed, locks)]


def _look_at(round_: Round, watched: Watched) -> Seen:
    """Look at a plan, in its zone; where the last look is not known, as `missed` does."""
    one, plan = watched.one, watched.plan
    is_watched = watched.has_zone and bool(one.since)
    first = round_.now if round_.worked_at else one.since
    last_look = round_.worked_at.get("late", first)
    due = find_due(plan.schedules, one.since, last_look, round_.now) if is_watched else []
    return Seen(one, plan, is_watched, due[-1] if due else None)


def _find_late(round_: Round, overdue: list[Seen], locks: list[LockFile]) -> Iterator[Finding]:
    """Yield the slots of which nobody knows; the journal is asked for those that the lock files do not explain."""
    boot_id = read_boot_id()
    busy = {lock.plan for lock in locks if is_held(lock.record, boot_id)}
    started = {(lock.plan, slot) for lock in locks for slot in lock.record.slots}
    slots = {seen.one.plan: format_slot(seen.due or 0) for seen in overdue}
    unexplained = [
        seen
        for seen in overdue
        if (name := seen.one.plan) not in busy
        and (name, slots[name]) not in started
        and slots[name] not in (*seen.one.missed, *seen.one.rerun)
    ]
    named = find_named(round_.place.state, {seen.one.plan: [slots[seen.one.plan]] for seen in unexplained})
    for seen in unexplained:
        slot, known = slots[seen.one.plan], named.get(seen.one.plan, Named())
        if slot not in known.handled | known.rerun | known.lost:
            run = _name_missing(round_.place, seen.plan, slot, f"runner why {seen.plan.name} {slot}")
            yield Finding("late", slot, seen.due or 0, f"slot {slot} has no run", run)


def _find_aged(round_: Round, aging: list[Seen]) -> Iterator[Finding]:
    """Yield the plans whose last success is too old; one counts as good when it is installed or resumed (RUN-39)."""
    for seen in aging:
        plan = seen.plan
        ok_at = min(read_health(f"{round_.place.state}/{HEALTH}/{plan.name}").ok_at, round_.now)
        since = max(ok_at, seen.one.since)
        if round_.now - since > plan.max_age_s:
            reason = f"no ok run since {format_slot(int(since))}, expected within {plan.max_age_s:g} s"
            run = _name_missing(round_.place, plan, format_slot(int(round_.now)), f"runner history {plan.job}")
            yield Finding("aged", format_instant(since), since + plan.max_age_s, reason, run)


def _find_long(round_: Round, timed: list[Seen], locks: list[LockFile]) -> Iterator[Finding]:
    """Yield of each plan the oldest run that goes on for too long; who runs one by hand is there to see it.

    The plan's health remembers one such run: of several beside each other the next is told when that has ended.
    """
    boot_id, uptime_s = read_boot_id(), time.clock_gettime(_CLOCK_BOOTTIME)
    limits = {seen.one.plan: seen.plan.max_duration_s for seen in timed}
    living = [lock for lock in locks if is_held(lock.record, boot_id) and not lock.name.endswith(f"{BESIDE}{WAITING}")]
    told = set()
    for lock in sorted(living, key=lambda lock: lock.record.run_id):
        limit_s = limits.get(lock.plan, 0.0)
        age_s, start = measure_age(lock.record, round_.now, uptime_s), _parse_start(lock.record)
        if limit_s and age_s > limit_s and lock.plan not in told and start and start["trigger"] != BY_HAND:
            told.add(lock.plan)
            reason = f"runs for {age_s:.0f} s, expected at most {limit_s:g} s"
            yield Finding("long", lock.record.run_id, round_.now - age_s + limit_s, reason, start)


def _name_missing(place: Place, plan: Plan, slot: str, see: str) -> Event:
    """Return what names a run that there is not, with the command that tells more."""
    return {
        "plan": plan.name,
        "job": plan.job,
        "profile": plan.profile,
        "slot": slot,
        "host": place.host,
        "trigger": BY_CRON,
        "release": place.release,
        "mailto": plan.mailto or place.plan.mail_ops,
        "see": see,
    }


def _parse_start(record: LockRecord) -> Event | None:
    try:
        return parse_event(record.start.encode())
    except ValueError:  # a reader in mid-write; the next round reads it whole
        return None


def _is_told(state: str, finding: Finding) -> bool:
    health = read_health(f"{state}/{HEALTH}/{finding.run['plan']}")
    return bool(getattr(health, finding.what) == finding.mark)


def _tell(round_: Round, finding: Finding, number: int, boot: str) -> None:
    """Tell of one finding, under a run id of its own if it is about no run, different for each `number`."""
    at, host = round_.now + number / 1000, short_host(round_.place.host)
    run_id = finding.run.get("run_id") or make_run_id(at, host, os.getpid())
    outcome = LONG if finding.what == "long" else LATE

    def judge(health: Health) -> str:
        return judge_finding(health, run_id, finding.what, finding.mark, round_.now)

    facts = {**finding.run, "run_id": run_id, "outcome": outcome, "reason": finding.reason}
    change_health(round_, facts, judge, _FLIP_SEQ, boot)
