"""``runner pause resume stop``: keeping a job from being started, and ending what runs (RUN-7, RUN-35).

None of them asks: a pause is taken back by ``resume``, and who stops a run is in a hurry. Each says what it did, and
the journal who did it (SEC-20).
"""

from __future__ import annotations

import os
import pwd
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import click

from runner.cli.complete import complete_jobs, complete_names
from runner.cli.context import dry_run_option, get_home, get_target, json_option
from runner.cli.output import print_json
from runner.document.faults import Wrong, suggest
from runner.document.fields import duration
from runner.errors import ANSWER_IS_NO, DONE, UserError
from runner.home.account import acting_as, find_owner, get_account
from runner.home.audit import Audit, record_audit
from runner.home.here import find_target
from runner.home.settings import read_settings
from runner.launch.gates import Place, find_pause, is_plan_name, read_place
from runner.launch.installed import rest_installed
from runner.launch.instant import LAST_INSTANT, format_slot, parse_instant
from runner.launch.pauses import Pause, remove_pause, write_pause
from runner.launch.slot import use_zone
from runner.launch.state import make_state
from runner.plans.write import read_compiled_plans

target_option = click.option("--target", metavar="T", help="Whose jobs; by default those of this host and user.")
reason_option = click.option("--reason", metavar="R", default="", help="Why, for all who ask later.")


@dataclass(frozen=True, slots=True)
class Scene:
    """Whose jobs a command is about, and who calls it.

    ``account`` owns the state directory; ``author`` is the person, also where he acts as root or as the account.
    """

    place: Place
    state: str
    account: pwd.struct_passwd
    author: str

    @contextmanager
    def act(self) -> Iterator[str]:
        """Yield the state directory, to be read and changed with the rights of its account."""
        with acting_as(self.account):
            yield self.state

    def record(self, action: str, job: str, detail: str) -> None:
        """Say in the journal who did what."""
        make_state(self.state)
        audit = Audit(action, f"runner {action}", detail=detail, job=job)
        record_audit(self.state, self.place.host, audit)


@click.command("pause")
@click.argument("job", shell_complete=complete_jobs)
@click.option("--until", metavar="T", help="2h, 3d, 2026-03-08T07:00 local time, 2026-03-08T14:00:00Z; until resumed.")
@reason_option
@target_option
@dry_run_option
@json_option
@click.pass_context
def pause_command(
    ctx: click.Context, job: str, until: str | None, reason: str, target: str | None, dry_run: bool, as_json: bool
) -> None:
    """Keep JOB from being started, in all its profiles, until it is resumed. A run in progress goes on."""
    now = time.time()
    scene = _set_scene(get_home(ctx), target)
    _check_job(scene, job)
    pause = Pause(scene.author, now, 0.0 if until is None else parse_until(until, now), reason)
    with scene.act() as state:
        before = find_pause(state, job, now)
        if not dry_run:
            scene.record("pause", job, _describe_pause(pause))
            write_pause(state, job, pause)
            rest_installed(state, job, 0.0)
    if as_json:
        shown = format_slot(int(pause.until)) if pause.until else None
        facts = {"author": pause.author, "until": shown, "reason": reason, "replaced": before or None}
        print_json([{"job": job, **facts, "dry_run": dry_run}])
        return
    if before:
        click.echo(f"{job} was paused already, {before}")
    click.echo(f"{'dry run: would pause' if dry_run else 'paused'} {job} {_describe_pause(pause)}")


@click.command("resume")
@click.argument("job", shell_complete=complete_jobs)
@target_option
@dry_run_option
@json_option
@click.pass_context
def resume_command(ctx: click.Context, job: str, target: str | None, dry_run: bool, as_json: bool) -> None:
    """Let JOB be started again, from its next slot on. What it missed meanwhile is not made up for."""
    scene = _set_scene(get_home(ctx), target)
    with scene.act() as state:
        before = find_pause(state, job, time.time()) if is_plan_name(job) else ""
        if not before:
            _check_job(scene, job)
        elif not dry_run:
            scene.record("resume", job, f"was paused {before}")
            rest_installed(state, job, time.time())  # no backlog, also if no sweep has seen the pause (RUN-39)
            remove_pause(state, job)
    if as_json:
        print_json([{"job": job, "was_paused": before or None, "dry_run": dry_run}])
    elif not before:
        click.echo(f"{job} is not paused")
    else:
        click.echo(f"{'dry run: would resume' if dry_run else 'resumed'} {job}, which was paused {before}")


