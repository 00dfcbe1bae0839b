"""Why a plan did or did not run at a slot: what is known of it in, one answer out, and nothing else is looked at.

The rules stand in `_RULES`, the surest first: what was recorded of the slot; what the schedule, the crontab and a
pause say of it; last what can only be inferred, from the records of other plans and the boot of the host.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from runner.launch.instant import format_slot, parse_instant
from runner.launch.outcome import CANNOT_START, LOST, SKIPPED
from runner.launch.records import BY_CRON, BY_HAND
from runner.ledger.known import Facts, Life
from runner.ledger.tables import Run

# Cron starts a line within the minute; an answer before that would be too early.
PATIENCE_S = 90
# Who was seen so little before or after a slot was there at the slot.
_NEAR_S = 120
_MADE_UP = {
    "skip": "missed: skip, so nothing makes up for it",
    "once": "missed: once, so only the newest of the missed slots is run later",
    "all": "missed: all, so the newest 24 missed slots of 7 days are run later",
}

# Each answer and what it means; the only ones after which the slot has run are in `RAN`.
ANSWERS = {
    "ran": "it ran",
    "running": "it is running",
    "waiting": "it waits for the run before it to end",
    "cannot_start": "it was started but could not run",
    "lost": "it was started and its end is unknown",
    "skipped": "it was skipped",
    "gap": "the clock never showed that time",
    "repeated": "a fixed time is run in the first pass of a repeated hour only",
    "disabled": "it is disabled",
    "by_hand": "it has no schedule",
    "other_host": "it does not belong to this host",
    "no_slot": "it was not due then",
    "not_compiled": "the crontab does not have this schedule yet",
    "not_installed": "the crontab did not have it then",
    "paused": "it was paused",
    "not_yet": "it is not due yet",
    "missed": "the slot was missed and will be run",
    "host_off": "the host was off",
    "cron_off": "cron did not call us",
    "unknown": "nothing is recorded that explains it",
}
RAN = frozenset({"ran", "running"})


@dataclass(frozen=True, slots=True)
class Answer:
    """Why; the fields of ``runner why --json``.

    Attributes
    ----------
    slot
        The slot, or the minute that is none.
    answer
        A key of `ANSWERS`.
    reason
        A short word or text that specifies the answer.
    run_id, outcome, started_at, ended_at, log
        Of the run of the slot.
    before, after
        The nearest slots.
    """

    plan: str
    slot: str
    answer: str
    reason: str | None = None
    run_id: str | None = None
    detail: str | None = None
    outcome: str | None = None
    started_at: str | None = None
    ended_at: str | None = None
    log: str | None = None
    before: str | None = None
    after: str | None = None

    def describe(self) -> dict[str, str | None]:
        """Return the fields by name, in order."""
        return {name: getattr(self, name) for name in self.__slots__}


def explain(facts: Facts) -> Answer:
    """Return why the plan did or did not run."""
    answer = next(found for rule in _RULES if (found := rule(facts)))
    before, after = facts.nearest
    answer = replace(answer, before=_format(before), after=_format(after))
    if facts.meant.clock == "moved":
        return _add(answer, "that time lies in a gap of the clock, so the fixed time is due in the first minute after")
    by_hand = _find_by_hand(facts.runs)
    return _add(answer, f"run by hand as {by_hand.run_id}") if by_hand and not answer.run_id else answer


def _explain_record(facts: Facts) -> Answer | None:
    """Answer by what was recorded of the slot: a run before a skip, what cron started before what a person did."""
    scheduled = [run for run in facts.runs if run.trigger != BY_HAND]
    started = [run for run in scheduled if run.outcome != SKIPPED]
    if started or scheduled:
        return _describe_run(facts, (started or scheduled)[0])
    by_hand = _find_by_hand(facts.runs)
    return None if by_hand is None or facts.meant.is_due else _describe_run(facts, by_hand)


def _find_by_hand(runs: tuple[Run, ...]) -> Run | None:
    return next((run for run in runs if run.trigger == BY_HAND and run.outcome != SKIPPED), None)


def _describe_run(facts: Facts, run: Run) -> Answer:
    special = {SKIPPED: "skipped", LOST: "lost", CANNOT_START: "cannot_start", None: "running"}
    answer = Answer(
        plan=run.plan,
        slot=run.slot,
        answer=special.get(run.outcome, "ran"),
        reason=run.reason or None,
        run_id=run.run_id,
        detail=run.detail or None,
        outcome=run.outcome,
        started_at=run.started_at,
        ended_at=run.ended_at,
        log=run.log,
    )
    if run.host != facts.host:
        answer = _add(answer, f"on {run.host}")
    return answer if run.trigger == BY_CRON else _add(answer, _TRIGGERS.get(run.trigger, f"started by {run.trigger}"))


_TRIGGERS = {
    BY_HAND: "started by hand",
    "missed": "started by the sweep, since the slot was missed",
    "rerun": "started again by the sweep, since the run before was lost",
}


def _explain_waiting(facts: Facts) -> Answer | None:
    return replace(_say(facts, "waiting"), run_id=facts.waiting) if facts.waiting else None


def _explain_clock(facts: Facts) -> Answer | None:
    clock = facts.meant.clock
    if clock == "gap":
        return _say(facts, "gap", "wildcard", "a wildcard schedule has no slot in a gap of the clock")
    return _say(facts, "repeated", "fixed") if clock == "repeated" else None


def _explain_schedule(facts: Facts) -> Answer | None:
    """Answer by what the schedule says: none, another host's, none at that time."""
    crontab = facts.crontab
    if not crontab.has_plan and crontab.compiled is None and crontab.registered is None:
        return _say(facts, "not_installed", "absent", "crontab, compiled plans and registry have it no more")
    if not crontab.has_schedule and not crontab.registered:
        return _say(facts, "by_hand") if crontab.is_enabled else _say(facts, "disabled", None, "enabled: false")
    if facts.elsewhere:
        return _say(facts, "other_host", "host", facts.elsewhere)
    if facts.meant.is_due:
        return None
    if crontab.registered and not crontab.compiled:
        detail = "the registry has it; what cron goes by was compiled before: runner compile, runner crontab install"
        return _say(facts, "not_compiled", "schedule", detail)
    if crontab.compiled:
        detail = "the compiled plan has it, the crontab still has another schedule: runner crontab diff"
        return _say(facts, "not_installed", "schedule", detail)
    return _say(facts, "no_slot")


