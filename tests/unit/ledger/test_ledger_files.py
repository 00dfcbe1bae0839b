"""Reading the journal's files in whole lines, and what is remembered beside them (RUN-13, RUN-16)."""

from pathlib import Path

import pytest
from journals import NOW, Journal, make_journal

from runner.ledger.files import (
    JournalFile,
    Rejected,
    is_final,
    list_files,
    read_drained,
    read_piece,
    set_aside,
    write_drained,
)

NAME = "2026-11-21.jsonl"


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return make_journal(tmp_path / "state")


def _read(journal: Journal, position: int = 0, *, is_final: bool = False, size: int = 100) -> tuple[list[object], int]:
    piece = read_piece(str(journal.state), NAME, position, is_final=is_final, size=size)
    return list(piece.lines), piece.end


def test_lines_begin_and_end_with_a_newline(journal: Journal) -> None:
    journal.append(b"\none\n", b"\ntwo\n")

    assert _read(journal) == ([(1, b"one"), (6, b"two")], 10)


def test_a_torn_last_line_waits(journal: Journal) -> None:
    journal.append(b"\none\n", b"\ntw")

    assert _read(journal) == ([(1, b"one")], 6)


def test_a_torn_line_before_a_newer_record_spoils_only_itself(journal: Journal) -> None:
    journal.append(b"\none\n", b"\ntw", b"\nthree\n")

    assert _read(journal) == ([(1, b"one"), (6, b"tw"), (9, b"three")], 15)


def test_a_torn_last_line_is_taken_when_nobody_can_be_writing_it(journal: Journal) -> None:
    journal.append(b"\none\n", b"\ntw")

    assert _read(journal, is_final=True) == ([(1, b"one"), (6, b"tw")], 8)


def test_a_piece_without_any_newline_is_passed_over_and_not_waited_for(journal: Journal) -> None:
    journal.append(b"\0" * 25, b"\none\n")

    assert _read(journal, size=10) == ([(0, b"\0" * 10)], 10)


def test_a_file_that_became_shorter_is_read_anew(journal: Journal) -> None:
    journal.append(b"\none\n")

    assert _read(journal, position=500) == ([(1, b"one")], 5)


def test_only_files_of_a_day_are_the_journal(journal: Journal) -> None:
    for name in (NAME, "2026-11-20.jsonl", "rejected.jsonl", "reserve", "drained", "2026-11-21.jsonl.tmp"):
        (journal.state / "journal" / name).write_bytes(b"\nx\n")

    assert [(file.name, file.size_bytes) for file in list_files(str(journal.state))] == [
        ("2026-11-20.jsonl", 3),
        (NAME, 3),
    ]


@pytest.mark.parametrize(("day", "final"), [("2026-11-21", False), ("2026-11-20", False), ("2026-11-19", True)])
def test_a_file_is_final_a_day_after_its_day(day: str, *, final: bool) -> None:
    assert is_final(JournalFile(f"{day}.jsonl", 1, NOW), NOW) is final


def test_a_line_is_set_aside_once(journal: Journal) -> None:
    bad = Rejected(NAME, 17, "it is no JSON object", "[1]")

    set_aside(str(journal.state), [bad], NOW)
    set_aside(str(journal.state), [bad, Rejected(NAME, 99, "why", "x")], NOW)

    assert journal.rejected().count('"position": 17') == 1
    assert journal.rejected().count('"position": 99') == 1


def test_a_line_set_aside_after_a_torn_one_stands_by_itself(journal: Journal) -> None:
    (journal.state / "journal" / "rejected.jsonl").write_bytes(b'\n{"at": "2026-')

    set_aside(str(journal.state), [Rejected(NAME, 17, "why", "x")], NOW)

    assert journal.rejected().splitlines()[-1].endswith('"position": 17, "reason": "why", "line": "x"}')


def test_what_is_drained_is_remembered_with_its_database(journal: Journal) -> None:
    write_drained(str(journal.state), "sqlite:////a", {NAME: 12})

    assert read_drained(str(journal.state)) == ("sqlite:////a", {NAME: 12})


@pytest.mark.parametrize("text", ["", "database", "database sqlite:////a\n2026-11-21.jsonl twelve\n"])
def test_a_damaged_memory_is_none(journal: Journal, text: str) -> None:
    (journal.state / "journal" / "drained").write_text(text)

    assert read_drained(str(journal.state)) == ("", {})
