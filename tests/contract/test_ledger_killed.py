"""kill -9 of the sweep at each step of draining and upgrading, finished by the next one (FAULT-43)."""

from __future__ import annotations

from pathlib import Path

import kills
from housekeeping import make_house
from journals import NOW, end_of, run_of, skip_of, start_of


def test_fault_43_a_drain_that_is_killed_at_any_step_is_finished_exactly_once(
    database_url: str, tmp_path: Path
) -> None:
    house = make_house(tmp_path / "home")
    start = start_of("index", NOW - 60)
    house.journal.append(*run_of("download", NOW - 86400), start, day="2026-11-20")
    house.journal.append(end_of(start), b"\nnonsense\n", skip_of(at=NOW - 5), *run_of("download", NOW - 3))

    tries = kills.run("drain", house, database_url, every=7)

    assert len(tries) > 20
    assert {one["runs"] for one in tries} == {0, 2, 4}, "a file is drained wholly or not at all"
    assert len({one["ledger"] for one in tries}) == 1
    assert all(one["rejected"] == ["nonsense"] for one in tries)


def test_fault_43_an_upgrade_that_is_killed_at_any_step_leaves_the_old_schema(
    database_url: str, tmp_path: Path
) -> None:
    tries = kills.run("upgrade", make_house(tmp_path / "home"), database_url, every=5)

    assert len(tries) > 10
    assert {(one["tables"], one["old"]) for one in tries} == {(0, True), (4, False)}
    assert {one["version"] for one in tries} == {kills.VERSIONS[-1]}
