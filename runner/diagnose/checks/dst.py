"""No change of clocks is near; if one is, which jobs it concerns (CRON-32, CRON-39)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from runner.diagnose.check import NOTE, Finding
from runner.diagnose.context import Context
from runner.launch.instant import format_slot

ID = "DIAG018"
LEVEL = NOTE
TITLE = "the clocks do not change within 14 days"

_AHEAD_S = 14 * 86400


def find(context: Context) -> Iterator[Finding]:
    """Yield each change that is ahead, and then what becomes of the jobs with a fixed time in it."""
    from runner.plans.clocks import explain_changes, find_zone
    from runner.plans.zone import read_rules, read_spans

    if context.target is None:
        return
    planned = [one for one in context.list_planned() if one.job.when]
    own, now = find_zone(context.target), int(context.now)
    for zone in sorted({one.job.timezone or own for one in planned}):
        if zone != "UTC" and not read_rules(zone):
            continue  # another check's
        spans = read_spans(zone, now, now + _AHEAD_S)
        for before, after in pairwise(spans):
            hours = (after.offset_s - before.offset_s) / 3600
            message = f"the clocks of {zone} change by {hours:+g} h at {format_slot(after.start)}"
            yield Finding(ID, LEVEL, message, "jobs that run at each hour or minute go on as they are")
        for one in planned:
            for when in one.job.when if (one.job.timezone or own) == zone else ():
                for sentence in explain_changes(when, zone, spans):
                    hint = "move it out of the hour, or give it timezone: UTC"
                    yield Finding(ID, LEVEL, f"{one.plan.name}: {when.text}: {sentence}", hint)
