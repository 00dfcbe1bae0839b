"""``runner profile pull``: a replica of a property directory is made what its origin is (PROF-90 to PROF-93)."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import click

from runner.cli.context import ask, dry_run_option, get_home, json_option, yes_option
from runner.cli.output import clean, going_on, print_json, say_lines
from runner.cli.times import show_duration
from runner.errors import ANSWER_IS_NO, DONE, RunnerError, UserError
from runner.home.here import read_host
from runner.home.settings import Settings, read_settings
from runner.home.site import find_site
from runner.profiles.pull import Done, Mirror, Pull, apply_pull, find_record, prepare_pull
from runner.profiles.replicas import measure_lag


@click.command("pull", short_help="make replicas of property directories what their origins are")
@click.argument("directories", metavar="[DIRECTORY]...", nargs=-1)
@click.option("--fewer", is_flag=True, help="Pull even if the origin has less than half the files of last time.")
@yes_option
@dry_run_option
@json_option
@click.pass_context
def pull_command(
    ctx: click.Context, directories: tuple[str, ...], fewer: bool, yes: bool, dry_run: bool, as_json: bool
) -> int:
    """Make replicas of property directories what their origins are; by default all of capo.mirror.

    A file that was edited here is kept as .local/NAME.TIME and replaced; one that the origin has no more is moved
    there. Exit 1 if there was one, 2 if an origin is refused, 75 if there is no way to it.
    """
    settings = read_settings(get_home(ctx))
    mirrors = _choose_mirrors(settings, directories)
    host = read_host()
    if find_site(settings, host) == settings.capo.master:
        raise UserError(f"{host} is at {settings.capo.master}, capo.master: here are the originals, edit them")
    wish = _Wish(host, settings.capo.max_age_s, fewer, yes, dry_run, as_json)
    return max(_pull(mirror, wish) for mirror in mirrors)


@dataclass(frozen=True, slots=True)
class _Wish:
    """How the command was called, where, and how old a replica may be."""

    host: str
    max_age_s: float
    fewer: bool
    yes: bool
    dry_run: bool
    as_json: bool


def _choose_mirrors(settings: Settings, directories: tuple[str, ...]) -> list[Mirror]:
    origins = dict(settings.capo.mirror)
    if not origins:
        raise UserError("envs/site.yaml: no capo.mirror, so there is nothing to pull")
    asked = list(dict.fromkeys(os.path.abspath(name) for name in directories)) or list(origins)  # noqa: PTH100
    for unknown in [name for name in asked if name not in origins]:
        raise UserError(f"{unknown} is no replica; in capo.mirror are: {', '.join(origins)}")
    return [Mirror(Path(name), origins[name]) for name in asked]


def _pull(mirror: Mirror, wish: _Wish) -> int:
    """Pull one replica and report; trouble with it keeps no other from being pulled."""
    report = _Report()
    try:
        with prepare_pull(mirror, wish.host, fewer=wish.fewer, is_dry=wish.dry_run) as pull:
            report.pull = pull
            code = _go_on(pull, wish, report)
    except RunnerError as trouble:
        report.error, code = str(trouble), trouble.exit_code
        say_lines([f"runner: {trouble}", f"runner: {mirror.directory}: {_show_lag(mirror, wish.max_age_s)}"])
    if wish.as_json:
        with going_on():
            print_json([_describe(mirror, report, wish)])
    return code


@dataclass(slots=True)
class _Report:
    """What is known of a pull so far."""

    pull: Pull | None = None
    done: list[Done] = field(default_factory=list)
    error: str = ""


def _go_on(pull: Pull, wish: _Wish, report: _Report) -> int:
    is_asked = bool(pull.steps) and not (wish.yes or wish.dry_run)
    if not wish.as_json or (is_asked and sys.stdin.isatty()):
        with going_on():
            _show_plan(pull, wish)
    say_lines(
        f"runner: {pull.mirror.directory}/{name}: at the origin it is no plain file; not pulled" for name in pull.left
    )
    if wish.dry_run:
        report.done = [Done(step) for step in pull.steps]
        return DONE
    if is_asked and not ask():
        say_lines(["nothing was changed"])
        return ANSWER_IS_NO

    def tell(done: Done) -> None:
        report.done.append(done)
        with going_on():
            _tell_kept(done, pull.mirror)

    apply_pull(pull, time.time, tell)
    return ANSWER_IS_NO if pull.left or any(done.kept for done in report.done) else DONE


def _show_plan(pull: Pull, wish: _Wish) -> None:
    mirror = pull.mirror
    lines = [f"{mirror.directory} from {mirror.origin}: {len(pull.origin)} files, {len(pull.steps)} to change; "]
    lines[0] += _show_lag(mirror, wish.max_age_s)
    lines += [f"  {step.deed} {step.name}: {step.why}" for step in pull.steps]
    lines += [f"  ignore {name}: no profile can be called so" for name in pull.ignored]
    # Of an answer in JSON what is asked about is no part.
    click.echo("\n".join(clean(line) for line in lines), err=wish.as_json)


def _tell_kept(done: Done, mirror: Mirror) -> None:
    """Say on stderr what was kept aside, for whoever edited it: the job's owner gets it as a mail (PROF-91)."""
    if done.kept:
        say_lines([f"runner: {mirror.directory}/{done.step.name}: {done.step.why}; kept as {done.kept}"])
        say_lines(f"  {line}" for line in done.diff)


def _show_lag(mirror: Mirror, max_age_s: float) -> str:
    lag_s = _find_last(mirror)[1]
    if lag_s is None:
        return "no good pull yet"
    late = f", more than {show_duration(max_age_s)}" if lag_s > max_age_s else ""
    return f"the last good pull was {show_duration(lag_s)} ago{late}"


def _find_last(mirror: Mirror) -> tuple[str, float | None]:
    """Return the instant of the last good pull and its age in seconds; of a damaged record nothing."""
    try:
        record = find_record(mirror.directory)
    except (RunnerError, OSError):
        return "", None
    return record.pulled_at, measure_lag(record, time.time())


def _describe(mirror: Mirror, report: _Report, wish: _Wish) -> dict[str, object]:
    """Return the fields of ``--json``."""
    pulled_at, lag_s = _find_last(mirror)
    pull = report.pull
    changes = [
        {"name": done.step.name, "deed": done.step.deed, "why": done.step.why, "kept": done.kept}
        for done in report.done
    ]
    return {
        "directory": str(mirror.directory),
        "origin": mirror.origin,
        "pulled_at": pulled_at,
        "lag_s": lag_s,
        "late": lag_s is None or lag_s > wish.max_age_s,
        "files": len(pull.origin) if pull else None,
        "changes": changes,
        "left": list(pull.left) if pull else [],
        "ignored": [clean(name) for name in pull.ignored] if pull else [],
        "error": clean(report.error),
    }
