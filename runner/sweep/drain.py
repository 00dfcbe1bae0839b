"""``drain``: the journal into the ledger."""

from __future__ import annotations

from pathlib import Path

from runner.database.database import hide_password
from runner.home.here import find_database
from runner.home.settings import read_settings
from runner.ledger.drain import drain_journal, has_undrained
from runner.sweep.chores import Round


def has_work(round_: Round) -> bool:
    """Whether the journal may hold what the ledger does not."""
    return has_undrained(round_.place.state, hide_password(_find_url(round_)))


def work(round_: Round) -> str:
    """Drain; damaged lines are set aside, and somebody hears of them."""
    from runner.database.connect import connect
    from runner.database.migrate import prepare_schema

    with connect(_find_url(round_)) as database:
        prepare_schema(database)
        drained = drain_journal(database, round_.place.state, round_.now)
    round_.say(drained.describe_rejected())
    return f"{drained.events} events"


def _find_url(round_: Round) -> str:
    return find_database(read_settings(Path(round_.place.home)))
