"""Mail can leave by SMTP: the server answers, speaks TLS as asked and lets us in; no mail is sent."""

from __future__ import annotations

from collections.abc import Iterator

from runner.diagnose.check import ERROR, Finding
from runner.diagnose.context import Context

ID = "DIAG009"
LEVEL = ERROR
TITLE = "the SMTP server lets us in"

_WITHIN_S = 5.0


def find(context: Context) -> Iterator[Finding]:
    """Yield why the server would take no mail of ours."""
    mail = context.get_settings().mail
    if mail.via != "smtp":
        return
    from runner.alerts.sinks.smtp import PORTS, probe

    if trouble := probe(mail.smtp, _WITHIN_S):
        where = f"{mail.smtp.host}:{mail.smtp.port or PORTS[mail.smtp.tls]}"
        yield Finding(ID, LEVEL, f"{where} would take no mail of ours", "see mail: in envs/site.yaml", trouble)
