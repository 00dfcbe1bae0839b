"""One run, from the line in the crontab to the record of its end, in the order of RUN-2.

Read `run_job` from top to bottom: each step either lets the run go on or says how it ends. Whatever
happens to this process, the run is known: the lock file names it before the journal does, the journal
before the job exists, and what is missing at the end is what the sweep closes as ``lost``.
"""

from __future__ import annotations

import posix
import time

from runner.launch import gates, journal, lock, slot
from runner.launch.attempt import Attempt, Stopper
from runner.launch.environment import apply_changes, base_environment, enter_directory
from runner.launch.instant import format_instant, format_slot, parse_instant
from runner.launch.log import format_footer, open_log
from runner.launch.outcome import (
    CANNOT_START,
    CODE_NOT_FOUND,
    CODE_TRY_LATER,
    SKIPPED,
    CannotStart,
    Ending,
    judge_stderr,
)
from runner.launch.plan import Step, fill_steps, fingerprint
from runner.launch.process import identify
from runner.launch.records import (
    Request,
    Run,
    format_header,
    judge_run,
    keep_lock,
    list_recipients,
    name_run,
    record_event,
    record_start,
    say,
    speak,
    with_state,
)
from runner.launch.state import LOCKS, make_directory


def run_job(home: str, request: Request) -> int:
    """Run one plan, or find that it must not run; return the exit code (RUN-36)."""
    now = time.time()
    place = gates.read_place(home)
    plan, fault = gates.read_plan(home, request.plan_name)
    run = Run(place, plan, request, now)
    fault = fault or place.fault or _enter_zone(plan.timezone or place.timezone)
    due = _find_due_slot(run, request)
    if due is None and plan.timezone and not run.by_hand:
        return 0  # a gated line fires more often than the job is due (CRON-36)
    run.slot = int(now) if due is None else due
    reason, detail = gates.find_closed_gate(place, plan, now)
    if reason:
        return _skip(run, reason, detail)
    try:
        is_ours = _take_lock(run)
    except OSError as error:
        return _execute(run, CannotStart(f"lock {LOCKS}/{plan.name}: {error.strerror}"))
    scheduled = "" if due is None or run.by_hand else format_slot(due)
    if scheduled in run.holder.slots:
        return 0  # this slot was started already (CRON-35)
    if not is_ours or lock.is_held(run.holder, run.boot_id):
        return _skip(run, "overlap", _describe_holder(run.holder))
    if scheduled:
        run.holder.slots.append(scheduled)
    return _execute(run, CannotStart(fault, CODE_NOT_FOUND) if fault else None)


def _enter_zone(name: str) -> str:
    """Make local time that of the zone, empty for the host's; return why that cannot be, empty if it can."""
    try:
        slot.use_zone(name or None)
    except LookupError as error:
        slot.use_zone("UTC")
        return str(error)
    return ""


def _find_due_slot(run: Run, request: Request) -> int | None:
    """Return the slot that this firing is for, None for a run that nobody scheduled (RUN-5)."""
    if request.slot:
        return int(parse_instant(request.slot))
    return None if run.by_hand else slot.newest_slot(run.plan.schedules, run.started_at)


def _take_lock(run: Run) -> bool:
    path = f"{run.place.state}/{LOCKS}/{run.plan.name}"
    run.lock, is_ours = with_state(run, lambda: lock.try_lock(path))
    if is_ours:
        run.holder = lock.read_lock(run.lock)
    else:
        run.holder, is_ours = lock.await_holder(run.lock)
    return is_ours


def _describe_holder(holder: lock.LockRecord) -> str:
    named = (("wrapper", holder.wrapper), ("job", holder.job))
    pids = ", ".join([f"{name} pid {who.pid}" for name, who in named if who])
    return f"run {holder.run_id or 'unknown'} since {holder.since or 'just now'}, {pids or 'pid unknown'}"


def _skip(run: Run, reason: str, detail: str) -> int:
    """Record that the run was not started (RUN-6); under cron that is no failure."""
    health, alert = judge_run(run, SKIPPED, reason)
    facts: dict[str, journal.Value] = {"reason": reason, "detail": detail, "alerted": alert}
    event = record_event(run, "skip", {**name_run(run), **facts}, sync=False)
    if run.by_hand:
        say(f"runner: {run.plan.name} skipped: {reason}: {detail}\n")
        return CODE_TRY_LATER
    if alert:
        speak({**event, "outcome": SKIPPED, "mailto": list_recipients(run)}, health, alert, None)
    return 0


