"""One run, from the line in the crontab to the record of its end, in the order of RUN-2.

Read `run_job` from top to bottom: each step either lets the run go on or says how it ends. Whatever
happens to this process, the run is known: the lock file names it before the journal does, the journal
before the job exists, and what is missing at the end is what the sweep closes as ``lost``.
"""

from __future__ import annotations

import posix
import time

from runner.launch import gates, journal, lock, slot
from runner.launch.activation import ACTIVATED
from runner.launch.attempt import Attempt, Stopper
from runner.launch.environment import (
    add_jobside,
    apply_rules,
    base_environment,
    check_environment,
    enter_directory,
    expand_path,
)
from runner.launch.instant import format_instant, format_slot, parse_instant
from runner.launch.log import format_footer, open_log
from runner.launch.outcome import (
    CANNOT_START,
    CODE_NOT_FOUND,
    CODE_STOPPED,
    CODE_TRY_LATER,
    FAILED,
    OK,
    REASON_MEMORY,
    REASON_SHUTDOWN,
    SKIPPED,
    STOPPED,
    CannotStart,
    Ending,
    Stopped,
    judge_stderr,
    refuse,
)
from runner.launch.plan import Step, fill_steps, fingerprint
from runner.launch.process import identify
from runner.launch.records import (
    Request,
    Run,
    format_header,
    judge_run,
    keep_lock,
    name_run,
    record_event,
    record_start,
    say,
)
from runner.launch.scrub import scrub_text
from runner.launch.state import LOCKS, make_directory, with_state
from runner.launch.trust import walk_home

# Less is the slewing of a clock by NTP, and rounding.
_CLOCK_STEP_S = 60.0
# Whose values lead to packages.
_PACKAGED = frozenset({"VIRTUAL_ENV", "CONDA_PREFIX", "LOADEDMODULES"})


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
    scheduled = "" if due is None or run.by_hand else format_slot(due)
    run.steps = _build_steps(run)
    is_held = place.release == "-" or lock.hold_release(home)
    ending = _take_turn(run, scheduled)
    if ending and ending.outcome == OK:
        return 0
    if ending and ending.outcome == SKIPPED:
        return _skip(run, "overlap", ending.reason, ending.exit_code)
    if scheduled:
        run.holder.slots.append(scheduled)
    if fault:
        ending = ending or refuse(CannotStart(fault, CODE_NOT_FOUND))
    if not is_held:
        ending = ending or refuse(CannotStart(f"release {place.release} is being removed"))
    return _execute(run, ending)


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
    if run.by_hand:
        return None
    window_s = slot.GATED_WINDOW_S if run.plan.timezone else slot.NEWEST_WINDOW_S
    return slot.newest_slot(run.plan.schedules, run.started_at, window_s)


def _take_turn(run: Run, scheduled: str) -> Ending | None:
    """Take the plan's lock, or do what the plan says about the run that has it.

    Returns None if the run may begin, else how it has ended; ``ok`` is a slot that was started already (CRON-35).
    """
    try:
        is_free = _take_lock(run)
        if scheduled in run.holder.slots:
            return Ending(OK, "", 0)
        overlap = run.plan.overlap
        if is_free and overlap != "allow":
            return None
        if overlap == "skip" or (run.by_hand and overlap != "allow"):  # a person is not made to wait (RUN-12)
            return Ending(SKIPPED, lock.describe_holder(run.holder), 0)
        from runner.launch.overlap import find_room, wait_turn

        return find_room(run, scheduled, is_free=is_free) if overlap == "allow" else wait_turn(run, scheduled)
    except OSError as error:
        run.lock = -1
        return refuse(CannotStart(f"lock {LOCKS}/{run.plan.name}: {error.strerror}"))


def _take_lock(run: Run) -> bool:
    """Try to take the lock; return whether it is ours and no process of the last run lives (RUN-10)."""
    path = f"{run.place.state}/{LOCKS}/{run.plan.name}"
    run.lock, is_ours = with_state(run.place.state, lambda: lock.try_lock(path))
    if is_ours:
        run.holder = lock.read_lock(run.lock)
    else:
        run.holder, is_ours = lock.await_holder(run.lock)
    return is_ours and not lock.is_held(run.holder, run.boot_id)


