"""The ledger answers, soon, with a schema that this runner knows, and nobody keeps it locked (FAULT-43)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from runner.database.database import Database
from runner.diagnose.check import ERROR, NOTE, WARNING, Finding
from runner.diagnose.context import Context

ID = "DIAG014"
LEVEL = ERROR
TITLE = "the ledger answers and has our schema"

_PATIENCE_S = 4.0
_SLOW_S = 1.0


def find(context: Context) -> Iterator[Finding]:
    """Yield what is wrong with the database; runs go on without it, and the journal waits."""
    from runner.database.connect import connect
    from runner.errors import TryLater

    url = context.get_settings().database_of(context.target)
    if url.startswith("sqlite:") and not Path(url.removeprefix("sqlite:///")).exists():
        return  # to open it would make it: the first sweep does
    begun = time.monotonic()
    try:
        with connect(url, _PATIENCE_S) as database:
            yield from _look_at_schema(database)
            with database.writing():
                pass
    except TryLater as error:
        hint = "jobs run all the same; what they did waits in the journal, and is drained later"
        yield Finding(ID, ERROR, "the ledger cannot be written to", hint, str(error))
        return
    took_s = time.monotonic() - begun
    if took_s > _SLOW_S:
        yield Finding(ID, WARNING, f"the ledger took {took_s:.1f} s to answer", "see its host, and who locks it")


def _look_at_schema(database: Database) -> Iterator[Finding]:
    from runner.database.migrate import VERSIONS, read_version

    version = read_version(database)
    if version == VERSIONS[-1]:
        return
    if version is None or version in VERSIONS:
        message = f"the ledger's schema is {version or 'not there yet'}, this runner has {VERSIONS[-1]}"
        yield Finding(ID, NOTE, message, "the next sweep upgrades it: runner sweep")
    else:
        message = f"the ledger's schema is {version}, of a newer runner: this one knows up to {VERSIONS[-1]}"
        yield Finding(ID, ERROR, message, "upgrade this runner; until then the journal waits")
