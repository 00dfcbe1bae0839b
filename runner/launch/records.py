"""One run: what is known of it, and how that is written down (lock file, journal, log, health) and said.

Nothing here decides anything. What cannot be written is said on stderr, which cron mails, and the job runs
all the same (FAULT-39): a record is worth much, but not the night's data.
"""

from __future__ import annotations

import posix
import time

from runner.launch import incident, journal, lock
from runner.launch.gates import Place
from runner.launch.instant import format_instant, format_slot
from runner.launch.log import Log
from runner.launch.plan import Plan, Step, has_limits, show_command
from runner.launch.process import identify, read_boot_id
from runner.launch.state import HEALTH, JOURNAL, LOCKS, LOGS, WORK, with_state, write_all

BY_CRON, BY_HAND, BY_MISSED, BY_RERUN = "cron", "hand", "missed", "rerun"
_CLOCK_BOOTTIME = 7  # goes on while the machine sleeps, and nobody sets it


class Request:
    """What the command line asks for.

    ``slot`` is the text of ``--slot`` or empty; ``trigger`` is who asks: the crontab, a person who watches
    (the job's output is shown and no mail is sent), or the sweep, for a slot that was missed (RUN-38) or whose
    run was lost (RUN-17); ``arguments`` are added to the words of a single command. ``interpreter`` is that of the
    command ``runner``.
    """

    __slots__ = ("arguments", "interpreter", "plan_name", "slot", "trigger")

    def __init__(self, plan_name: str) -> None:
        self.plan_name = plan_name
        self.slot = ""
        self.trigger = BY_CRON
        self.interpreter = ""
        self.arguments: list[str] = []


class Tally:
    """What all attempts of a run used and said.

    ``streams`` are stderr and stdout of the last one that began, ``echoes`` what who watches has still to be shown.
    """

    __slots__ = ("cpu_s", "echoes", "max_rss_bytes", "stderr_bytes", "stdout_bytes", "streams")

    def __init__(self) -> None:
        self.cpu_s = 0.0
        self.max_rss_bytes = self.stdout_bytes = self.stderr_bytes = 0
        self.streams: Streams | None = None
        self.echoes: list[Echo] = []

    def add(self, attempt: Attempt) -> None:
        """Count one more attempt."""
        self.cpu_s += attempt.cpu_s
        self.max_rss_bytes = max(self.max_rss_bytes, attempt.max_rss_bytes)
        self.stdout_bytes += attempt.out.size
        self.stderr_bytes += attempt.err.size
        self.streams = attempt.err, attempt.out
        self.echoes += attempt.echoes


class Run:
    """One run, and what is known of it so far.

    Attributes
    ----------
    slot
        POSIX seconds.
    lock, lock_name, queue
        The descriptor and the name of its lock file, and the descriptor of the file of who waits; -1 for none.
    walk
        Who else can change what this attempt executes.
    steps
        With all that is filled in at the run.
    environment_digest, packages_digest
        Of the last attempt's environment, and of the packages in it; empty where there is none.
    attempt, memory_failures
        How many attempts have begun, and how many of them ran out of memory.
    """

    __slots__ = (
        "arguments", "attempt", "boot_id", "by_hand", "clock_s", "environment_digest", "holder", "id", "interpreter",
        "is_full", "lock", "lock_name", "log", "memory_failures", "monotonic", "packages_digest", "place", "plan",
        "queue", "seq", "slot", "started_at", "steps", "stopper", "tally", "trigger", "walk", "work",
    )  # fmt: skip
    log: Log
    walk: Walk

    def __init__(self, place: Place, plan: Plan, request: Request, now: float) -> None:
        self.place = place
        self.plan = plan
        self.trigger = request.trigger
        self.by_hand = request.trigger == BY_HAND
        self.arguments = request.arguments
        self.interpreter = request.interpreter
        self.boot_id = read_boot_id()
        self.id = journal.make_run_id(now, journal.short_host(place.host), posix.getpid())
        self.slot = int(now)
        self.steps: list[Step] = []
        self.environment_digest = self.packages_digest = ""
        self.seq = 1  # that of ``start``
        self.attempt = self.memory_failures = 0
        self.tally = Tally()
        self.stopper: Stopper | None = None
        self.lock = self.queue = -1
        self.lock_name = plan.name
        self.holder = lock.LockRecord()
        self.is_full = False
        self.begin(now)
        self.work = f"{place.state}/{WORK}/{plan.name}"

    def begin(self, now: float) -> None:
        """Count its time from now on."""
        self.started_at = now
        self.monotonic = time.monotonic()
        self.clock_s = time.clock_gettime(_CLOCK_BOOTTIME)

    def find_clock_step(self, now: float) -> float:
        """Return by how many seconds the clock was set while the run went on; a suspended machine's is not."""
        return now - self.started_at - (time.clock_gettime(_CLOCK_BOOTTIME) - self.clock_s)