def _skip(run: Run, reason: str, detail: str, code: int = 0) -> int:
    """Record that the run was not started (RUN-6); under cron that is no failure, unless `code` says so."""
    detail = scrub_text(detail)
    facts: dict[str, journal.Value] = {**name_run(run), "reason": reason, "detail": detail}
    end: dict[str, journal.Value] = {**facts, "run_id": run.id, "outcome": SKIPPED}
    alert = judge_run(run, end, None)
    record_event(run, "skip", {**facts, "alerted": alert}, sync=False)
    if run.plan.ping and reason != "host":  # whose hosts are others is pinged about by those
        from runner.launch.pings import leave_end

        leave_end(run.place.state, run.plan.ping, end)
    if run.by_hand:
        say(f"runner: {run.plan.name} skipped: {reason}: {detail}\n")
        return CODE_TRY_LATER
    return code


def _execute(run: Run, ending: Ending | None) -> int:
    """Start, watch and end the run; one that has its `ending` already is recorded, and nothing is started."""
    run.stopper = run.stopper or Stopper()
    start = record_start(run)
    if run.by_hand:
        _record_who_asked(run)
    if run.queue >= 0:
        from runner.launch.overlap import leave_queue

        leave_queue(run)
    if run.plan.ping:
        from runner.launch.pings import leave_start

        leave_start(run.place.state, run.plan.ping, run.plan.name, run.id)
    run.log = open_log(run.place.state, run.plan.name, run.id, run.plan.log_max_bytes)
    run.log.write_comment(format_header(run))
    if ending is None:
        ending = _attempt_again(run, run.steps, run.stopper)
    if ending.outcome == STOPPED:
        ending.reason = _explain_stop(run) or ending.reason
    ending.reason = scrub_text(ending.reason, run.log.forms)
    if ending.outcome == CANNOT_START:
        run.log.write_comment(ending.reason)
        if run.by_hand:
            say(f"runner: {run.plan.name}: {ending.reason}\n")
    return _end(run, start, ending)


def _record_who_asked(run: Run) -> None:
    """Say who runs a job by hand (SEC-20); the arguments stand in its log alone."""
    from runner.launch.audit import make_audit

    sudo_user = posix.environ.get(b"SUDO_USER", b"").decode("utf-8", "surrogateescape") or None
    command = f"run-job {run.plan.name} --hand"
    facts = make_audit("run", run.place.host, command, sudo_user, digest=run.plan.digest, job=run.plan.job)
    record_event(run, "audit", facts, sync=False)


def _attempt_again(run: Run, steps: list[Step], stopper: Stopper) -> Ending:
    """Make attempts until one need not be repeated; only the last decides how the run ended (RUN-25)."""
    plan = run.plan
    while True:
        run.attempt += 1
        ending = _attempt(run, steps, stopper)
        if run.attempt > plan.retry_times:
            return ending
        from runner.launch.retry import choose_pause, is_retried

        if not is_retried(ending, plan.retry_on):
            return ending
        run.memory_failures += ending.reason == REASON_MEMORY
        pause_s = choose_pause(run.attempt, plan.retry_delay_s, plan.retry_backoff)
        ended = f"attempt {run.attempt} of {plan.retry_times + 1} ended: {ending.outcome}, {ending.reason}"
        run.log.write_comment(f"{ended}; the next in {pause_s:g} s")
        if not stopper.sleep(pause_s):
            return Ending(STOPPED, REASON_SHUTDOWN, CODE_STOPPED)


def _attempt(run: Run, steps: list[Step], stopper: Stopper) -> Ending:
    """Make one attempt in an environment of its own."""
    try:
        run.walk = walk_home(run.place, run.plan)
        environment = _build_environment(run)
        enter_directory(run.plan.cwd, run.place.home)
        memory_bytes = _choose_memory(run)
        warnings = _guard(run, environment, steps)
        attempt = Attempt(run.plan, environment, run.place.home, run.log, stopper, memory_bytes)
        attempt.walk = run.walk
        for line in warnings:
            run.log.write_pieces(attempt.err.feed(line.encode("utf-8", "backslashreplace"), time.monotonic()))
        if run.plan.activation.mode == "inside":
            from runner.launch.inside import watch_inside

            ending = watch_inside(run, attempt, environment, steps, _watch)
        else:
            ending = _watch(run, attempt, steps)
    except CannotStart as cause:
        return refuse(cause)
    except Stopped:
        return Ending(STOPPED, REASON_SHUTDOWN, CODE_STOPPED)
    if ending.outcome == FAILED and run.plan.limit_memory_bytes:
        from runner.launch.limits import ran_out_of_memory

        err = attempt.err.head + attempt.err.tail
        if ran_out_of_memory(ending.signal, attempt.oom_kills, attempt.max_rss_bytes, memory_bytes, err):
            ending.reason = REASON_MEMORY
    return ending


