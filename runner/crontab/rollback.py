"""Our block of then, out of a text that was replaced (CRON-65). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from runner.crontab.block import find_sound_blocks
from runner.crontab.entry import Entry, parse_entries
from runner.crontab.preview import Wanted
from runner.errors import UserError
from runner.launch.plan import Plan
from runner.launch.plan_encode import encode_schedule


def want_block_of_then(then: bytes, wanted: Wanted, source: str) -> Wanted:
    """Return the wish for the block that stood in a text.

    Parameters
    ----------
    then
        The text.
    wanted
        What is known of the block without its lines.
    source
        How messages call the text.

    Raises
    ------
    UserError
        If there is not one such block, or it had been edited by hand.
    """
    blocks = [block for block in find_sound_blocks(then) if block.name == wanted.name]
    if not blocks:
        raise UserError(f'{source} has no block of {wanted.name}; "runner crontab uninstall" takes out the one of now')
    if len(blocks) > 1 or blocks[0].is_edited:
        raise UserError(f"{source} has a block of {wanted.name} that is not as we wrote it; bring its lines into jobs/")
    (block,) = blocks
    text = then[block.start : block.end].decode("ascii", "replace")
    return replace(wanted, block=text, entries=parse_entries(block.body.decode("ascii", "replace")))


def plan_as_installed(entry: Entry, plan: Plan) -> Plan:
    """Return a plan with the schedule of its lines: they fire as they say, unless a zone gates them (CRON-36)."""
    if entry.schedules and not plan.timezone:
        plan.schedules = list(entry.schedules)
    return plan


def find_moved(then: Iterable[Entry], today: Iterable[Entry], plans: Mapping[str, Plan]) -> list[str]:
    """Return a warning for each plan whose line of then fires otherwise than the one it is compiled to today.

    Parameters
    ----------
    then, today
        What the lines say, the zones of their plans left aside.
    plans
        Those of today; a line without one is for the install to refuse.
    """
    lines = {entry.plan: _list_firings(entry) for entry in today}
    return [
        f"{entry.plan}: the line of then fires otherwise than its plan of today says; {_explain(plans[entry.plan])}"
        for entry in then
        if entry.plan in plans and _list_firings(entry) != lines.get(entry.plan)
    ]


def _list_firings(entry: Entry) -> set[str]:
    return set(map(encode_schedule, entry.schedules))


def _explain(plan: Plan) -> str:
    if plan.timezone:  # the gate starts nothing else (CRON-36)
        return f"only its slots in {plan.timezone} start, and of those only the ones at which the line fires"
    return "a run keeps the plan of today"
