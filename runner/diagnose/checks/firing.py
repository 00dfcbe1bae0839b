"""Our lines fire: the sweep, which the block starts each minute, has been here (FAULT-51, ALERT-9)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from runner.diagnose.check import ERROR, Finding
from runner.diagnose.context import Context
from runner.diagnose.words import show_span
from runner.launch.instant import format_slot
from runner.launch.state import SWEEP_ALIVE

ID = "DIAG006"
LEVEL = ERROR
TITLE = "the sweep comes each minute"

_LONG_S = 600.0
# PAM lets cron start nothing of an account that has expired, or whose password has.
_HINT = "is the block in the crontab, does cron run, has the account expired (chage -l {user})? runner crontab verify"


def find(context: Context) -> Iterator[Finding]:
    """Yield that no sweep has come for long: lost runs stay open, missed slots unseen, mail unsent."""
    if not context.is_installed():
        return
    silence_s = find_silence_s(context)
    if silence_s is not None and silence_s < _LONG_S:
        return
    if silence_s is None:
        since = "since the install"
    else:
        since = f"for {show_span(silence_s)}, since {format_slot(int(context.now - silence_s))}"
    by_cron = context.get_settings().housekeeping == "cron"
    hint = _HINT.format(user=context.place.user) if by_cron else "what starts runner sweep?"
    yield Finding(ID, LEVEL, f"no sweep has come {since}: nobody mails, drains, sees what is late", hint)


def find_silence_s(context: Context) -> float | None:
    """Return since how long no sweep has ended, None if none ever has."""
    alive = Path(context.state, SWEEP_ALIVE)
    return context.now - alive.stat().st_mtime if alive.exists() else None
