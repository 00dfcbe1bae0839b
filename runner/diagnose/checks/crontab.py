"""The installed crontab agrees: cron reads what was installed, and that is what the registry says (FAULT-51)."""

from __future__ import annotations

from collections.abc import Iterator

from runner.diagnose.check import ERROR, NOTE, WARNING, Finding
from runner.diagnose.context import Context

ID = "DIAG003"
LEVEL = ERROR
TITLE = "the crontab has our block as the registry has it"
TIMEOUT_S = 20.0

_LEVELS = {"absent": ERROR, "double": ERROR, "edited": ERROR, "stale": WARNING, "foreign-below": WARNING}


def find(context: Context) -> Iterator[Finding]:
    """Yield the answers of ``crontab verify`` but for what cron ignores, which is another check's."""
    from runner.diagnose.verified import verify
    from runner.errors import UserError

    try:
        answers = verify(context)
    except UserError as error:
        yield Finding(ID, ERROR, "the target of this host cannot be what is meant", "see envs/site.yaml", str(error))
        return
    for answer in answers:
        if answer.finding == "absent" and not context.is_installed():
            yield Finding(ID, NOTE, "nothing is installed: cron runs none of the jobs", "runner crontab install")
        elif answer.finding in _LEVELS:
            yield Finding(ID, _LEVELS[answer.finding], f"{answer.finding}: {answer.message}", "runner crontab diff")
