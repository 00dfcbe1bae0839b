"""Who changed what outside the home, and when: ``audit`` events of the journal, drained into the ledger (SEC-20)."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

from runner.launch.audit import make_audit
from runner.launch.instant import format_instant
from runner.launch.journal import append_event, make_run_id, short_host
from runner.launch.state import JOURNAL


@dataclass(frozen=True, slots=True)
class Audit:
    """One deed.

    Attributes
    ----------
    action
        What was done, as ``pause``, ``crontab install``.
    command
        The program or the words that did it.
    digest
        Of what stands there now; may be empty.
    detail
        For people: a diff, a reason.
    job
        The job or plan that it is about; empty for none.
    """

    action: str
    command: str
    digest: str = ""
    detail: str = ""
    job: str = ""


def record_audit(state: str, host: str, audit: Audit) -> None:
    """Append who did it and when, synced; OSError if that cannot be."""
    now = time.time()
    append_event(
        f"{state}/{JOURNAL}",
        {
            "event": "audit",
            "at": format_instant(now),
            "run_id": make_run_id(now, short_host(host), os.getpid()),
            "seq": 0,
            **make_audit(
                audit.action,
                host,
                audit.command,
                os.environ.get("SUDO_USER"),
                digest=audit.digest,
                detail=audit.detail,
                job=audit.job,
            ),
        },
        sync=True,
    )