def record_start(run: Run) -> dict[str, journal.Value]:
    """Say that the run is about to start: first in the lock file, then, synced, in the journal (RUN-15)."""
    start = _make_start(run)
    line = journal.encode_event(start)
    if run.lock >= 0:
        _save_start(run, run.holder)
        _name_holder(run, run.holder, line)
        keep_lock(run, lock.write_lock)
    _append(run, str(start["at"]), line, sync=True)
    return start


def record_wait(run: Run, scheduled: str, detail: str) -> None:
    """Say that the run waits for its plan's lock: who is killed there is found by the sweep like any other run."""
    waiter = lock.LockRecord()
    waiter.slots = [scheduled] if scheduled else []
    _save_start(run, lock.read_lock(run.queue))
    _name_holder(run, waiter, journal.encode_event(_make_start(run)))
    keep_record(run, run.queue, waiter, lock.write_lock)
    record_event(run, "wait", {**name_run(run), "detail": detail}, sync=False)


def _save_start(run: Run, record: lock.LockRecord) -> None:
    """Let the journal know a run that was killed before it could be written there, since its name is written over."""
    if record.run_id and record.run_id != run.id and record.start:
        _append(run, format_instant(time.time()), f"\n{record.start}\n".encode(), sync=True)


def _name_holder(run: Run, record: lock.LockRecord, start: bytes) -> None:
    """Enter the run into what a lock file says."""
    record.run_id, record.boot_id, record.since = run.id, run.boot_id, format_instant(run.started_at)
    record.wrapper, record.job = identify(posix.getpid()), None
    record.start = start.decode().strip()


def _make_start(run: Run) -> dict[str, journal.Value]:
    return {
        "event": "start",
        "at": format_instant(run.started_at),
        "run_id": run.id,
        "seq": 1,
        **name_run(run),
        "boot_id": run.boot_id,
        "pid": posix.getpid(),
        "started_at": format_instant(run.started_at),
        "plan_digest": run.plan.digest,
        "log": f"{run.place.state}/{LOGS}/{run.plan.name}/{run.id}.log",
        "mailto": list_recipients(run),
        "timeout_s": run.plan.timeout_s,
        "account": run.place.user,
        "command": show_command(run.steps),
        "profile_rule": run.plan.profile_rule,
    }


def keep_lock(run: Run, write: Callable[[int, lock.LockRecord], None]) -> None:
    """Write what the run's lock file says."""
    keep_record(run, run.lock, run.holder, write)


def keep_record(
    run: Run, descriptor: int, record: lock.LockRecord, write: Callable[[int, lock.LockRecord], None]
) -> None:
    """Write what a lock file says; a disk that is full keeps no job from running (it holds the lock all the same)."""
    try:
        write(descriptor, record)
    except OSError as error:
        say(f"runner: {run.plan.name}: {LOCKS}/{run.lock_name}: {error.strerror}\n")


def name_run(run: Run) -> dict[str, journal.Value]:
    """Return what every record of a run says of it."""
    return {
        "plan": run.plan.name,
        "job": run.plan.job,
        "profile": run.plan.profile,
        "slot": format_slot(run.slot),
        "host": run.place.host,
        "trigger": run.trigger,
        "release": run.place.release,
    }


def list_recipients(run: Run) -> list[str]:
    """Return who is told of this run (ALERT-6)."""
    return run.plan.mailto or run.place.plan.mail_ops


def record_event(run: Run, kind: str, facts: dict[str, journal.Value], *, sync: bool) -> dict[str, journal.Value]:
    """Append one event of this run to the journal and return it."""
    run.seq += 1
    at = format_instant(time.time())
    event: dict[str, journal.Value] = {"event": kind, "at": at, "run_id": run.id, "seq": run.seq}
    event = {**event, **{key: value for key, value in facts.items() if key not in event}}
    _append(run, at, journal.encode_event(event), sync=sync)
    return event