def _guard(run: Run, environment: dict[str, str], steps: list[Step]) -> list[str]:
    """Return the lines that the job's stderr begins with; CannotStart if profiles would be mixed (PROF-80)."""
    profile = run.plan.profile
    if not run.place.plan.guard and environment.get("CAPO_PROFILE", profile) == profile:
        return []
    from runner.launch.guard import guard_run

    lines = [f"runner: {warning}\n" for warning in guard_run(run, environment, steps)]
    if lines and run.by_hand:
        say(scrub_text("".join(lines), run.log.forms))
    return lines


def _choose_memory(run: Run) -> int:
    ladder = run.plan.limit_memory_bytes
    return ladder[min(run.memory_failures, len(ladder) - 1)] if ladder else 0


def _watch(run: Run, attempt: Attempt, steps: list[Step]) -> Ending:
    from runner.launch.orphans import become_subreaper

    become_subreaper()
    posix.set_inheritable(run.lock, True)
    if run.by_hand:
        attempt.show()
    has_begun = False

    def note_process(pid: int) -> None:
        nonlocal has_begun
        run.holder.job = identify(pid)
        keep_lock(run, lock.write_lock)
        if not has_begun:
            record_event(run, "attempt", {"attempt": run.attempt, "pid": pid}, sync=False)
        has_begun = True

    try:
        ending = attempt.run(steps, note_process)
    finally:
        attempt.close()
        run.tally.add(attempt)
        if len(steps) > 1:
            _record_steps(run, attempt)
    return judge_stderr(ending, run.plan.stderr, attempt.err.unexpected)


def _explain_stop(run: Run) -> str:
    """Return who asked for the end of this run and why, empty if nobody did: a shutdown, or Ctrl-C (RUN-35)."""
    from runner.launch.stops import clear_stop, read_stop

    reason = read_stop(run.place.state, run.plan.name, run.id)
    if reason:
        clear_stop(run.place.state, run.plan.name, run.id)
    return reason


def _record_steps(run: Run, attempt: Attempt) -> None:
    for end in attempt.step_ends:
        signal = end.status & 0x7F or None
        code = None if signal else end.status >> 8
        facts: dict[str, journal.Value] = {"step": end.index, "exit_code": code, "signal": signal}
        record_event(run, "step", {"attempt": run.attempt, **facts, "duration_s": end.duration_s}, sync=False)


def _end(run: Run, start: dict[str, journal.Value], ending: Ending) -> int:
    """Write the end where it belongs: log, health, journal, lock; speak if a human must act."""
    now, tally = time.time(), run.tally
    duration_s = max(time.monotonic() - run.monotonic, 0.0)
    if run.plan.max_duration_s or run.plan.min_duration_s:
        from runner.launch.expect import judge_duration

        ending = judge_duration(ending, duration_s, run.plan)
    step_s = run.find_clock_step(now)
    if abs(step_s) > _CLOCK_STEP_S:
        ending.reason += f"{'; ' if ending.reason else ''}clock stepped {step_s:+.0f} s"
    facts: dict[str, journal.Value] = {
        "duration_s": duration_s,
        "outcome": ending.outcome,
        "reason": ending.reason,
        "exit_code": ending.exit_code,
        "signal": ending.signal or None,
        "attempts": max(run.attempt, 1),
        "cpu_s": tally.cpu_s,
        "max_rss_bytes": tally.max_rss_bytes,
        "stdout_bytes": tally.stdout_bytes,
        "stderr_bytes": tally.stderr_bytes,
        "environment_digest": run.environment_digest or None,
        "packages_digest": run.packages_digest or None,
    }
    end = journal.make_end(start, 0, format_instant(now), **facts)
    if run.log.trouble:
        say(f"runner: {run.plan.name}: {run.log.describe_trouble()}\n")
        run.log.write_comment(run.log.describe_trouble())
    run.log.write_comment(format_footer(end))
    run.log.close()
    record_event(run, "end", {**end, "alerted": judge_run(run, end, tally.streams)}, sync=True)
    if run.lock >= 0:
        keep_lock(run, lock.clear_lock)
        lock.unlock(run.lock)
    if run.plan.ping:
        from runner.launch.pings import leave_end

        leave_end(run.place.state, run.plan.ping, end)
    if tally.echoes and run.stopper:
        run.stopper.let_go()
        for echo in tally.echoes:
            echo.finish()
    return ending.exit_code


