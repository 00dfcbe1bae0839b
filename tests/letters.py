"""Alerts as a wrapper leaves them."""

from __future__ import annotations

from runner.alerts.digest import BAD, BOOT, Letter
from runner.launch.incident import FIRST, RECOVERED
from runner.launch.outbox import Entry

AT = 1_795_000_000.0  # 2026-11-18T11:06:40Z


def make_entry(number: int = 1, **fields: object) -> Entry:
    """Return the alert of the failed run of one job, for the team."""
    entry = Entry()
    entry.run_id = entry.incident = f"20261118T110640.{number:06d}Z-ops1-4242"
    entry.plan = entry.job = f"job-{number}"
    entry.profile, entry.kind, entry.outcome, entry.at = "dsoc-prod", FIRST, "failed", AT
    entry.to = ["team@example.org"]
    entry.subject, entry.first_line = f"FAILED job-{number} [dsoc-prod] exit 3", "could not connect to server"
    entry.body = f"job-{number} failed after 0.1 s: exit 3.\n---- stderr, 1 line ----\ncould not connect to server\n"
    for key, value in fields.items():
        setattr(entry, key, value)
    return entry


def make_letter(*entries: Entry) -> Letter:
    """Return the letter of one alert, or the digest of several."""
    first = entries[0]
    kind = BOOT if first.boot else RECOVERED if first.kind == RECOVERED else BAD
    return Letter(tuple(first.to), kind, entries, is_digest=len(entries) > 1 or kind == BOOT)
