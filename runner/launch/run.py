"""One run, from the line in the crontab to the record of its end, in the order of RUN-2.

Read `run_job` from top to bottom: each step either lets the run go on or says how it ends. Whatever
happens to this process, the run is known: the lock file names it before the journal does, the journal
before the job exists, and what is missing at the end is what the sweep closes as ``lost``.
"""

from __future__ import annotations

import posix
import time

from runner.launch import gates, incident, journal, lock, slot
from runner.launch.attempt import Attempt, Stopper
from runner.launch.environment import apply_changes, base_environment, enter_directory
from runner.launch.gates import Place
from runner.launch.instant import format_instant, format_slot, parse_instant
from runner.launch.log import Log, format_footer, open_log
from runner.launch.outcome import (
    CANNOT_START,
    CODE_NOT_FOUND,
    CODE_TRY_LATER,
    SKIPPED,
    CannotStart,
    Ending,
    judge_stderr,
)  # fmt: skip
from runner.launch.plan import Plan, Step, fill_steps, fingerprint
from runner.launch.process import identify, read_boot_id
from runner.launch.state import HEALTH, JOURNAL, LOCKS, LOGS, WORK, make_directory, make_state, write_all

BY_CRON, BY_HAND = "cron", "hand"


class Request:
    """What the command line asks for.

    ``slot`` is the text of ``--slot`` or empty; ``by_hand`` means that a person watches: the job's output is
    shown and no mail is sent; ``arguments`` are added to the words of a single command.
    """

    __slots__ = ("arguments", "by_hand", "plan_name", "slot")

    def __init__(self, plan_name: str) -> None:
        self.plan_name = plan_name
        self.slot = ""
        self.by_hand = False
        self.arguments: list[str] = []


class Run:
    """One run, and what is known of it before it starts; ``slot`` is POSIX seconds."""

    __slots__ = (
        "arguments", "boot_id", "by_hand", "holder", "id", "lock", "log", "monotonic", "place", "plan", "seq", "slot",
        "started_at", "work",
    )  # fmt: skip
    log: Log

    def __init__(self, place: Place, plan: Plan, request: Request, now: float) -> None:
        self.place = place
        self.plan = plan
        self.by_hand = request.by_hand
        self.arguments = request.arguments
        self.boot_id = read_boot_id()
        self.started_at = now
        self.monotonic = time.monotonic()
        self.id = journal.make_run_id(now, journal.short_host(place.host), posix.getpid())
        self.slot = int(now)
        self.seq = 0
        self.lock = -1
        self.holder = lock.LockRecord()
        self.work = f"{place.state}/{WORK}/{plan.name}"


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
    run.lock, is_ours = _with_state(run, lambda: lock.try_lock(path))
    if is_ours:
        run.holder = lock.read_lock(run.lock)
    else:
        run.holder, is_ours = lock.await_holder(run.lock)
    return is_ours


def _with_state(run: Run, act: Callable[[], T]) -> T:
    """Return what `act` returns; where a part of the state directory was missing, that is made first."""
    try:
        return act()
    except FileNotFoundError:
        make_state(run.place.state)
        return act()


def _describe_holder(holder: lock.LockRecord) -> str:
    named = (("wrapper", holder.wrapper), ("job", holder.job))
    pids = ", ".join([f"{name} pid {who.pid}" for name, who in named if who])
    return f"run {holder.run_id or 'unknown'} since {holder.since or 'just now'}, {pids or 'pid unknown'}"


def _skip(run: Run, reason: str, detail: str) -> int:
    """Record that the run was not started (RUN-6); under cron that is no failure."""
    health, alert = _judge(run, SKIPPED, reason)
    facts: dict[str, journal.Value] = {"reason": reason, "detail": detail, "alerted": alert}
    event = _record(run, "skip", {**_name_run(run), **facts}, sync=False)
    if run.by_hand:
        _say(f"runner: {run.plan.name} skipped: {reason}: {detail}\n")
        return CODE_TRY_LATER
    if alert:
        _speak({**event, "outcome": SKIPPED, "mailto": _recipients(run)}, health, alert, None)
    return 0


def _execute(run: Run, refusal: CannotStart | None) -> int:
    """Start, watch and end the run; with a `refusal` it is recorded as one that could not start."""
    stopper = Stopper()
    start = _record_start(run)
    run.log = open_log(run.place.state, run.plan.name, run.id, run.plan.log_max_bytes)
    steps = _build_steps(run)
    run.log.write_comment(_format_header(run, steps))
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
            _say(f"runner: {run.plan.name}: {cause}\n")
    return _end(run, start, ending, attempt)


def _record_start(run: Run) -> dict[str, journal.Value]:
    """Say that the run is about to start: first in the lock file, then, synced, in the journal (RUN-15)."""
    start: dict[str, journal.Value] = {
        "event": "start",
        "at": format_instant(run.started_at),
        "run_id": run.id,
        "seq": 1,
        **_name_run(run),
        "boot_id": run.boot_id,
        "pid": posix.getpid(),
        "started_at": format_instant(run.started_at),
        "plan_digest": run.plan.digest,
        "log": f"{run.place.state}/{LOGS}/{run.plan.name}/{run.id}.log",
        "mailto": _recipients(run),
        "timeout_s": run.plan.timeout_s,
    }
    record = journal.encode_event(start)
    if run.lock >= 0:
        run.holder.run_id, run.holder.boot_id, run.holder.since = run.id, run.boot_id, str(start["at"])
        run.holder.wrapper, run.holder.job = identify(posix.getpid()), None
        run.holder.start = record.decode().strip()
        _keep_lock(run, lock.write_lock)
    _append(run, str(start["at"]), record, sync=True)
    run.seq = 1
    return start


