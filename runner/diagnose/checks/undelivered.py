"""Alerts get through: none waits for long, none was given up (ALERT-11)."""

from __future__ import annotations

from collections.abc import Iterator

from runner.alerts.waiting import DEAD, find_undelivered, read_waiting
from runner.diagnose.check import WARNING, Finding
from runner.diagnose.context import Context
from runner.diagnose.words import show_span, sum_up
from runner.launch.state import OUTBOX

ID = "DIAG010"
LEVEL = WARNING
TITLE = "alerts are delivered"


def find(context: Context) -> Iterator[Finding]:
    """Yield what waits, what nobody will get, and what is no alert."""
    state = str(context.state)
    undelivered = find_undelivered(state, context.now)
    if undelivered.count:
        age = show_span(context.now - undelivered.oldest_at)
        message = f"{undelivered.count} alert(s) cannot be delivered, the oldest for {age}"
        yield Finding(ID, LEVEL, message, "runner sweep --explain says why; they are tried again")
    if undelivered.dead:
        message = f"{undelivered.dead} alert(s) that nobody will get"
        yield Finding(ID, LEVEL, message, f"read them in {state}/{OUTBOX}/{DEAD}, then remove them")
    if damaged := read_waiting(state)[1]:
        seen = sum_up([f"{path.name}: {why}" for path, why in damaged])
        yield Finding(ID, LEVEL, f"{len(damaged)} file(s) of the outbox cannot be read", f"see {state}/{OUTBOX}", seen)