def _build_environment(run: Run) -> dict[str, str]:
    """Return the job's environment, in the order of PROF-4; the caller's is never looked at."""
    try:
        with_state(run.place.state, lambda: make_directory(run.work))
    except OSError as error:
        raise CannotStart(f"{run.work}: {error.strerror}") from None
    secrets = _load_secrets(run)  # before anything runs that might show them
    environment = base_environment(run.place.user, run.place.user_home)
    _walk_trees(run)
    _activate_profile(environment, run)
    environment.update(run.plan.env)
    check_environment(environment, run.plan.activation, run.plan.profile, run.place.home)
    run.walk.require(environment["PATH"].split(":"))
    _note_environment(run, environment)
    add_jobside(environment, run.place.home)
    environment.update(
        secrets,
        RUNNER_HOME=run.place.home,
        RUNNER_STATE=run.place.state,
        RUNNER_WORK=run.work,
        RUNNER_JOB=run.plan.job,
        RUNNER_RUN_ID=run.id,
        RUNNER_ATTEMPT=str(run.attempt),
        RUNNER_SLOT=format_slot(run.slot),
        RUNNER_PROFILE=run.plan.profile,
        RUNNER_RELEASE=run.place.release,
        RUNNER_LOG=run.log.path,
    )
    return environment


def _load_secrets(run: Run) -> dict[str, str]:
    """Return the secrets of the job; whatever is said of the run from now on hides them."""
    secrets: dict[str, str] = {}
    if run.plan.secrets:
        from runner.launch.secrets import load_secrets
        from runner.launch.values import list_forms

        run.walk.require([expand_path(path, run.place.home) for _, path in run.plan.secrets])
        load_secrets(secrets, run.plan.secrets, run.place.home)
        # Those of an attempt before too, should a file have changed since.
        run.log.forms = sorted({*run.log.forms, *list_forms(secrets.values())})
    return secrets


def _walk_trees(run: Run) -> None:
    """See that nobody else can change what the profile activates (SEC-19)."""
    activation = run.plan.activation
    if activation.owner or not ACTIVATED.isdisjoint({change.verb for change in activation.changes}):
        from runner.launch.trees import walk_trees

        walk_trees(run.walk, activation, run.place.home)


def _activate_profile(environment: dict[str, str], run: Run) -> None:
    """Make the environment that every job begins with that of the run's profile."""
    activation = run.plan.activation
    if activation.is_captured:
        from runner.launch.live import activate_captured

        activate_captured(environment, run)
    else:
        apply_rules(environment, activation, run.plan.profile, run.place.home)


def _build_steps(run: Run) -> list[Step]:
    date = time.strftime("%Y-%m-%d", time.localtime(run.slot))
    steps = fill_steps(run.plan.steps, {"{slot}": format_slot(run.slot), "{date}": date, "{work}": run.work})
    if run.arguments and steps:
        steps[0].words += run.arguments
    return steps


def _note_environment(run: Run, environment: dict[str, str]) -> None:
    """Say in the log what the environment is, and which packages are in it, if that is new."""
    found, packages = _digest_environment(environment), ""
    has_own = f"{run.place.home}/.runner/bin:" in environment["PATH"]
    if has_own or not _PACKAGED.isdisjoint(environment):
        from runner.launch.packages import keep_packages

        packages = keep_packages(run.place.state, environment, run.interpreter if has_own else "")
    if (found, packages) != (run.environment_digest, run.packages_digest):
        run.environment_digest, run.packages_digest = found, packages
        run.log.write_comment(f"environment digest {found}" + (f"  packages digest {packages}" if packages else ""))


def _digest_environment(environment: dict[str, str]) -> str:
    """Return the digest of what profile and entry say, secrets apart: the same from run to run until they change."""
    pairs = [f"{name}={value}" for name, value in sorted(environment.items())]
    return fingerprint("\n".join(pairs).encode("utf-8", "surrogateescape"))
