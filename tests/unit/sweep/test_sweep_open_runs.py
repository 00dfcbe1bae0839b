"""Which runs are open, from the journal alone (RUN-17)."""

from __future__ import annotations

from pathlib import Path

import pytest
from journals import NOW, Journal, end_of, make_journal, run_of, start_of

from runner.launch.journal import LOST_SEQ
from runner.sweep.open_runs import find_open_runs

START = start_of()


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return make_journal(tmp_path / "state")


def _find(journal: Journal, boot: str = "this-boot") -> list[str]:
    return list(find_open_runs(str(journal.state), boot))


def test_a_run_is_open_from_its_start_to_its_end(journal: Journal) -> None:
    journal.append(*run_of("index", NOW - 60), START)
    assert _find(journal) == [START["run_id"]]

    journal.append(end_of(START))
    assert _find(journal) == []


def test_an_end_of_another_day_closes_it(journal: Journal) -> None:
    journal.append(START, day="2026-11-20")
    assert _find(journal) == [START["run_id"]]

    journal.append(end_of(START, "lost", seq=LOST_SEQ), day="2026-11-23")
    assert _find(journal) == []


def test_a_torn_end_is_none(journal: Journal) -> None:
    whole = journal.append(START, end_of(START)).read_bytes()
    journal.path().write_bytes(whole[:-30])
    assert _find(journal) == [START["run_id"]]

    journal.append(start_of("index", NOW + 1))
    assert _find(journal) == [START["run_id"], start_of("index", NOW + 1)["run_id"]]


def test_only_what_is_new_is_read(journal: Journal) -> None:
    path = journal.append(START)
    _find(journal)
    path.write_bytes(b"x" * path.stat().st_size)

    assert _find(journal) == [START["run_id"]]


def test_after_a_boot_the_whole_journal_is_read_again(journal: Journal) -> None:
    """A power loss may have taken from the journal what the sweep had read of it."""
    path = journal.append(START)
    size = path.stat().st_size
    journal.append(end_of(START))
    assert _find(journal) == []
    path.write_bytes(path.read_bytes()[:size])

    assert _find(journal, "next-boot") == [START["run_id"]]


@pytest.mark.parametrize("damage", [b"", b"boot this-boot\n2026-11-21.jsonl many\n", b"\xff\xfe"])
def test_a_damaged_memory_is_made_anew(journal: Journal, damage: bytes) -> None:
    journal.append(START)
    _find(journal)
    (journal.state / "journal" / "open").write_bytes(damage)

    assert _find(journal) == [START["run_id"]]
