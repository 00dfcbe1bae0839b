"""ARCH-6, ARCH-11: the manifest remembers, whoever writes it and however it is cut."""

from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from runner.archive.fetch.manifest import BEGUN, Manifest, Record
from runner.archive.fetch.results import FAILED, FETCHED

RECORD = Record("https://h/a", "a", FETCHED, 0, "00", "md5:11", '"v"', "2026-11-18T11:06:40Z", "run")


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[int]:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


def read(directory: int) -> Manifest:
    return Manifest(directory, is_kept=False)


def append(directory: int, *records: Record) -> None:
    manifest = Manifest(directory)
    for record in records:
        manifest.append(record)
    manifest.close()


def test_what_was_recorded_is_known_afterwards(directory: int) -> None:
    append(directory, RECORD)
    assert read(directory).find_whole("a") == RECORD
    assert read(directory).find_whole("b") is None


def test_a_line_is_a_json_object_for_anybody_to_read(directory: int, tmp_path: Path) -> None:
    append(directory, RECORD)
    facts = json.loads((tmp_path / ".manifest.jsonl").read_text())
    assert {"url", "name", "result", "size_bytes", "sha256", "checksum", "version", "fetched_at", "run_id"} <= {*facts}


def test_a_file_that_came_at_last_has_not_failed_any_more(directory: int) -> None:
    failure, begun = replace(RECORD, result=FAILED), replace(RECORD, result=BEGUN)
    append(directory, failure, begun)
    assert (read(directory).find_failed("a"), read(directory).find_begun("a")) == (failure, begun)
    append(directory, RECORD)
    assert (read(directory).find_failed("a"), read(directory).find_begun("a")) == (None, None)


def test_a_failure_makes_nobody_forget_what_is_here(directory: int) -> None:
    append(directory, RECORD, replace(RECORD, result=FAILED))
    assert read(directory).find_whole("a") == RECORD


@pytest.mark.parametrize(
    "torn", [b'{"url": "https://h/b", "na', b"\0\0\0\0", b"nonsense\n", b'{"url": 5, "name": []}\n', b"[]\n"]
)
def test_a_torn_line_spoils_only_itself(directory: int, tmp_path: Path, torn: bytes) -> None:
    append(directory, RECORD)
    with (tmp_path / ".manifest.jsonl").open("ab") as file:
        file.write(torn)
    append(directory, replace(RECORD, name="c"))
    manifest = read(directory)
    assert [bool(manifest.find_whole(name)) for name in "abc"] == [True, False, True]


def test_what_others_append_is_seen(directory: int) -> None:
    mine, others = Manifest(directory), Manifest(directory)
    others.append(RECORD)
    mine.refresh()
    assert mine.find_whole("a") == RECORD
    mine.close(), others.close()


def _append_many(path: Path, first: str) -> None:
    directory = os.open(path, os.O_RDONLY)
    for number in range(12):  # each opens it anew, and may write it anew
        append(directory, *[replace(RECORD, name=f"{first}{number}")] * 120)


def test_no_line_is_lost_when_many_write_and_it_is_written_anew(directory: int, tmp_path: Path) -> None:
    processes = [multiprocessing.Process(target=_append_many, args=(tmp_path, first)) for first in "xyz"]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    manifest = read(directory)
    missing = [f"{one}{number}" for one in "xyz" for number in range(12) if not manifest.find_whole(f"{one}{number}")]
    assert missing == []
    assert len((tmp_path / ".manifest.jsonl").read_bytes().splitlines()) < 3 * 12 * 120


def test_a_manifest_is_not_written_through_a_link(directory: int, tmp_path: Path) -> None:
    """SEC-6."""
    precious = tmp_path / "precious"
    precious.write_text("precious")
    (tmp_path / ".manifest.jsonl").symlink_to(precious)
    with pytest.raises(OSError, match="symbolic"):
        Manifest(directory)
    assert precious.read_text() == "precious"
