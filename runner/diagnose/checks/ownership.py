"""Nobody else can change what cron runs, or get into the state directory (SEC-1, SEC-6, SEC-18, SEC-19)."""

from __future__ import annotations

import os
from collections.abc import Iterator

from runner.diagnose.check import ERROR, WARNING, Finding
from runner.diagnose.context import Context

ID = "DIAG023"
LEVEL = ERROR
TITLE = "only we can change what cron runs, and read our state"


def find(context: Context) -> Iterator[Finding]:
    """Yield what an install would refuse or warn of; secrets are another check's."""
    from runner.plans.trusted import examine, find_executed

    loaded = context.get_loaded()
    executed = find_executed(loaded.settings, loaded.planned, context.state)
    secrets = set(executed.secrets)
    # Root may look at a home for others, who have targets there.
    uid = context.home.stat().st_uid if context.target is None and os.geteuid() == 0 else os.geteuid()
    for fault in examine(executed, uid):
        if fault.file not in secrets:
            level = ERROR if fault.level == "error" else WARNING
            yield Finding(ID, level, f"{fault.file} {fault.message}", fault.hint)