def _keep_lock(run: Run, write: Callable[[int, lock.LockRecord], None]) -> None:
    """Write what the lock file says; a disk that is full keeps no job from running (it holds the lock all the same)."""
    try:
        write(run.lock, run.holder)
    except OSError as error:
        _say(f"runner: {run.plan.name}: {LOCKS}/{run.plan.name}: {error.strerror}\n")


def _attempt(run: Run, attempt: Attempt, steps: list[Step]) -> Ending:
    from runner.launch.tree import become_subreaper

    become_subreaper()
    posix.set_inheritable(run.lock, True)
    if run.by_hand:
        attempt.show()

    def note_process(pid: int) -> None:
        is_first = run.holder.job is None
        run.holder.job = identify(pid)
        _keep_lock(run, lock.write_lock)
        if is_first:
            _record(run, "attempt", {"attempt": 1, "pid": pid}, sync=False)

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
        _record(run, "step", {"attempt": 1, **facts, "duration_s": end.duration_s}, sync=False)


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
        _say(f"runner: {run.plan.name}: {run.log.describe_trouble()}\n")
    run.log.write_comment(format_footer(end))
    run.log.close()
    health, alert = _judge(run, ending.outcome, ending.reason)
    if alert:
        streams = (attempt.err, attempt.out) if attempt else None
        _speak({**end, "mailto": start["mailto"]}, health, alert, streams)
    _record(run, "end", {**end, "alerted": alert}, sync=True)
    if run.lock >= 0:
        _keep_lock(run, lock.clear_lock)
        lock.unlock(run.lock)
    return ending.exit_code


def _name_run(run: Run) -> dict[str, journal.Value]:
    """Return what every record of a run says of it."""
    return {
        "plan": run.plan.name,
        "job": run.plan.job,
        "profile": run.plan.profile,
        "slot": format_slot(run.slot),
        "host": run.place.host,
        "trigger": BY_HAND if run.by_hand else BY_CRON,
        "release": run.place.release,
    }


def _recipients(run: Run) -> list[str]:
    return run.plan.mailto or run.place.plan.mail_ops


def _record(run: Run, kind: str, facts: dict[str, journal.Value], *, sync: bool) -> dict[str, journal.Value]:
    """Append one event of this run to the journal and return it."""
    run.seq += 1
    at = format_instant(time.time())
    event: dict[str, journal.Value] = {"event": kind, "at": at, "run_id": run.id, "seq": run.seq}
    event = {**event, **{key: value for key, value in facts.items() if key not in event}}
    _append(run, at, journal.encode_event(event), sync=sync)
    return event


def _append(run: Run, at: str, record: bytes, *, sync: bool) -> None:
    """Append to the journal; if that fails the job runs all the same, and somebody is told."""
    directory = f"{run.place.state}/{JOURNAL}"
    try:
        _with_state(run, lambda: journal.append_record(directory, at[:10], record, sync=sync))
    except OSError as error:
        _say(f"runner: {run.plan.name}: journal: {error.strerror}; this record is not kept: {record.decode()}")


def _judge(run: Run, outcome: str, reason: str) -> tuple[incident.Health, str]:
    """Enter the outcome into the plan's health; return it and the kind of mail that is due, empty if none."""
    path = f"{run.place.state}/{HEALTH}/{run.plan.name}"
    facts = run.id, outcome, reason, time.time()
    try:
        health, verdict, flip = _with_state(run, lambda: incident.enter_outcome(path, *facts, by_hand=run.by_hand))
    except OSError as error:
        _say(f"runner: {run.plan.name}: {HEALTH}/{run.plan.name}: {error.strerror}\n")
        # Of a plan whose health nobody knows each bad run speaks.
        health, flip = incident.Health(), ""
        verdict = incident.judge(health, *facts, by_hand=run.by_hand)
    if flip:
        opened = health.incident or health.last_incident
        change: dict[str, journal.Value] = {"incident": opened, "kind": flip, "outcome": outcome}
        _record(run, "flip", {**_name_run(run), **change}, sync=False)
    return health, "" if verdict == incident.SILENT else verdict


def _speak(end: dict[str, journal.Value], health: incident.Health, alert: str, streams: Streams | None) -> None:
    from runner.launch.report import compose

    _say(compose(end, health, alert, streams))


def _say(text: str) -> None:
    """Write to stderr, which cron mails; if nobody listens there is nobody to tell."""
    try:
        write_all(2, text.encode("utf-8", "backslashreplace"))
    except OSError:
        pass


def _build_environment(run: Run) -> dict[str, str]:
    """Return the job's environment, in the order of PROF-4; the caller's is never looked at."""
    try:
        _with_state(run, lambda: make_directory(run.work))
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


def _format_header(run: Run, steps: list[Step]) -> str:
    """Return what the log says before the job does (RUN-41)."""
    plan, place, system = run.plan, run.place, posix.uname()
    rows = [
        f"run {run.id}",
        f"job {plan.job}  plan {plan.name}  attempt 1  slot {format_slot(run.slot)}",
        f"start {format_instant(run.started_at)}  by {BY_HAND if run.by_hand else BY_CRON}",
        f"user {place.user}  host {place.host}  system {system.sysname} {system.release} {system.machine}",
        f"release {place.release}  plan digest {plan.digest}",
        f"profile {plan.profile}, of the job's entry",
        f"cwd {plan.cwd or place.home}  timeout {plan.timeout_s:g} s  grace {plan.grace_s:g} s",
    ]
    for number, step in enumerate(steps, 1):
        rows.append(f"step {number}, if {step.condition}" if len(steps) > 1 else "arguments")
        rows += [f"  {journal.quote(word)}" for word in step.words]
    return "\n".join(rows)


TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from runner.launch.stream import Stream

    T = TypeVar("T")
    Streams = tuple[Stream, Stream]
