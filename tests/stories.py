"""Many runs of one job within hours that need not pass: its health, its alerts, and who gets them."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from mailroom import SENDER, MailServer, make_smtp

from runner.alerts.deliver import Postman
from runner.home.settings import read_settings
from runner.launch.gates import read_place
from runner.launch.incident import Health, enter_outcome
from runner.launch.instant import format_slot
from runner.launch.journal import make_run_id
from runner.launch.outbox import post_alert


class Story:
    """Many runs of one job at instants of our own, each entered into its health, and a sweep after each minute."""

    def __init__(self, home: Path, server: MailServer) -> None:
        self._place = read_place(str(home))
        self._settings = replace(read_settings(home), mail=make_smtp(server.port))
        self._begun = float(int(time.time()))

    def see(self, after_s: float, outcome: str) -> None:
        now = self._begun + after_s
        run_id = make_run_id(now, "ops1", 42)
        end = {
            "run_id": run_id, "plan": "job", "job": "job", "profile": "p", "outcome": outcome, "reason": "exit 1",
            "slot": format_slot(int(now)), "release": "-", "host": "ops1", "mailto": ["ops@example.org"],
        }  # fmt: skip

        def tell(health: Health, verdict: str) -> None:
            assert post_alert(self._place, end, health, verdict, None) == ""

        enter_outcome(f"{self._place.state}/health/job", run_id, outcome, "exit 1", now, tell)

    def sweep(self, after_s: float) -> None:
        Postman(self._place.state, self._settings, SENDER, self._begun + after_s).deliver()
