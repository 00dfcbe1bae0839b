"""Whether cron is to mail that a chore fails: it fails each minute while a database is down, and one mail is enough.

A chore's trouble is an incident like that of a plan, told of in the same rhythm: at once, after an hour, after
four more, then daily, and when it is over (ALERT-4).
"""

from __future__ import annotations

from pathlib import Path

from runner.errors import DONE
from runner.launch.incident import RECOVERED, SILENT, enter_outcome
from runner.launch.instant import format_instant
from runner.launch.outcome import FAILED, OK
from runner.launch.state import HEALTH
from runner.sweep.chores import Result


def choose_message(state: str, result: Result, now: float) -> str:
    """Return what cron is to mail about a chore, empty for nothing; remembers what was said.

    Parameters
    ----------
    now
        POSIX seconds, later at each call.
    """
    # No plan has such a name, so that this is the health of none.
    path = Path(state, HEALTH, f".sweep-{result.chore}")
    if result.code == DONE and not path.exists():
        return ""
    outcome = OK if result.code == DONE else FAILED
    try:
        _, verdict, _ = enter_outcome(str(path), format_instant(now), outcome, result.detail, now)
    except OSError:  # a full disk, which takes no memory of what was said
        return describe_trouble(result) if result.code != DONE else ""
    if verdict == SILENT:
        return ""
    return describe_trouble(result) if verdict != RECOVERED else f"runner sweep: {result.chore}: works again"


def describe_trouble(result: Result) -> str:
    """Return the line that says which chore failed and why."""
    return f"runner sweep: {result.chore}: {result.detail}"
