"""The chores of the sweep work: one that fails was mailed to ops, and may go on failing since."""

from __future__ import annotations

from collections.abc import Iterator

from runner.diagnose.check import WARNING, Finding
from runner.diagnose.context import Context
from runner.diagnose.words import show_span
from runner.launch.incident import read_health
from runner.launch.state import HEALTH

ID = "DIAG031"
LEVEL = WARNING
TITLE = "the chores of the sweep work"

# How the sweep names the health of a chore: no plan can be called so.
_CHORE = ".sweep-"


def find(context: Context) -> Iterator[Finding]:
    """Yield the chores that fail."""
    for path in sorted((context.state / HEALTH).glob(f"{_CHORE}*")):
        health = read_health(str(path))
        if health.incident:
            chore = path.name.removeprefix(_CHORE)
            message = f"the sweep's chore {chore} fails for {show_span(context.now - health.opened_at)}"
            yield Finding(ID, LEVEL, message, "runner sweep --explain says why", f"{health.bad_runs} time(s)")
