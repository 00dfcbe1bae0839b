"""``runner why JOB TIME``: one answer to why a job did or did not run (DESIGN section 7)."""

from __future__ import annotations

import time as clock
from collections.abc import Iterator

import click

from runner.cli.complete import complete_names
from runner.cli.context import get_home, json_option
from runner.cli.output import clean, print_json, show_trouble
from runner.cli.times import show_duration, show_in_zone, show_instant, show_instants
from runner.document.faults import describe_unknown
from runner.errors import ANSWER_IS_NO, DONE, UserError
from runner.home.here import find_database
from runner.home.settings import read_settings
from runner.launch.instant import parse_instant
from runner.launch.slot import use_zone
from runner.ledger.asked import parse_asked
from runner.ledger.evidence import Scene, find_plans, gather_facts
from runner.ledger.history import History, open_history
from runner.ledger.why import ANSWERS, RAN, Answer, explain


@click.command("why")
@click.argument("job", shell_complete=complete_names)
@click.argument("time", metavar="TIME", nargs=-1, required=True)
@json_option
@click.pass_context
def why_command(ctx: click.Context, job: str, time: tuple[str, ...], as_json: bool) -> int:
    """Say why JOB (or a plan JOB@PROFILE) did or did not run at TIME. Exit 1 if it did not.

    TIME is local time of the target: 02:00 (the last one), yesterday 02:00, 2026-11-25 02:00; or an instant,
    2026-11-25T09:00:00Z.
    """
    scene, words = Scene(read_settings(get_home(ctx)), clock.time()), " ".join(time)
    use_zone(scene.zone or None)
    parse_asked(words, scene.now)  # a mistake is told before a database is asked
    with open_history(find_database(scene.settings), scene.state, scene.now) as history:
        show_trouble(history.warnings)
        plans = find_plans(scene, job) or _recall_plans(scene, history, job)
        answers = [explain(facts) for plan in plans for facts in gather_facts(scene, history, plan, words)]
    if as_json:
        print_json(answer.describe() for answer in answers)
    else:
        show_in_zone(scene.zone)
        for answer in answers:
            click.echo("\n".join(map(clean, _show(answer))))
    return DONE if all(answer.answer in RAN for answer in answers) else ANSWER_IS_NO


def _recall_plans(scene: Scene, history: History, job: str) -> list[str]:
    """Return the plans of a job that only the history still knows; UserError if it does not know it either."""
    plans = sorted({run.plan for run in history.read_runs(job, 100)})
    if not plans:
        known = {plan.partition("@")[0] for plan in (*scene.compiled, *scene.installed)} | {*scene.compiled}
        raise UserError(describe_unknown("job or plan", job, known))
    return plans


def _show(answer: Answer) -> Iterator[str]:
    """Yield the lines of an answer."""
    result = ", ".join(filter(None, [answer.outcome, answer.reason])) if answer.run_id else ""
    yield f"{answer.plan} at {show_instant(answer.slot)}: {ANSWERS[answer.answer]}" + (f": {result}" if result else "")
    if answer.detail:
        yield f"  {show_instants(answer.detail)}"
    if answer.run_id:
        yield f"  run {answer.run_id}" + _show_span(answer)
    if answer.log:
        yield f"  log {answer.log}"
    if answer.answer not in RAN:
        before, after = show_instant(answer.before) or "none", show_instant(answer.after) or "none"
        yield f"  slots before and after: {before}, {after}"


def _show_span(answer: Answer) -> str:
    if not answer.started_at or answer.answer == "skipped":
        return ""
    start = f", started {show_instant(answer.started_at)}"
    if not answer.ended_at:
        return start
    seconds = parse_instant(answer.ended_at) - parse_instant(answer.started_at)
    return f"{start}, took {show_duration(max(seconds, 0.0))}"
