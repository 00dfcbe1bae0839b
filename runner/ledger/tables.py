"""A run as the ledger keeps it, and the names of its tables; their schema is made by ``database/migrations``."""

from __future__ import annotations

from dataclasses import dataclass, fields

from runner.database.database import Value

RUNS = "runs"
LAST_RUNS = "last_runs"
EVENTS = "events"
JOURNALS = "journals"
PACKAGE_LISTS = "package_lists"

SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Run:
    """One run, or one slot that was skipped: all that its ``start``, ``end`` or ``skip`` event says.

    Texts, instants and numbers are those of the journal; None is unknown. `end_seq` is the sequence number of
    the event that ended it; ``mailto`` the recipients, with blanks between.
    """

    run_id: str
    plan: str
    job: str
    profile: str
    slot: str
    host: str
    trigger: str
    release: str
    started_at: str
    log: str | None
    boot_id: str | None
    pid: int | None
    plan_digest: str | None
    mailto: str | None
    timeout_s: float | None
    account: str | None
    command: str | None
    profile_rule: str | None
    end_seq: int | None
    ended_at: str | None
    duration_s: float | None
    outcome: str | None
    reason: str | None
    detail: str | None
    exit_code: int | None
    signal: int | None
    attempts: int | None
    cpu_s: float | None
    max_rss_bytes: int | None
    stdout_bytes: int | None
    stderr_bytes: int | None
    environment_digest: str | None
    packages_digest: str | None
    alerted: str | None

    @property
    def state(self) -> str:
        """Where the run is: ``running`` or ``ended``."""
        return "running" if self.outcome is None else "ended"

    def describe(self) -> dict[str, Value]:
        """Return the fields of ``runner history --json`` (DESIGN section 6, then what more is known)."""
        return {name: getattr(self, name) for name in HISTORY_FIELDS}


RUN_COLUMNS = tuple(field.name for field in fields(Run))
# What the end of a run brings; the columns before it are of its start.
START_COLUMNS = RUN_COLUMNS[: RUN_COLUMNS.index("end_seq")]
END_COLUMNS = RUN_COLUMNS[len(START_COLUMNS) :]
EVENT_COLUMNS = ("run_id", "seq", "event", "at", "record")
HISTORY_FIELDS = (
    "run_id", "job", "profile", "slot", "started_at", "ended_at", "duration_s", "outcome", "reason", "exit_code",
    "signal", "attempts", "host", "release", "log", "cpu_s", "max_rss_bytes", "stdout_bytes", "stderr_bytes",
    "alerted", "plan", "state", "trigger", "detail", "account", "command", "profile_rule", "plan_digest",
    "environment_digest", "packages_digest",
)  # fmt: skip
