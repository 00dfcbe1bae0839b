"""The request that a run end: whom it is for, and what the run is told (RUN-35)."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.launch.instant import parse_instant
from runner.launch.state import make_state
from runner.launch.stops import clear_stop, read_stop, write_stop

NOW = parse_instant("2026-11-21T12:00:00Z")
RUN, OTHER = "20261121T115500-ops1-4242", "20261121T115600-ops1-4243"


@pytest.fixture
def state(tmp_path: Path) -> str:
    make_state(str(tmp_path / "state"))
    return str(tmp_path / "state")


@pytest.mark.parametrize(
    ("author", "reason", "told"),
    [
        ("ana", "wrong input", "stopped by ana: wrong input"),
        ("ana", "", "stopped by ana"),
        ("", f"replaced by {OTHER}", f"replaced by {OTHER}"),
        ("ana", "two\nlines \\n", "stopped by ana: two\nlines \\n"),
    ],
)
def test_a_run_is_told_who_stopped_it_and_why(state: str, author: str, reason: str, told: str) -> None:
    write_stop(state, "download", RUN, author, reason, NOW)
    assert read_stop(state, "download", RUN) == told


def test_the_file_is_read_by_people_too(state: str) -> None:
    write_stop(state, "download", RUN, "ana", "wrong input", NOW)
    text = Path(state, "stops/download").read_text()
    assert text == f"run {RUN}\nauthor ana\nat 2026-11-21T12:00:00.000000Z\nreason wrong input\n"


def test_a_request_is_for_no_other_run_and_no_other_plan(state: str) -> None:
    write_stop(state, "download", RUN, "ana", "", NOW)
    assert read_stop(state, "download", OTHER) == ""
    assert read_stop(state, "download@dsoc-prod", RUN) == ""


def test_a_run_that_ended_on_request_takes_its_request_along_and_no_other(state: str) -> None:
    write_stop(state, "download", RUN, "ana", "", NOW)
    clear_stop(state, "download", OTHER)
    assert read_stop(state, "download", RUN)
    clear_stop(state, "download", RUN)
    clear_stop(state, "download", RUN)
    assert not list(Path(state, "stops").iterdir())


def test_of_several_runs_each_is_told(state: str) -> None:
    write_stop(state, "download", f"{RUN} {OTHER}", "ana", "", NOW)
    clear_stop(state, "download", RUN)
    assert read_stop(state, "download", OTHER) == "stopped by ana"


@pytest.mark.parametrize("text", ["", "run\n", f"author ana\nreason {RUN}\n", "\0\xff"])
def test_a_damaged_request_asks_nothing(state: str, text: str) -> None:
    Path(state, "stops/download").write_text(text)
    assert read_stop(state, "download", RUN) == ""
