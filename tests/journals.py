"""A journal for tests: events as the wrapper writes them, in a real state directory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.launch.instant import format_instant, format_slot, parse_instant
from runner.launch.journal import encode_event, make_end, make_run_id
from runner.launch.state import make_state

Event = dict[str, Any]
NOW = parse_instant("2026-11-21T12:00:00Z")
TODAY = "2026-11-21"


def start_of(plan: str = "download", at: float = NOW, **fields: object) -> Event:
    """Return the ``start`` event of a run that began at `at`; its run id follows from that and `pid`."""
    event: Event = {
        "event": "start",
        "at": format_instant(at),
        "run_id": make_run_id(at, "ops1", int(str(fields.get("pid", 4242)))),
        "seq": 1,
        "plan": plan,
        "job": plan.partition("@")[0],
        "profile": "dsoc-prod",
        "slot": format_slot(int(at)),
        "host": "ops1.example.org",
        "trigger": "cron",
        "release": "-",
        "boot_id": "6f0b8e2c-6c3b-4b57-9a9b-1d6cf8a6b111",
        "pid": 4242,
        "started_at": format_instant(at),
        "plan_digest": "0123456789abcdef",
        "log": f"/state/logs/{plan}/x.log",
        "mailto": ["ql@example.org", "ops@example.org"],
        "timeout_s": 21600.0,
        "account": "wfc3ql",
        "command": "jobs/download.py wfc3",
        "profile_rule": "of the job's entry",
    }
    return {**event, **fields}


def end_of(start: Event, outcome: str = "ok", **fields: object) -> Event:
    """Return the ``end`` event of a run, two seconds after its start."""
    facts: dict[str, Any] = {
        "duration_s": 2.0,
        "outcome": outcome,
        "reason": "",
        "exit_code": 0,
        "attempts": 1,
        "cpu_s": 0.25,
        "max_rss_bytes": 4096,
        "stdout_bytes": 10,
        "stderr_bytes": 0,
        "environment_digest": "00000000000000e1",
        "packages_digest": None,
        "alerted": "",
    }
    ended_at = format_instant(parse_instant(start["started_at"]) + 2)
    return {**make_end(start, 5, ended_at), **facts, **fields}


def skip_of(plan: str = "download", at: float = NOW, reason: str = "overlap", **fields: object) -> Event:
    """Return the ``skip`` event of a slot."""
    start = start_of(plan, at)
    keys = ("at", "run_id", "seq", "plan", "job", "profile", "slot", "host", "trigger", "release")
    named = {key: start[key] for key in keys}
    return {**named, "event": "skip", "reason": reason, "detail": "run X", "alerted": "", **fields}


def run_of(plan: str = "download", at: float = NOW, outcome: str = "ok", **fields: object) -> list[Event]:
    """Return start and end of one run."""
    start = start_of(plan, at)
    return [start, end_of(start, outcome, **fields)]


def runs_of(plan: str, count: int, at: float = NOW, every_s: float = 60) -> list[Event]:
    """Return starts and ends of many runs."""
    return [event for number in range(count) for event in run_of(plan, at + number * every_s)]


@dataclass(frozen=True, slots=True)
class Journal:
    """The journal of one state directory."""

    state: Path

    def append(self, *events: Event | bytes, day: str = TODAY) -> Path:
        """Append events, or raw bytes, to the file of a day; return its path."""
        path = self.path(day)
        with path.open("ab") as file:
            for event in events:
                file.write(event if isinstance(event, bytes) else encode_event(event))
        return path

    def path(self, day: str = TODAY) -> Path:
        return self.state / "journal" / f"{day}.jsonl"

    def rejected(self) -> str:
        """Return the text of ``rejected.jsonl``, empty if there is none."""
        path = self.state / "journal" / "rejected.jsonl"
        return path.read_text() if path.exists() else ""


def make_journal(state: Path) -> Journal:
    make_state(str(state))
    return Journal(state)
