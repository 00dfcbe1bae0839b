"""kill -9 of wrappers, jobs and sweeps at moments of chance: the ledger tells the truth all the same."""

from pathlib import Path

from random_kills import play_in

# A twentieth of what `deploy/bench --long` plays.
_KILLS = 50


def test_fault_04_at_moments_of_chance_what_was_killed_leaves_a_truthful_ledger(tmp_path: Path) -> None:
    report = play_in(tmp_path / "home", seed=4, kills=_KILLS)

    assert report.untruths == []
    assert report.kills.total() >= _KILLS
    assert {"ok", "failed", "lost"} <= report.outcomes.keys()
