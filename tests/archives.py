"""An archive of FITS files to index, and what the database says of it afterwards."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runner.archive.index.index import Options, index_paths
from runner.archive.index.summary import Summary
from runner.archive.index.verify import Finding, Verification
from runner.archive.settings import Archive, parse_archive
from runner.database.connect import connect
from runner.database.database import Database
from runner.database.migrate import prepare_schema
from runner.document.faults import Faults

BLOCK = 2880
# What differs between two indexings of the same files: when, and in which order.
VOLATILE = ("id", "root_id", "first_seen_at", "indexed_at", "run_id")


def make_settings(text: str = "") -> Archive:
    """Return the settings of an ``envs/archive.yaml``."""
    faults = Faults("envs/archive.yaml")
    archive = parse_archive(text.encode(), faults)
    assert not faults.found
    return archive


def make_fits(*cards: str, data: bytes = b"") -> bytes:
    """Return a FITS file of one HDU with a few bytes of data; a card is what stands in its 80 columns."""
    axes = (
        ["NAXIS   =                    1", f"NAXIS1  = {len(data):20}"] if data else ["NAXIS   =                    0"]
    )
    header = "".join(f"{card:<80}" for card in ("SIMPLE  =                    T", "BITPIX  =                    8",
                                                *axes, *cards, "END"))  # fmt: skip
    return pad(header.encode(), b" ") + pad(data, b"\0")


def pad(data: bytes, fill: bytes) -> bytes:
    """Return data filled to whole blocks."""
    return data + fill * (-len(data) % BLOCK)


@dataclass(slots=True)
class Tree:
    """A directory of files that is indexed into a database."""

    root: Path
    url: str
    settings: Archive = field(default_factory=make_settings)

    def write(self, name: str, data: bytes | None = None) -> Path:
        """Write a file, by default a small good one that has its name in OBJECT."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        word = "".join(c for c in path.stem if c.isascii() and c.isalnum())
        path.write_bytes(make_fits(f"OBJECT  = '{word:<8}'") if data is None else data)
        return path

    def index(self, *paths: Path | str, **options: Any) -> Summary:
        """Index PATHs, by default the whole tree."""
        with self.open() as database:
            return index_paths(
                database, self.settings, [str(path) for path in paths or [self.root]], Options(**options)
            )

    def verify(self, *paths: Path | str) -> list[Finding]:
        """Compare with the disk."""
        with self.open() as database:
            return list(Verification(database, self.settings, [str(path) for path in paths]))

    @contextmanager
    def open(self) -> Iterator[Database]:
        """Open the database, its schema prepared."""
        with connect(self.url) as database:
            prepare_schema(database)
            yield database

    def states(self) -> dict[str, str]:
        """Return the state of each file."""
        return dict(self.ask("SELECT path, state FROM files ORDER BY path"))

    def ask(self, sql: str, *values: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        with self.open() as database:
            return database.read(sql, values)

    def content(self) -> list[dict[str, Any]]:
        """Return all that the database says, apart from when it was indexed and in which order."""
        with self.open() as database:
            return read_content(database)


def read_content(database: Database) -> list[dict[str, Any]]:
    """Return each file with its HDUs, in the order of paths, apart from what differs from one indexing to the next."""
    hdus: dict[int, list[tuple[Any, ...]]] = {}
    for file_id, *row in database.read("SELECT * FROM hdus ORDER BY file_id, number"):
        hdus.setdefault(file_id, []).append(tuple(row))
    names = list(database.read_types("files"))
    sql = (
        f"SELECT roots.path, {', '.join(f'files.{name}' for name in names)} FROM files JOIN roots ON roots.id = root_id"
    )
    content = []
    for root, *row in database.read(f"{sql} ORDER BY roots.path, files.path"):
        file = dict(zip(names, row, strict=True))
        content.append({"root": root, **file, "hdus": hdus.pop(file["id"], [])})
    assert not hdus, "HDUs of no file"
    return [{name: value for name, value in file.items() if name not in VOLATILE} for file in content]


def set_age(path: Path, age_s: float) -> None:
    """Make a file so old."""
    at = time.time() - age_s
    os.utime(path, (at, at))
