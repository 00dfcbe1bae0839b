"""How long a cone takes among a million files (ARCH-42): the question apart, and the whole command."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

from compile_bench import make_home
from measure import Figure, compare, median_of

from runner.archive.find.ask import Index, make_question
from runner.archive.schema import add_columns
from runner.archive.settings import Archive, read_archive
from runner.database.connect import connect
from runner.database.database import Database
from runner.database.migrate import prepare_schema

sys.path.insert(0, str(Path(__file__).parents[1]))
from postgres import Postgres

_FILES = 1_000_000
_CONE = "cone(150.1, 2.2, 0.1)"
_QUESTIONS = {
    "cone": _CONE,
    "cone and more": f'{_CONE} and instrume = "WFC3" and exptime > 100 and obs_at > 2024-01-01',
    "cone of a degree": "cone(150.1, 2.2, 1)",
    "cone at the pole": "cone(10, 90, 0.1)",
    "two cones": f"{_CONE} or cone(0, -30, 0.1)",
}
# The digits of a position are far from those of its neighbour; each is used once.
_FILES_SQL = """
INSERT INTO files (id, root_id, path, size_bytes, mtime_ns, inode, hdu_count, state, layout, first_seen_at, indexed_at)
SERIES
SELECT n, 1, CAST(n / 1000 AS text) || '/exposure-' || CAST(n AS text) || '_flt.fits', 5760, 1700000000000000000, n, 1,
    'ok', '1', '2026-01-01T00:00:00.000000Z', '2026-01-01T00:00:00.000000Z' FROM s
"""
_HDUS_SQL = """
INSERT INTO hdus (file_id, number, name, version, type, dimensions, instrume, object, exptime, obs_at, ra, dec)
SERIES
SELECT n, 0, 'PRIMARY', 1, 'PRIMARY', '', CASE WHEN n % 3 = 0 THEN 'ACS' ELSE 'WFC3' END, 'M31', n % 1000,
    '2024-' || CASE WHEN n % 2 = 0 THEN '01' ELSE '02' END || '-05T12:00:00.000000Z',
    n * 611953 % 1000003 / 1000003.0 * 360, n * 754877 % 1000003 / 1000003.0 * 180 - 90 FROM s
"""


def run_benchmarks(directory: Path) -> Iterator[Figure]:
    """Yield the figures of cones, on SQLite and on PostgreSQL."""
    server = Postgres()
    try:
        urls = {"SQLite": f"sqlite:///{directory}/runner.db", "PostgreSQL": server.url(server.create_database())}
        for kind, url in urls.items():
            with connect(url) as database:
                yield from _ask(kind, database, read_archive(None))
            yield from _call(kind, directory / f"home-{kind}", url)
    finally:
        server.stop()


def _ask(kind: str, database: Database, archive: Archive) -> Iterator[Figure]:
    """Yield how long questions take on a connection that is open, and how fast all rows come."""
    fill(database, archive)
    index = Index(database, archive)
    for name, expression in _QUESTIONS.items():
        found = len(list(index.read(make_question(index.fields, expression))))
        seconds = median_of(5, lambda: _time(index, expression))  # noqa: B023
        yield Figure(f"{name}, {_FILES:,} files, {kind}", seconds, 0.3, "s", f"{found} found")
    seconds = _time(index, "")
    yield Figure(f"all rows of {_FILES:,} files, {kind}", _FILES / seconds, 30_000, "rows/s", at_least=True)


def _time(index: Index, expression: str) -> float:
    begun = time.perf_counter()
    for _ in index.read(make_question(index.fields, expression)):
        pass
    return time.perf_counter() - begun


def _call(kind: str, home: Path, url: str) -> Iterator[Figure]:
    """Yield how long the command takes from its start to its end, against the import of SQLAlchemy alone."""
    make_home(home, 1)
    settings = home / "envs" / "site.yaml"
    settings.write_text(settings.read_text() + f'\ndatabase: "{url}"\n')
    command = [sys.executable, "-m", "runner.cli.main", "--home", str(home), "find", _CONE]
    found = compare(command, [sys.executable, "-c", "import sqlalchemy"], 5)
    detail = f"{found.subject.wall_s:.2f} s"
    yield Figure(f"runner find, {_FILES:,} files, {kind}", found.wall, 3, "x import", detail)


def fill(database: Database, archive: Archive) -> None:
    """Make an index of a million files, by SQL: their positions lie all over the sky."""
    prepare_schema(database)
    add_columns(database, archive.all_columns)
    is_sqlite = "sqlite" in database.shown
    series = (
        "VALUES (1) UNION ALL SELECT n + 1 FROM s WHERE n < ?" if is_sqlite else "SELECT generate_series(1, ?::bigint)"
    )
    with database.writing():
        database.execute("INSERT INTO roots (id, path) VALUES (1, '/data/archive')")
        for sql in (_FILES_SQL, _HDUS_SQL):
            sql = sql.replace("SERIES", f"WITH RECURSIVE s(n) AS ({series})")
            database.execute(sql if is_sqlite else sql.replace("%", "%%"), (_FILES,))
    database.execute("ANALYZE" if not is_sqlite else "PRAGMA optimize")
