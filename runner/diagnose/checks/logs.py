"""Log rotation works: no plan has logs that are too old, too many or too large (RUN-42, RUN-43)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from runner.diagnose.check import WARNING, Finding
from runner.diagnose.context import Context
from runner.diagnose.words import show_bytes, show_span
from runner.launch.gates import is_plan_name, read_plan
from runner.launch.journal import short_host
from runner.launch.plan import Plan
from runner.launch.state import LOGS
from runner.ledger.logs import MOST_LOGS, is_log_of

ID = "DIAG030"
LEVEL = WARNING
TITLE = "log rotation works"

# The newest log, and the newest of a run that did not end well, stay however old they are.
_KEPT = 2
# The sweep removes them each hour; a log may be a little larger than it is cut to.
_SLACK_S = 2 * 3600.0
_SLACK_BYTES = 128 << 10


def find(context: Context) -> Iterator[Finding]:
    """Yield the plans whose logs the sweep does not remove, or the wrapper did not cut."""
    host = short_host(context.place.host)
    for directory in sorted((context.state / LOGS).glob("*/")):
        if is_plan_name(directory.name) and not directory.is_symlink():
            plan = read_plan(str(context.home), directory.name)[0]
            for message in _describe(directory, plan, host, context.now):
                yield Finding(ID, LEVEL, message, "runner sweep --explain says why", str(directory))


def _describe(directory: Path, plan: Plan, host: str, now: float) -> Iterator[str]:
    logs = [entry.stat(follow_symlinks=False) for entry in os.scandir(directory) if is_log_of(entry.name, host)]
    old = [log for log in logs if now - log.st_mtime > plan.log_keep_s + _SLACK_S]
    if len(old) > _KEPT:
        yield f"{len(old)} logs of {directory.name} are older than {show_span(plan.log_keep_s)}"
    if len(logs) > MOST_LOGS + MOST_LOGS // 10:
        yield f"{directory.name} has {len(logs)} logs, at most {MOST_LOGS} are kept"
    largest = max((log.st_size for log in logs), default=0)
    if largest > plan.log_max_bytes + _SLACK_BYTES:
        yield f"a log of {directory.name} has {show_bytes(largest)}, more than {show_bytes(plan.log_max_bytes)}"