def _execute(run: Run, refusal: CannotStart | None) -> int:
    """Start, watch and end the run; with a `refusal` it is recorded as one that could not start."""
    stopper = Stopper()
    start = record_start(run)
    run.log = open_log(run.place.state, run.plan.name, run.id, run.plan.log_max_bytes)
    steps = _build_steps(run)
    run.log.write_comment(format_header(run, steps))
    attempt: Attempt | None = None
    try:
        if refusal:
            raise refusal
        environment = _build_environment(run)
        run.log.write_comment(f"environment digest {_digest_environment(environment)}")
        enter_directory(run.plan.cwd, run.place.home)
        attempt = Attempt(run.plan, environment, run.place.home, run.log, stopper)
        ending = _attempt(run, attempt, steps)
    except CannotStart as cause:
        ending = Ending(CANNOT_START, str(cause), cause.code)
        run.log.write_comment(str(cause))
        if run.by_hand:
            say(f"runner: {run.plan.name}: {cause}\n")
    return _end(run, start, ending, attempt)


def _attempt(run: Run, attempt: Attempt, steps: list[Step]) -> Ending:
    from runner.launch.tree import become_subreaper

    become_subreaper()
    posix.set_inheritable(run.lock, True)
    if run.by_hand:
        attempt.show()

    def note_process(pid: int) -> None:
        is_first = run.holder.job is None
        run.holder.job = identify(pid)
        keep_lock(run, lock.write_lock)
        if is_first:
            record_event(run, "attempt", {"attempt": 1, "pid": pid}, sync=False)

    try:
        ending = attempt.run(steps, note_process)
    finally:
        attempt.close()
        if len(steps) > 1:
            _record_steps(run, attempt)
    return judge_stderr(ending, run.plan.stderr, attempt.err.unexpected)


def _record_steps(run: Run, attempt: Attempt) -> None:
    for end in attempt.step_ends:
        signal = end.status & 0x7F or None
        code = None if signal else end.status >> 8
        facts: dict[str, journal.Value] = {"step": end.index, "exit_code": code, "signal": signal}
        record_event(run, "step", {"attempt": 1, **facts, "duration_s": end.duration_s}, sync=False)


def _end(run: Run, start: dict[str, journal.Value], ending: Ending, attempt: Attempt | None) -> int:
    """Write the end where it belongs: log, health, journal, lock; speak if a human must act."""
    facts: dict[str, journal.Value] = {
        "duration_s": max(time.monotonic() - run.monotonic, 0.0),
        "outcome": ending.outcome,
        "reason": ending.reason,
        "exit_code": ending.exit_code,
        "signal": ending.signal or None,
        "attempts": 1,
        "cpu_s": attempt.cpu_s if attempt else 0.0,
        "max_rss_bytes": attempt.max_rss_bytes if attempt else 0,
        "stdout_bytes": attempt.out.size if attempt else 0,
        "stderr_bytes": attempt.err.size if attempt else 0,
    }
    end = journal.make_end(start, 0, format_instant(time.time()), **facts)
    if run.log.trouble:
        say(f"runner: {run.plan.name}: {run.log.describe_trouble()}\n")
    run.log.write_comment(format_footer(end))
    run.log.close()
    health, alert = judge_run(run, ending.outcome, ending.reason)
    if alert:
        streams = (attempt.err, attempt.out) if attempt else None
        speak({**end, "mailto": start["mailto"]}, health, alert, streams)
    record_event(run, "end", {**end, "alerted": alert}, sync=True)
    if run.lock >= 0:
        keep_lock(run, lock.clear_lock)
        lock.unlock(run.lock)
    return ending.exit_code


def _build_environment(run: Run) -> dict[str, str]:
    """Return the job's environment, in the order of PROF-4; the caller's is never looked at."""
    try:
        with_state(run, lambda: make_directory(run.work))
    except OSError as error:
        raise CannotStart(f"{run.work}: {error.strerror}") from None
    environment = base_environment()
    apply_changes(environment, run.plan.changes, run.plan.profile, run.place.home)
    environment.update(
        RUNNER_HOME=run.place.home,
        RUNNER_STATE=run.place.state,
        RUNNER_WORK=run.work,
        RUNNER_JOB=run.plan.job,
        RUNNER_RUN_ID=run.id,
        RUNNER_ATTEMPT="1",
        RUNNER_SLOT=format_slot(run.slot),
        RUNNER_PROFILE=run.plan.profile,
        RUNNER_RELEASE=run.place.release,
        RUNNER_LOG=run.log.path,
    )
    return environment


def _build_steps(run: Run) -> list[Step]:
    date = time.strftime("%Y-%m-%d", time.localtime(run.slot))
    steps = fill_steps(run.plan.steps, {"{slot}": format_slot(run.slot), "{date}": date, "{work}": run.work})
    if run.arguments and steps:
        steps[0].words += run.arguments
    return steps


def _digest_environment(environment: dict[str, str]) -> str:
    """Return the digest of what the profile and the entry say: the same from run to run until they change."""
    pairs = [f"{name}={value}" for name, value in sorted(environment.items()) if name[:7] != "RUNNER_"]
    return fingerprint("\n".join(pairs).encode("utf-8", "surrogateescape"))
