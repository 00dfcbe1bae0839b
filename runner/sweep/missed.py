"""``missed``: slots that nobody started, as the host was off, or whose run was lost, are started (RUN-38, RUN-17).

Each round looks at the slots that have become overdue since the last one. What is to be started is first written
into the file ``installed`` and taken out once a record names it, so that a sweep that is killed at any step loses
none. That none is started twice is seen to by the plan's lock file, as with cron's own starts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from runner.launch.installed import Installed, change_installed, read_installed
from runner.launch.instant import format_slot
from runner.launch.lock import find_lock
from runner.launch.overdue import Start, choose_missed, choose_starts, find_due
from runner.launch.plan import Plan
from runner.launch.records import BY_MISSED, BY_RERUN
from runner.launch.state import LOCKS
from runner.sweep.chores import Round
from runner.sweep.named import Named, find_named
from runner.sweep.starts import count_running, find_busy, start_runs
from runner.sweep.watched import watch_plans

IDLE = "nothing is installed"
PAUSED = 0.0


@dataclass(frozen=True, slots=True)
class Seen:
    """An installed plan as this round finds it.

    Attributes
    ----------
    since
        Since when it has been seen well; `PAUSED` if it is not.
    policy
        Its ``missed:``.
    due
        Slots that have become overdue.
    started
        The newest slots that were started, by its lock file.
    """

    one: Installed
    since: float
    policy: str = "skip"
    due: tuple[str, ...] = ()
    started: tuple[str, ...] = ()

    @property
    def open_slots(self) -> set[str]:
        """The slots of which only the journal can tell whether they are still to be started."""
        return {*self.due, *self.one.missed, *self.one.rerun} - {*self.started} if self.since else set()


def has_work(round_: Round) -> bool:
    """Whether anything is installed."""
    return bool(read_installed(round_.place.state))


def work(round_: Round) -> str:
    """Write down what was missed, and start what may be started now."""
    state = round_.place.state
    looked = list(_look(round_))
    named = find_named(state, {seen.one.plan: seen.open_slots for seen in looked})
    settled = [(seen, settle(seen, named.get(seen.one.plan, Named()), round_.now)) for seen in looked]
    if changes := [(seen.one, after) for seen, after in settled if _differ(seen.one, after)]:
        _write(state, changes)
    waiting = [start for _, after in settled for start in _list_starts(after, named.get(after.plan, Named()))]
    # Cron mails what this round said when all that hold its stderr have ended, as a run does that is started
    # now: an alert must not wait for that, so the runs wait for the next round.
    if not waiting or round_.said:
        return ""
    busy = find_busy(state)
    chosen = choose_starts([start for start in waiting if start.plan not in busy], count_running(busy.values()))
    start_runs(round_.place, chosen)
    return f"started {', '.join(f'{one.plan} {one.slot} ({one.trigger})' for one in chosen)}" if chosen else ""


def settle(seen: Seen, named: Named, now: float) -> Installed:
    """Return what is to stand in ``installed`` of a plan, by what its records say."""
    after = Installed(seen.one.plan, seen.since, seen.one.timezone, seen.one.when)
    after.at = seen.one.at
    missed = ({*seen.due, *seen.one.missed} & seen.open_slots) - named.handled
    after.missed = choose_missed(seen.policy, missed, now)
    after.rerun = [slot for slot in seen.one.rerun if slot in seen.open_slots - named.rerun]
    return after


def _look(round_: Round) -> Iterator[Seen]:
    for watched in watch_plans(round_):
        one, plan = watched.one, watched.plan
        if not watched.is_well:
            yield Seen(one, PAUSED)
        elif not one.since or (plan.missed == "skip" and not one.rerun) or not watched.has_zone:
            yield Seen(one, one.since or round_.now)
        else:
            yield _look_at(round_, one, plan)


def _look_at(round_: Round, one: Installed, plan: Plan) -> Seen:
    """Look at a plan of which slots may be started.

    Where nothing is remembered of any round, since a crash has spoilt the file, all that is known is since when
    it is installed; where only this chore has never been done, it begins now, lest its coming start anything.
    """
    first = round_.now if round_.worked_at else one.since
    last_look = round_.worked_at.get("missed", first)
    due = find_due(plan.schedules, one.since, last_look, round_.now) if plan.missed != "skip" else []
    lock = find_lock(f"{round_.place.state}/{LOCKS}/{one.plan}") if due or one.missed or one.rerun else None
    return Seen(one, one.since, plan.missed, tuple(map(format_slot, due)), tuple(lock.slots if lock else ()))


def _differ(before: Installed, after: Installed) -> bool:
    return (before.since, before.missed, before.rerun) != (after.since, after.missed, after.rerun)


def _write(state: str, changes: list[tuple[Installed, Installed]]) -> None:
    """Write what has changed, but nothing of a plan that somebody installed, paused or resumed in this moment."""

    def merge(current: dict[str, Installed]) -> dict[str, Installed]:
        for before, after in changes:
            here = current.get(before.plan)
            if here and not _differ(before, here) and (here.timezone, here.when) == (before.timezone, before.when):
                current[before.plan] = after
        return current

    change_installed(state, merge)


def _list_starts(one: Installed, named: Named) -> list[Start]:
    """Return what is to be started of a plan; a lost run's slot only when its end is on record.

    Until then the slot is not free: `close` may have been killed in the middle, and does it again.
    """
    missed = [Start(one.plan, slot, BY_MISSED) for slot in one.missed]
    return missed + [Start(one.plan, slot, BY_RERUN) for slot in one.rerun if slot in named.lost]
