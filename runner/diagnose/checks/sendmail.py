"""Mail can leave by the local program: the runner's own mails, and what cron has to say itself (CRON-27)."""

from __future__ import annotations

import os
from collections.abc import Iterator

from runner.crontab import tables
from runner.diagnose.check import ERROR, WARNING, Finding
from runner.diagnose.context import Context

ID = "DIAG008"
LEVEL = ERROR
TITLE = "the program that takes mails is there"


def find(context: Context) -> Iterator[Finding]:
    """Yield which program is missing: an error where the mails of jobs go that way."""
    mail = context.get_settings().mail
    if mail.via == "sendmail" and not os.access(mail.sendmail, os.X_OK):
        message = f"{mail.sendmail} is not there or not executable: no mail of a job can leave"
        yield Finding(ID, ERROR, message, "install a mail transfer agent, or say mail: {via: smtp, smtp: {host: NAME}}")
    program = str(tables.SENDMAIL)
    if (mail.via != "sendmail" or mail.sendmail != program) and not os.access(program, os.X_OK):
        level = ERROR if mail.via == "cron" else WARNING
        message = f"{program} is not there or not executable: cron throws away what it would mail"
        hint = "install a mail transfer agent: else nobody hears of a wrapper that cannot start"
        yield Finding(ID, level, message, hint)
