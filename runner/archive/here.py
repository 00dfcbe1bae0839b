"""The database of a home, open for its index."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runner.database.connect import connect
from runner.database.database import Database
from runner.database.migrate import prepare_schema
from runner.home.here import find_database, find_state
from runner.home.settings import read_settings
from runner.launch.state import make_state


@contextmanager
def open_database(home: Path) -> Iterator[Database]:
    """Open the database of a home, made or upgraded where that is still to be done.

    Raises
    ------
    UserError
        The settings are wrong.
    TryLater
        It does not answer.
    """
    settings = read_settings(home)
    make_state(str(find_state(settings)))
    with connect(find_database(settings)) as database:
        prepare_schema(database)
        yield database
