"""Cron reads what is installed: of a file in /etc/cron.d that it ignores only the system log tells (FAULT-50)."""

from __future__ import annotations

from collections.abc import Iterator

from runner.diagnose.check import ERROR, Finding
from runner.diagnose.context import Context

ID = "DIAG004"
LEVEL = ERROR
TITLE = "cron does not ignore our lines"
TIMEOUT_S = 20.0


def find(context: Context) -> Iterator[Finding]:
    """Yield why cron ignores the file, or a line of ours."""
    from runner.diagnose.verified import verify
    from runner.errors import UserError

    try:
        answers = verify(context)
    except UserError:
        return  # said of the crontab
    for answer in answers:
        if answer.finding == "ignored":
            yield Finding(ID, LEVEL, answer.message, "runner crontab install writes it anew, as root")
