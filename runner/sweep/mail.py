"""``mail``: the alerts that wait in the outbox go to people, before anything that could fail with them (ALERT-7)."""

from __future__ import annotations

from pathlib import Path

from runner.alerts.waiting import is_due, list_waiting, read_waiting
from runner.sweep.chores import Round

IDLE = "no alert is due"


def has_work(round_: Round) -> bool:
    """Whether an alert is due, or something stands there that is none."""
    if not list_waiting(round_.place.state):
        return False
    entries, damaged = read_waiting(round_.place.state)
    return bool(damaged) or any(is_due(entry, round_.now) for entry in entries)


def work(round_: Round) -> str:
    """Deliver what is due; who will never get something is told of once, by cron."""
    from runner.alerts.deliver import Postman
    from runner.home.settings import read_settings

    settings = read_settings(Path(round_.place.home))
    sender = settings.mail.sender or f"{round_.place.user}@{round_.place.host}"
    delivery = Postman(round_.place.state, settings, sender, round_.now).deliver()
    for line in delivery.dead:
        round_.say(f"runner sweep: mail: {line}")
    return delivery.describe()