def _explain_installation(facts: Facts) -> Answer | None:
    crontab = facts.crontab
    if not crontab.has_plan:
        return _say(facts, "not_installed", "absent", "no install has put it into the crontab: runner crontab diff")
    if facts.slot > facts.now - PATIENCE_S:
        paused = f"it is paused {facts.pause}" if facts.pause else None
        return _say(facts, "not_yet", None, paused)
    if facts.pause:
        return _say(facts, "paused", None, facts.pause)
    if facts.owed:
        return _say(facts, "missed", facts.missed, "the sweep has still to start it")
    if facts.slot < crontab.installed_since:
        since = format_slot(int(crontab.installed_since))
        return _say(facts, "not_installed", "since", f"its schedule is in the crontab since {since}")
    return None


def _explain_absence(facts: Facts) -> Answer | None:
    """Answer by inference: a boot between two signs of life, or a sweep that cron does not call any more."""
    life = facts.life
    before = _describe_sign(life.seen_before)
    if was_off(life, facts.slot):
        until = life.seen_after or "now"
        boot = f", present boot at {format_slot(int(life.booted_at))}" if life.boot_after in ("", life.boot_id) else ""
        inferred = f"inferred: no record of any plan on this host between {before} and {until}"
        return _say(facts, "host_off", "boot", f"{inferred}, another boot after{boot}; {_MADE_UP[facts.missed]}")
    if not life.seen_after and life.swept_at < facts.slot - _NEAR_S:
        swept = f"since {format_slot(int(life.swept_at))}" if life.swept_at else "ever"
        inferred = f"inferred: cron has not called the sweep {swept}; the last record of any plan is {before}"
        return _say(facts, "cron_off", "sweep", f"{inferred}; is cron running, and has it our block? crontab -l")
    return None


def was_off(life: Life, slot: int) -> bool:
    """Whether the host seems to have been off: it was seen on neither side of the slot in one and the same boot."""
    after = life.boot_after or life.boot_id
    if after == life.boot_id and slot >= life.booted_at:
        return False
    if life.boot_before == after or _is_near(life.seen_before, slot):
        return False
    return after == life.boot_id or not _is_near(life.seen_after, slot)


def _is_near(at: str, slot: int) -> bool:
    return bool(at) and abs(parse_instant(at) - slot) < _NEAR_S


def _explain_nothing(facts: Facts) -> Answer:
    life = facts.life
    detail = f"records of any plan on this host are nearest at {_describe_sign(life.seen_before)} and"
    detail += f" {life.seen_after or 'never after'}; {_MADE_UP[facts.missed]}"
    return _say(facts, "unknown", None, f"{detail}; {facts.crontab.note}" if facts.crontab.note else detail)


def _describe_sign(at: str) -> str:
    return at or "the beginning of the history"


def _say(facts: Facts, answer: str, reason: str | None = None, detail: str | None = None) -> Answer:
    return Answer(facts.plan, format_slot(facts.slot), answer, reason, None, detail)


def _add(answer: Answer, detail: str) -> Answer:
    return replace(answer, detail=f"{answer.detail}; {detail}" if answer.detail else detail)


def _format(slot: int | None) -> str | None:
    return None if slot is None else format_slot(slot)


_RULES: tuple[Callable[[Facts], Answer | None], ...] = (
    _explain_record,
    _explain_waiting,
    _explain_clock,
    _explain_schedule,
    _explain_installation,
    _explain_absence,
    _explain_nothing,
)
