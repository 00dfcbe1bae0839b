"""``runner note`` and the page of a run: what they say, and to whom they refuse."""

from __future__ import annotations

from pathlib import Path

import pytest
from homes import Home
from journals import NOW, end_of, make_journal, start_of

from runner.launch.state import make_state

RUN = start_of(at=NOW - 60)["run_id"]


@pytest.fixture
def within(home: Home, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home whose run we are."""
    make_state(str(home.state))
    monkeypatch.setenv("RUNNER_STATE", str(home.state))
    monkeypatch.setenv("RUNNER_RUN_ID", RUN)
    return home


def _journal(home: Home) -> str:
    return "".join(file.read_text() for file in (home.state / "journal").glob("*.jsonl"))


def test_outside_of_a_run_there_is_one_clear_error(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RUNNER_RUN_ID", raising=False)
    answer = home.call("note", "x")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == "runner note is for jobs: RUNNER_STATE and RUNNER_RUN_ID of a run are not set here\n"


def test_what_is_no_run_id_gets_into_no_journal(within: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNNER_RUN_ID", "../x")
    assert within.call("note", "x").code == 2
    assert _journal(within) == ""


def test_there_must_be_something_to_note(within: Home) -> None:
    answer = within.call("note")
    assert (answer.code, answer.err) == (2, "nothing to note: give a text, --product PATH or --input PATH\n")


def test_of_files_that_are_not_all_there_nothing_is_recorded(within: Home, tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    answer = within.call("note", "x", "--product", str(tmp_path / "a"), "--input", "/no/such")
    assert (answer.code, answer.err) == (2, "/no/such: No such file or directory\n")
    assert _journal(within) == ""


def test_a_state_that_is_not_there_is_for_later(within: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNNER_STATE", "/no/such")
    answer = within.call("note", "x")
    assert (answer.code, answer.err) == (75, "journal of /no/such: No such file or directory\n")


def test_words_are_one_text(within: Home) -> None:
    assert within.call("note", "seeing", "0.7").out == "note: seeing 0.7\n"
    assert '"text": "seeing 0.7"' in _journal(within)


def test_a_large_file_need_not_be_read(within: Home, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("photons")
    answer = within.call("note", "--product", str(tmp_path / "a"), "--no-digest")
    assert answer.out == f"product: {tmp_path / 'a'}, 7 bytes\n"
    assert '"size_bytes": 7, "digest": null' in _journal(within)


# The page of a run


@pytest.fixture
def told(home: Home) -> Home:
    """A home with a run that made a file of an odd name."""
    product = {"event": "product", "at": "2026-11-21T11:59:30Z", "run_id": RUN, "seq": 2_000_000, "path": "/a\x1b[2J"}
    start = start_of(at=NOW - 60)
    make_journal(home.state).append(start, {**product, "size_bytes": 7, "source": "https://mast/a"}, end_of(start))
    return home


def test_a_run_is_shown_with_all_that_is_known_of_it(told: Home) -> None:
    """SEC-10: names of files too are in others' hands."""
    lines = told.runner("history", RUN).out.splitlines()
    assert lines[0] == f"run_id             {RUN}"
    assert "command            jobs/download.py wfc3" in lines
    assert lines[-5:] == [
        "packages           0",
        "inputs             0",
        "outputs            1",
        "  /a\\x1b[2J  7 bytes  from https://mast/a",
        "notes              0",
    ]


def test_in_json_it_has_the_fields_of_the_history_and_its_own(told: Home) -> None:
    (page,) = told.runner("history", RUN, "--json").objects
    (run,) = told.runner("history", "--json").objects
    assert list(page) == [*run, "packages", "inputs", "outputs", "notes"]


def test_an_unknown_run_is_exit_1(told: Home) -> None:
    other = start_of(at=NOW)["run_id"]
    answer = told.runner("history", other)
    assert (answer.code, answer.err) == (1, f"no run {other} is known\n")
