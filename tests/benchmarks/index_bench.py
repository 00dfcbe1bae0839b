"""How fast files become rows, against what others do; rescans, growth, bulk rows, and 200 kills (ARCH-23 to 29)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from measure import Figure
from peers import find_peers

from runner.archive.headers.reader import HeaderReader
from runner.archive.index.index import Options, index_paths
from runner.archive.settings import Archive, read_archive
from runner.archive.tables import FILE_COLUMNS, FILES, HDUS, ROOTS
from runner.database.connect import connect
from runner.database.database import Database, quote
from runner.database.migrate import prepare_schema

sys.path.insert(0, str(Path(__file__).parents[1]))
import index_kills
from fits_files import write_many
from postgres import Postgres

_FILES = 20_000
_KILLS = 200
_SEED = 20261125
_SAMPLE = 1_000
_SLOW_SAMPLE = 300
_ROWS = 100_000
_MANY = 100_000
_FEW = 1_000
_HEADER_BLOCKS = 5 * 2880
# What ccdproc is asked for: the keywords of the columns that it can have.
_CCDPROC = """
import sys, time, warnings
warnings.simplefilter("ignore")
from ccdproc import ImageFileCollection
begun = time.perf_counter()
collection = ImageFileCollection(filenames=sys.argv[2:], keywords=sys.argv[1].split(","))
rows = len(collection.summary)
print(time.perf_counter() - begun)
assert rows == len(sys.argv) - 2
"""


def run_benchmarks(directory: Path) -> Iterator[Figure]:
    """Yield the figures of the index."""
    root = directory / "archive"
    paths = write_many(root, _FILES)
    archive = read_archive(None)
    _time_index(directory, archive, [str(root)])  # what is imported once, and all that the cache will hold
    yield from _first_index(directory, archive, root, paths)
    yield from _rescan(directory, archive, paths)
    yield from _upsert(directory)


def run_long(directory: Path) -> Iterator[Figure]:
    """Yield how many of 200 kills leave a whole database that the next call completes."""
    server = Postgres()
    try:
        for kind, url in (
            ("SQLite", f"sqlite:///{directory}/killed.db"),
            ("PostgreSQL", server.url(server.create_database())),
        ):
            place = directory / kind
            place.mkdir()
            report = index_kills.run(place, url, _SEED, _KILLS // 2)
            faults = list(report["faults"])
            print("\n".join(faults), file=sys.stderr, end="\n" * bool(faults))
            detail = f"{report['survived']} calls came to their end"
            yield Figure(f"{_KILLS // 2} kills of an indexer, {kind}: faults", len(faults), 0, "", detail)
    finally:
        server.stop()


def _first_index(directory: Path, archive: Archive, root: Path, paths: Sequence[Path]) -> Iterator[Figure]:
    """Yield how the first index of a tree compares, per file, in a warm cache."""
    ours, peer, reading, limit = [], [], [], []
    for _ in range(3):
        ours.append(_time_index(directory, archive, [str(root)]) / _FILES)
        peer.append(_time_astropy(directory, archive, paths[:_SAMPLE]) / _SAMPLE)
        reading.append(_time(lambda: _read_all(archive, paths)) / _FILES)
        limit.append(_time(lambda: _pread_all(paths)) / _FILES)
    two = median(_time_index(directory, archive, [str(root)], processes=2) / _FILES for _ in range(3))
    ccdproc = _time_ccdproc(archive, paths[:: _FILES // _SLOW_SAMPLE]) / _SLOW_SAMPLE
    one = median(ours)
    detail = f"{1 / one:,.0f} files/s, of {one * 1e6:.0f} us each {median(reading) * 1e6:.0f} for the headers"
    yield Figure("first index, 20,000 files: getheader, SQLAlchemy", median(peer) / one, 15, "x", detail, at_least=True)
    yield Figure("first index, 20,000 files: ccdproc", ccdproc / one, 40, "x", "a sample of 300", at_least=True)
    yield Figure("first index: two processes against one", one / two, 0, "x faster", at_least=True)
    yield Figure("first index: open + pread of the headers", one / median(limit), 1000, "x", "the limit")


def _rescan(directory: Path, archive: Archive, paths: Sequence[Path]) -> Iterator[Figure]:
    """Yield what a rescan with nothing changed costs, and how that grows with the number of files."""
    many, few = directory / "many", directory / "few"
    for place, number in ((many, _MANY), (few, _FEW)):
        for index in range(number):
            if index % 1000 == 0:
                (place / f"{index // 1000:04d}").mkdir(parents=True)
            os.link(paths[index % _FILES], place / f"{index // 1000:04d}" / f"{index:06d}_raw.fits")
    walks, costs = {}, {}
    for place in (many, few):
        with _open(f"sqlite:///{directory}/{place.name}.db") as database:
            index_paths(database, archive, [str(place)])
            times = []
            for _ in range(7):
                walk = _time(lambda place=place: _walk_barely(place))
                times.append((walk, _time(lambda: index_paths(database, archive))))
            walks[place], costs[place] = (median(column) for column in zip(*times, strict=True))
    detail = f"{costs[many] / _MANY * 1e6:.1f} us a file"
    yield Figure("rescan, 100,000 files: scandir + stat", costs[many] / walks[many], 2.5, "x", detail)
    growth = (costs[many] / _MANY) / (costs[few] / _FEW)
    yield Figure("rescan, cost a file of 100,000 to 1,000", growth, 1.3, "x")


def _upsert(directory: Path) -> Iterator[Figure]:
    """Yield how fast new rows go into ``files``, against what each database does at best."""
    rows = [_make_row(number) for number in range(_ROWS)]
    server = Postgres()
    try:
        urls = {"PostgreSQL": server.url(server.create_database()), "SQLite": f"sqlite:///{directory}/upsert.db"}
        bests: dict[str, tuple[str, float, Callable[..., None]]] = {
            "PostgreSQL": ("COPY alone", 0.5, _copy_barely),
            "SQLite": ("a bare executemany", 0.4, _insert_barely),
        }
        for kind, (name, limit, do_barely) in bests.items():
            with _open(urls[kind]) as database:
                database.execute(f"INSERT INTO {ROOTS} (id, path) VALUES (1, '/')")
                ours, bare = [], []
                for _ in range(3):
                    bare.append(_time_empty(database, partial(do_barely, database, rows)))
                    ours.append(_time_empty(database, partial(database.upsert, FILES, FILE_COLUMNS, rows, ("id",))))
            detail = f"{_ROWS / median(ours):,.0f} rows/s against {_ROWS / median(bare):,.0f}"
            yield Figure(f"upsert into {kind}: {name}", median(bare) / median(ours), limit, "x", detail, at_least=True)
    finally:
        server.stop()


# What is timed


def _time(action: Callable[[], object]) -> float:
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


def _open(url: str) -> Database:
    database = connect(url)
    prepare_schema(database)
    return database


def _time_index(directory: Path, archive: Archive, paths: Sequence[str], processes: int = 1) -> float:
    """Return the seconds that the first index of a tree takes."""
    (directory / "first.db").unlink(missing_ok=True)
    with _open(f"sqlite:///{directory}/first.db") as database:
        seconds = _time(lambda: index_paths(database, archive, paths, Options(processes=processes)))
        assert database.read(f"SELECT count(*) FROM {FILES} WHERE state = 'ok'") == [(_FILES,)]
    return seconds


def _time_astropy(directory: Path, archive: Archive, paths: Sequence[Path]) -> float:
    """Return the seconds that getheader takes, and the inserts of the same rows by SQLAlchemy in one transaction."""
    from astropy.io import fits
    from sqlalchemy import MetaData, create_engine

    shutil.copy(directory / "first.db", directory / "peer.db")
    engine = create_engine(f"sqlite:///{directory}/peer.db")
    tables = MetaData()
    tables.reflect(engine)
    files, hdus = tables.tables[FILES], tables.tables[HDUS]
    names = {str(path.relative_to(directory / "archive")) for path in paths}
    with engine.begin() as connection:
        file_rows = [dict(row) for row in connection.execute(files.select()).mappings() if row["path"] in names]
        ids = {row["id"] for row in file_rows}
        hdu_rows = [dict(row) for row in connection.execute(hdus.select()).mappings() if row["file_id"] in ids]
        connection.execute(hdus.delete())
        connection.execute(files.delete())
    assert len(file_rows) == len(paths)
    keywords = [column.keywords[0] for column in archive.all_columns.values()]

    def work() -> None:
        for path in paths:
            header = fits.getheader(path)
            for keyword in keywords:
                header.get(keyword)
        with engine.begin() as connection:
            connection.execute(files.insert(), file_rows)
            connection.execute(hdus.insert(), hdu_rows)

    seconds = _time(work)
    engine.dispose()
    return seconds


def _time_ccdproc(archive: Archive, paths: Sequence[Path]) -> float:
    keywords = ",".join(column.keywords[0].lower() for column in archive.all_columns.values())
    command = [find_peers() / "python", "-c", _CCDPROC, keywords, *paths[:_SLOW_SAMPLE]]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _read_all(archive: Archive, paths: Sequence[Path]) -> None:
    reader = HeaderReader(archive.all_columns, keep_header=False)
    for path in paths:
        reader.read(str(path))


def _pread_all(paths: Sequence[Path]) -> None:
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        os.pread(descriptor, _HEADER_BLOCKS, 0)
        os.close(descriptor)


def _walk_barely(root: Path) -> int:
    """Look at all files below a directory, as little as that can be."""
    total, stack = 0, [str(root)]
    while stack:
        with os.scandir(stack.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    stack.append(entry.path)
                else:
                    total += entry.stat(follow_symlinks=False).st_size
    return total


def _make_row(number: int) -> tuple[Any, ...]:
    numbers = (10_000 + number, 1_790_000_000_000_000_000 + number, number)
    texts = ("0123456789abcdef", *["2026-11-25T00:00:00.123456Z"] * 2, "20261125T000000.000000Z-ops1-123")
    return (number + 1, 1, f"2026/11/25/j{number:08d}_flt.fits", *numbers, None, None, 3, "ok", None, *texts)


def _time_empty(database: Database, action: Callable[[], object]) -> float:
    """Return the seconds that one transaction takes that fills an empty table."""
    database.execute(f"DELETE FROM {FILES}")
    if database.shown.startswith("postgresql"):
        database.execute(f"VACUUM {FILES}")

    def work() -> None:
        with database.writing():
            action()

    return _time(work)


def _copy_barely(database: Database, rows: Sequence[Sequence[Any]]) -> None:
    from io import BytesIO

    from runner.database.postgresql import encode_csv

    with database._connection.cursor() as cursor:  # type: ignore[attr-defined]
        cursor.copy_expert(f"COPY {FILES} FROM STDIN (FORMAT csv)", BytesIO(encode_csv(rows)), 1 << 16)


def _insert_barely(database: Database, rows: Sequence[Sequence[Any]]) -> None:
    places = ", ".join("?" * len(FILE_COLUMNS))
    database._connection.executemany(  # type: ignore[attr-defined]
        f"INSERT INTO {FILES} ({quote(FILE_COLUMNS)}) VALUES ({places})", rows
    )
