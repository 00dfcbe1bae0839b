"""``drain``: the journal into the ledger."""

from __future__ import annotations

from pathlib import Path

from runner.launch.state import DRAINED, JOURNAL
from runner.ledger.files import has_undrained
from runner.sweep.chores import Round

IDLE = "nothing new in the journal"
_SETTINGS = "envs/site.yaml"


def has_work(round_: Round) -> bool:
    """Whether the journal may hold what the ledger does not, or the ledger may be another one by now."""
    return has_undrained(round_.place.state) or _have_settings_changed(round_)


def work(round_: Round) -> str:
    """Drain; damaged lines are set aside, and somebody hears of them."""
    from runner.database.connect import connect
    from runner.database.migrate import prepare_schema
    from runner.home.here import find_database
    from runner.home.settings import read_settings
    from runner.ledger.drain import drain_journal

    with connect(find_database(read_settings(Path(round_.place.home)))) as database:
        prepare_schema(database)
        drained = drain_journal(database, round_.place.state, round_.now)
    round_.say(drained.describe_rejected())
    return f"{drained.events} events" if drained.events else ""


def _have_settings_changed(round_: Round) -> bool:
    """Whether the settings, which name the ledger, are newer than the last draining: reading YAML costs 40 ms."""
    try:
        drained_at = Path(round_.place.state, JOURNAL, DRAINED).stat().st_mtime
        return Path(round_.place.home, _SETTINGS).stat().st_mtime >= drained_at
    except FileNotFoundError:
        return False
