"""Links planted where the state has its files: what they lead to is unchanged, and somebody is told (SEC-6)."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from lab import SLOT, Lab

from runner.launch.pauses import Pause, write_pause
from runner.launch.snapshot import Snapshot, ask_for_snapshot, keep_snapshot
from runner.launch.stops import write_stop
from runner.ledger.files import write_drained

Plant = Callable[[Path, Path], None]
both = pytest.mark.parametrize("plant", [Path.symlink_to, Path.hardlink_to])
TODAY = time.strftime("%Y-%m-%d", time.gmtime())


@pytest.fixture
def precious(tmp_path: Path) -> Path:
    path = tmp_path / "precious"
    path.write_text("precious\n")
    path.chmod(0o640)
    return path


def put(lab: Lab, name: str, plant: Plant, precious: Path) -> None:
    """Plant a link in the place of a file of the state, or of a directory."""
    path = lab.state / name
    path.parent.mkdir(exist_ok=True)
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    plant(path, precious)


def assert_unchanged(precious: Path) -> None:
    assert (precious.read_text(), precious.stat().st_mode & 0o777) == ("precious\n", 0o640)


@both
@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("locks/job", 126, "lock locks/job: "),
        ("health/job", 3, "runner: job: health/job: "),
        (f"journal/{TODAY}.jsonl", 3, "runner: job: journal: "),
        ("logs/job", 3, "bytes of the log were lost: "),
        ("pauses/job", 0, ""),
        ("logs/job/latest.log", 3, ""),
    ],
)
def test_sec_06_a_run_writes_through_no_link(
    lab: Lab, precious: Path, name: str, plant: Plant, code: int, said: str
) -> None:
    """Who cannot be written to is named in the mail; a pause that cannot be read is a pause; latest.log is replaced."""
    lab.job("job", "echo no photons >&2; exit 3")
    put(lab, name, plant, precious)

    result = lab.run("job", "--slot", SLOT)

    assert_unchanged(precious)
    assert (result.code, said in result.mail) == (code, True)
    if name == "pauses/job":
        assert lab.events("skip")[-1]["detail"].startswith("by a pause file that ")
    if name == "logs/job/latest.log":
        assert b"no photons" in lab.log("job")


@both
@pytest.mark.parametrize("name", ["sweep.alive", "journal/reserve"])
def test_sec_06_the_sweep_writes_through_no_link(lab: Lab, precious: Path, name: str, plant: Plant) -> None:
    put(lab, name, plant, precious)

    result = lab.sweep()

    assert_unchanged(precious)
    assert result.code == 75
    assert f"{lab.state}/{name}: " in result.mail
    assert "Traceback" not in result.mail


def test_sec_06_what_is_installed_is_read_through_no_link(lab: Lab, precious: Path) -> None:
    put(lab, "installed", Path.symlink_to, precious)

    result = lab.sweep()

    assert_unchanged(precious)
    assert f"{lab.state}/installed: Too many levels of symbolic links" in result.mail


_SNAPSHOT = Snapshot("p", "1")
_REPLACED: dict[str, Callable[[str], object]] = {
    "pauses/job": lambda state: write_pause(state, "job", Pause("ana", 0.0)),
    "stops/job": lambda state: write_stop(state, "job", "run", "ana", "wrong input", 0.0),
    "snapshots/p@h": lambda state: keep_snapshot(state, _SNAPSHOT, "h"),
    "snapshots/p.wanted": lambda state: ask_for_snapshot(state, "p", "job"),
    "journal/drained": lambda state: write_drained(state, "sqlite:////x", {"x": 1}),
}


@pytest.mark.parametrize("name", _REPLACED)
@both
def test_sec_06_what_is_replaced_is_the_link_and_not_what_it_leads_to(
    lab: Lab, precious: Path, name: str, plant: Plant
) -> None:
    put(lab, name, plant, precious)

    _REPLACED[name](str(lab.state))

    assert_unchanged(precious)
    assert not (lab.state / name).samefile(precious)


def test_sec_06_what_runs_and_sweeps_leave_is_their_owners_alone(lab: Lab) -> None:
    lab.job("job", "true")
    lab.run("job", "--slot", SLOT)
    lab.sweep()

    modes = {str(path.relative_to(lab.state)): path.stat().st_mode & 0o077 for path in lab.state.rglob("*")}
    assert lab.state.stat().st_mode & 0o777 == 0o700
    assert {name for name, mode in modes.items() if mode and not name.startswith("logs/")} <= {"runner.db"}
