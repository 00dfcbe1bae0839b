"""What a source has and the index has not, over every database."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest

from runner.archive.fetch.source import Remote
from runner.archive.fetch.worklist import choose_not_indexed
from runner.database.connect import connect
from runner.database.database import Database
from runner.database.migrate import prepare_schema

COLUMNS = ("root_id", "path", "size_bytes", "mtime_ns", "inode", "digest", "hdu_count", "state", "layout",
           "first_seen_at", "indexed_at")  # fmt: skip
SHA256 = f"sha256:{hashlib.sha256(b'photons').hexdigest()}"
OTHER = f"sha256:{hashlib.sha256(b'protons').hexdigest()}"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with connect(database_url) as database:
        prepare_schema(database)
        database.execute("INSERT INTO roots (id, path) VALUES (1, '/data')")
        yield database


def _index(database: Database, path: str, size: int = 7, state: str = "ok", digest: str | None = None) -> None:
    row = (1, path, size, 0, 0, digest, 1, state, "", "", "")
    database.insert("files", COLUMNS, [row], "")


def _remote(name: str, size: int | None = 7, checksum: str | None = None) -> Remote:
    return Remote(f"https://archive.example.org/{name}", name, "archive.example.org", size, checksum)


def _choose(url: str, *remotes: Remote) -> list[str]:
    return [remote.name for remote in choose_not_indexed(remotes, url)]


def test_what_the_index_has_is_not_wanted_in_whatever_directory_it_is(database: Database, database_url: str) -> None:
    _index(database, "a.fits")
    _index(database, "2026/11/2026/b.fits")
    remotes = [_remote(name) for name in ("a.fits", "night/a.fits", "b.fits", "c.fits", "its.fits", "s", "2026/b.fits")]
    assert _choose(database_url, *remotes) == ["c.fits", "its.fits", "s"]


def test_a_file_of_which_a_half_was_copied_is_wanted(database: Database, database_url: str) -> None:
    _index(database, "a.fits", size=3)
    assert _choose(database_url, _remote("a.fits")) == ["a.fits"]
    _index(database, "again/a.fits")
    assert _choose(database_url, _remote("a.fits")) == []


def test_a_file_that_vanished_is_wanted(database: Database, database_url: str) -> None:
    _index(database, "a.fits", state="vanished")
    assert _choose(database_url, _remote("a.fits")) == ["a.fits"]


def test_a_bad_file_is_wanted_only_if_its_size_does_not_say_that_it_is_as_the_source_has_it(
    database: Database, database_url: str
) -> None:
    _index(database, "a.fits", state="bad")
    _index(database, "b.fits")
    assert _choose(database_url, _remote("a.fits")) == []
    assert _choose(database_url, _remote("a.fits", None), _remote("b.fits", None)) == ["a.fits"]


@pytest.mark.parametrize(
    ("known", "announced", "names"),
    [(SHA256, SHA256, []), (SHA256, OTHER, ["a.fits"]), (None, OTHER, []), (SHA256, "md5:0", []), (SHA256, None, [])],
)
def test_digests_that_differ_are_of_different_files(
    database: Database, database_url: str, known: str | None, announced: str | None, names: list[str]
) -> None:
    _index(database, "a.fits", digest=known)
    assert _choose(database_url, _remote("a.fits", checksum=announced)) == names


def test_a_name_may_have_any_character(database: Database, database_url: str) -> None:
    names = ["a'; DROP TABLE files; --", 'a"b', "100%_", "ü ?", "a\\b"]
    not_there = ["100xx", "a\0b", "a\udcffb", "a\x1b[2J"]
    for name in names:
        _index(database, f"dir/{name}")
    assert _choose(database_url, *map(_remote, [*names, *not_there])) == not_there


def test_a_long_list_keeps_its_order(database: Database, database_url: str) -> None:
    database.insert(
        "files", COLUMNS, [(1, f"{n}.fits", 7, 0, 0, None, 1, "ok", "", "", "") for n in range(0, 2000, 2)], ""
    )
    remotes = [_remote(f"{number}.fits") for number in range(2000)]
    assert _choose(database_url, *remotes) == [f"{number}.fits" for number in range(1, 2000, 2)]


def test_a_database_without_an_index_has_nothing(database_url: str) -> None:
    assert _choose(database_url, _remote("a.fits")) == ["a.fits"]