def _append(run: Run, at: str, line: bytes, *, sync: bool) -> None:
    """Append to the journal; if that fails the job runs all the same, and somebody is told."""
    directory = f"{run.place.state}/{JOURNAL}"
    try:
        with_state(run.place.state, lambda: journal.append_record(directory, at[:10], line, sync=sync))
    except OSError as error:
        _append_elsewhere(run, line, error)


def _append_elsewhere(run: Run, line: bytes, error: OSError) -> None:
    """Keep the record of a full disk in the reserve (RUN-15); what cannot be kept at all is at least said."""
    from runner.launch import reserve

    text = f"runner: {run.plan.name}: journal: {error.strerror}"
    try:
        if error.errno not in reserve.FULL:
            raise error
        reserve.append_to_reserve(run.place.state, line)
    except OSError:
        say(f"{text}; this record is not kept: {line.decode()}")
    else:
        if not run.is_full:
            say(f"{text}; the records of this run wait in the reserve\n")
        run.is_full = True


def judge_run(run: Run, end: dict[str, journal.Value], streams: Streams | None) -> str:
    """Enter the outcome into the plan's health, and say what is due; return the kind of alert, empty if none.

    `end` is the run's ``end`` or ``skip`` event, with its ``outcome``.
    """
    path, told = f"{run.place.state}/{HEALTH}/{run.plan.name}", []
    outcome, reason, now = str(end["outcome"]), str(end["reason"]), time.time()

    def tell(health: incident.Health, verdict: str) -> None:
        from runner.launch.outbox import post_alert

        told.append(verdict)
        say(post_alert(run.place, {**end, "mailto": list_recipients(run)}, health, verdict, streams))

    def enter() -> tuple[incident.Health, str, str]:
        return incident.enter_outcome(path, run.id, outcome, reason, now, tell, by_hand=run.by_hand)

    try:
        health, _, flip = with_state(run.place.state, enter)
    except OSError as error:
        say(f"runner: {run.plan.name}: {HEALTH}/{run.plan.name}: {error.strerror}\n")
        # Of a plan whose health nobody knows each bad run speaks.
        health, flip = incident.Health(), ""
        verdict = incident.judge(health, run.id, outcome, reason, now, by_hand=run.by_hand)
        if verdict != incident.SILENT and not told:
            tell(health, verdict)
    if flip:
        opened = health.incident or health.last_incident
        change: dict[str, journal.Value] = {"incident": opened, "kind": flip, "outcome": outcome}
        record_event(run, "flip", {**name_run(run), **change}, sync=False)
    return told[0] if told else ""


def say(text: str) -> None:
    """Write to stderr, which cron mails; if nobody listens there is nobody to tell."""
    try:
        write_all(2, text.encode("utf-8", "backslashreplace"))
    except OSError:
        pass


def format_header(run: Run) -> str:
    """Return what the log says before the job does (RUN-41)."""
    plan, place, system = run.plan, run.place, posix.uname()
    rows = [
        f"run {run.id}",
        f"job {plan.job}  plan {plan.name}  attempt 1  slot {format_slot(run.slot)}",
        f"start {format_instant(run.started_at)}  by {run.trigger}",
        f"user {place.user}  host {place.host}  system {system.sysname} {system.release} {system.machine}",
        f"release {place.release}  plan digest {plan.digest}",
        f"profile {plan.profile}, {plan.profile_rule}",
        f"cwd {plan.cwd or place.home}  timeout {plan.timeout_s:g} s  grace {plan.grace_s:g} s",
    ]
    if has_limits(plan):
        rows.append(f"limits {_describe_limits(plan)}")
    for number, step in enumerate(run.steps, 1):
        rows.append(f"step {number}, if {step.condition}" if len(run.steps) > 1 else "arguments")
        rows += [f"  {journal.quote(word)}" for word in step.words]
    return "\n".join(rows)


def _describe_limits(plan: Plan) -> str:
    pairs = [
        ("memory", ",".join([str(rung) for rung in plan.limit_memory_bytes])),
        ("cpu", f"{plan.limit_cpu_s:g}"),
        ("files", str(plan.limit_files)),
        ("processes", str(plan.limit_processes)),
        ("nice", str(plan.limit_nice)),
    ]
    return "  ".join([f"{name} {value}" for name, value in pairs if value not in ("", "0")])


TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.launch.attempt import Attempt, Stopper
    from runner.launch.echo import Echo
    from runner.launch.stream import Stream
    from runner.launch.trust import Walk

    Streams = tuple[Stream, Stream]
