"""The columns of ``hdus`` that a home configures: added to the table when they are first asked for (ARCH-20).

They belong to no migration, as they differ from home to home. A column is never dropped nor changed: one that
is no longer configured keeps what it had and is not filled any more.
"""

from __future__ import annotations

from collections.abc import Mapping

from runner.archive.settings import Column
from runner.archive.tables import HDUS
from runner.database.database import Database, quote
from runner.errors import UserError

# What a type is in SQL; of the same meaning in both databases.
SQL_TYPES = {
    "text": "TEXT",
    "time": "TEXT",
    "int": "BIGINT",
    "float": "DOUBLE PRECISION",
    "ra": "DOUBLE PRECISION",
    "dec": "DOUBLE PRECISION",
    "bool": "BOOLEAN",
}
# By name: of which columns, and of which rows. A cone is looked for in a band of declinations (ARCH-42).
INDEXES = {
    "hdus_place": (("dec", "ra"), "number = 0"),
    "hdus_obs_at": (("obs_at",), "obs_at IS NOT NULL"),
}


def add_columns(database: Database, columns: Mapping[str, Column]) -> None:
    """Add the configured columns that ``hdus`` lacks, and their indexes; idempotent, and safe when two do it.

    Raises
    ------
    UserError
        A column is there with another type.
    """
    wanted = {name: SQL_TYPES[column.type] for name, column in columns.items()}
    if not _find_missing(database, wanted):
        return
    with database.writing():
        database.lock(HDUS)
        for name in _find_missing(database, wanted):
            type = database.text_type if wanted[name] == "TEXT" else wanted[name]
            database.execute(f'ALTER TABLE {HDUS} ADD COLUMN "{name}" {type}')
        there = database.read_types(HDUS)
        for name, (indexed, where) in INDEXES.items():
            if all(column in there for column in indexed):
                database.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {HDUS} ({quote(indexed)}) WHERE {where}")


def _find_missing(database: Database, wanted: Mapping[str, str]) -> list[str]:
    there = database.read_types(HDUS)
    for name, type in wanted.items():
        if there.get(name, type) != type:
            raise UserError(
                f'envs/archive.yaml: column "{name}" is {there[name]} in {database.shown}, {type} in the settings;'
                " give it another name"
            )
    return [name for name in wanted if name not in there]