@click.command("stop")
@click.argument("name", metavar="JOB|PLAN", shell_complete=complete_names)
@reason_option
@target_option
@dry_run_option
@json_option
@click.pass_context
def stop_command(ctx: click.Context, name: str, reason: str, target: str | None, dry_run: bool, as_json: bool) -> int:
    """End what runs of JOB, or of one plan JOB@PROFILE, and wait until it is gone. Exit 1 if nothing ran."""
    from runner.sweep.stop import end_runs, find_running, request_stop

    scene = _set_scene(get_home(ctx), target)
    _check_job(scene, name.partition("@")[0])
    begun = time.monotonic()
    with scene.act() as state:
        running = find_running(state, name)
        if not running:
            _check_plan(scene, name)
        if running and not dry_run:
            ids = ", ".join(lock.record.run_id for lock in running)
            with _tolerated("is not recorded as asked for"):
                request_stop(state, running, scene.author, reason, time.time())
                scene.record("stop", name, f"{ids}: {reason}" if reason else ids)
            end_runs(scene.place, running)
    took = f"gone after {time.monotonic() - begun:.1f} s"
    if as_json:
        print_json({"plan": lock.plan, "run_id": lock.record.run_id, "dry_run": dry_run} for lock in running)
    elif not running:
        click.echo(f"nothing runs of {name}")
    else:
        for lock in running:
            done = f"dry run: would stop {lock.plan}" if dry_run else f"stopped {lock.plan}, {took}"
            click.echo(f"{done}: run {lock.record.run_id}")
    return DONE if running else ANSWER_IS_NO


@contextmanager
def _tolerated(what: str) -> Iterator[None]:
    """Go on without a record where the disk takes none: a job that fills the disk must be stopped all the same."""
    try:
        yield
    except OSError as error:
        click.echo(f"runner: the stop {what}: {error.filename}: {error.strerror}", err=True)


def parse_until(text: str, now: float) -> float:
    """Return the instant of ``2h``, ``2026-03-08T14:00:00Z`` or, in local time, ``2026-03-08T07:00``.

    Raises
    ------
    UserError
        If it is none of these, or past.
    """
    instant = _read_until(text, now)
    if not now < instant < LAST_INSTANT:
        hint = "to let the job run again, use resume" if instant <= now else "without --until it waits for resume"
        raise UserError(f"--until: {text} is {'past' if instant <= now else 'too far away'}; {hint}")
    return instant


def _read_until(text: str, now: float) -> float:
    with suppress(Wrong):
        return now + duration(text)
    try:
        return parse_instant(text) if text.endswith("Z") else datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        hint = "write a time to wait like 2h or 3d, local time like 2026-03-08T07:00, or UTC like 2026-03-08T14:00:00Z"
        raise UserError(f'--until: "{text}" is no instant; {hint}') from None


def _describe_pause(pause: Pause) -> str:
    until = f"until {format_slot(int(pause.until))}" if pause.until else "until it is resumed"
    return f"{until}: {pause.reason}" if pause.reason else until


def _set_scene(home: Path, target: str | None) -> Scene:
    """Return the scene of a target, by default that of this host and user.

    Of a home without a target for us, a developer's own, it is the state that this home would use; root has
    no jobs there and is asked which target is meant.
    """
    settings = read_settings(home)
    chosen = find_target(settings) if target is None else None
    if target is not None or (chosen is None and os.geteuid() == 0):
        chosen = get_target(settings, target)
    use_zone((chosen.timezone if chosen else "") or None)
    state = settings.state_of(chosen)
    account = get_account(chosen.user) if chosen else pwd.getpwuid(os.geteuid())
    if state.exists() and os.geteuid() == 0:
        account = find_owner(state)
    return Scene(read_place(str(home)), str(state), account, _find_author())


def _find_author() -> str:
    """Return who calls: the person behind sudo, else the user."""
    return os.environ.get("SUDO_USER") or pwd.getpwuid(os.getuid()).pw_name


def _check_job(scene: Scene, job: str) -> None:
    """Raise UserError unless a job of that name is compiled."""
    known = {plan.job for plan in read_compiled_plans(Path(scene.place.home))}
    if job in known:
        return
    if job.partition("@")[0] in known:
        raise UserError(f"{job} is one profile of a job, and all are paused together: name {job.partition('@')[0]}")
    hint = suggest(job, known) if known else 'nothing is compiled here; run "runner compile"'
    raise UserError(f'no job is called "{job}"' + (f"; {hint}" if hint else ""))


def _check_plan(scene: Scene, name: str) -> None:
    """Raise UserError unless that is a job or a compiled plan of one; asked only of what does not run."""
    job = name.partition("@")[0]
    plans = [plan.name for plan in read_compiled_plans(Path(scene.place.home)) if plan.job == job]
    if name not in (job, *plans):
        raise UserError(f'no plan is called "{name}"; of {job} there is {", ".join(plans)}')
