"""The profiles that runs had to activate themselves are captured for the next ones (PROF-63)."""

from __future__ import annotations

from pathlib import Path

import pytest
from housekeeping import House, make_house

from runner.errors import USER_ERROR
from runner.launch.activation import Activation, Change
from runner.launch.snapshot import WANTED, find_snapshot
from runner.launch.state import SNAPSHOTS
from runner.sweep.chores import Result, Round, do_chore
from runner.sweep.snapshots import has_work


@pytest.fixture
def house(tmp_path: Path) -> House:
    return make_house(tmp_path / "home")


def _want(house: House, setup: str, profile: str = "dsoc-prod") -> None:
    """Leave what a run leaves that had no snapshot of its profile."""
    script = house.home / f"{profile}.sh"
    script.write_text(setup)
    activation = Activation()
    activation.changes = [Change("setup", details=[("shell", "bash"), ("source", str(script))])]
    house.plan("download", profile=profile, activation=activation)
    (house.state / SNAPSHOTS / f"{profile}{WANTED}").write_text("download")


def _sweep(house: House) -> Result:
    return do_chore("snapshots", Round(house.place, 0.0, {}))


def test_where_nobody_asked_there_is_nothing_to_do(house: House) -> None:
    assert not has_work(Round(house.place, 0.0, {}))


def test_a_wanted_profile_is_captured_and_wanted_no_more(house: House) -> None:
    _want(house, "export A=1\n")

    result = _sweep(house)

    assert (result.code, result.detail) == (0, "captured dsoc-prod")
    snapshot = find_snapshot(str(house.state), "dsoc-prod", house.place.host)
    assert snapshot
    assert [(one.name, one.value) for one in snapshot.changes] == [("A", "1")]
    assert not has_work(Round(house.place, 0.0, {}))


@pytest.mark.parametrize(
    ("setup", "why"),
    [
        ("export A=$RANDOM$RANDOM\n", "A differs from one activation to the next"),
        ("export MY_SECRET=1\n", "setup: it sets MY_SECRET, which no file may keep"),
    ],
)
def test_a_profile_that_cannot_be_kept_is_told_of_and_asked_for_again_only_by_a_run(
    house: House, setup: str, why: str
) -> None:
    _want(house, setup)

    result = _sweep(house)

    assert (result.code, result.did) == (USER_ERROR, True)
    assert result.detail.startswith(f"profile dsoc-prod: {why}")
    assert not has_work(Round(house.place, 0.0, {}))
    assert find_snapshot(str(house.state), "dsoc-prod", house.place.host) is None
