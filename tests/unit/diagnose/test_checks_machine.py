"""Room, clock, zones, locks of the file system, Python packages: DIAG016 to 018, 020, 028."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from doctor import diagnose_apart, find, find_one
from homes import Home
from journals import make_journal, start_of

from runner.diagnose.checks.space import judge
from runner.home import locks
from runner.launch.instant import parse_instant
from runner.launch.state import make_state

GIB = 1 << 30


@pytest.mark.parametrize(
    ("free", "size", "level"),
    [
        (50 * GIB, 100 * GIB, ""),
        (4 * GIB, 100 * GIB, "warning"),
        (40 * GIB, 1000 * GIB, ""),  # little of it, and yet much
        (GIB, 10 * GIB, ""),
        (GIB // 100, 10 * GIB, "error"),
        (0, 0, ""),  # a file system without such a limit
    ],
)
def test_what_is_little_room(free: int, size: int, level: str) -> None:
    assert judge(free, size, 64 << 20, 5 * GIB) == level


def test_diag016_is_silent_where_there_is_room(home: Home) -> None:
    make_state(str(home.state))
    room = 'mount -t tmpfs -o size=10g tmpfs "$2/state"'
    assert _of_the_state(diagnose_apart(home, "DIAG016", room)) == []


def test_diag016_finds_a_full_disk(home: Home) -> None:
    make_state(str(home.state))
    full = 'mount -t tmpfs -o size=1m tmpfs "$2/state"; head -c 1000000 /dev/zero >"$2/state/fill"'
    (message,) = _of_the_state(diagnose_apart(home, "DIAG016", full))
    assert message.endswith(" KiB of 1 MiB are free for the state")


def test_diag016_finds_a_disk_without_inodes(home: Home) -> None:
    make_state(str(home.state))
    full = 'mount -t tmpfs -o size=10g,nr_inodes=64 tmpfs "$2/state"; for n in $(seq 60); do : >"$2/state/$n"; done'
    (message,) = _of_the_state(diagnose_apart(home, "DIAG016", full))
    assert message.endswith("of 64 inodes are free for the state")


def test_diag016_looks_at_the_data_of_profiles(home: Home) -> None:
    home.write("envs/local.yaml", "env: {DATA: '{home}/data'}\n")
    home.write("data/x", "")
    full = 'mount -t tmpfs -o size=1m tmpfs "$2/data"; head -c 1000000 /dev/zero >"$2/data/fill"'
    found = [one["message"] for one in diagnose_apart(home, "DIAG016", full)]
    assert [one for one in found if one.endswith(" KiB of 1 MiB are free for the data of profile local")]


def _of_the_state(found: list[dict[str, str]]) -> list[str]:
    return [one["message"] for one in found if one["message"].endswith("the state")]


def test_diag017_is_silent_while_records_are_of_the_past(home: Home) -> None:
    make_journal(home.state).append(start_of("nightly", time.time() - 60))
    home.job("when: '@daily', timezone: America/New_York")
    assert find(home, "DIAG017") == []


def test_diag017_finds_a_clock_that_was_put_back(home: Home) -> None:
    """FAULT-24."""
    make_journal(home.state).append(start_of("nightly", time.time() + 7500))
    finding = find_one(home, "DIAG017")
    assert finding.message == "the clock was put back by 2 h, or was wrong before"


def test_diag017_finds_a_zone_that_is_not_the_targets(home: Home) -> None:
    home.target({"timezone": "Australia/Lord_Howe"})
    assert "its target in Australia/Lord_Howe" in find_one(home, "DIAG017").message


def test_diag017_finds_a_zone_that_this_host_does_not_know_any_more(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.job("when: '@daily', timezone: America/New_York")
    from runner.diagnose.context import read_context

    context = read_context(home.path, time.time())
    monkeypatch.setenv("TZDIR", str(tmp_path))
    (found,) = find(home, "DIAG017", loaded=context.loaded)
    assert found.evidence == "America/New_York"


BEFORE_CHANGE = parse_instant("2026-10-25T12:00:00Z")


def test_diag018_is_silent_while_no_change_is_near(home: Home) -> None:
    home.job("when: '30 1 * * *', timezone: America/New_York")
    assert find(home, "DIAG018", now=parse_instant("2026-07-01T12:00:00Z")) == []


def test_diag018_finds_a_change_of_clocks_and_whom_it_concerns(home: Home) -> None:
    """CRON-39."""
    home.job("when: '30 1 * * *', timezone: America/New_York")
    change, job = find(home, "DIAG018", now=BEFORE_CHANGE)
    assert change.message == "the clocks of America/New_York change by -1 h at 2026-11-01T06:00:00Z"
    assert job.message.startswith("job: 30 1 * * *: America/New_York has 01:30 twice on 2026-11-01")
    assert {change.level, job.level} == {"note"}


def test_diag020_is_silent_where_locks_work(home: Home) -> None:
    assert find(home, "DIAG020") == []


def test_diag020_finds_a_state_on_a_file_system_without_locks(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FAULT-20."""
    mounts = tmp_path / "mountinfo"
    mounts.write_text("1 0 0:1 / / rw - nfs4 server:/export rw\n")
    monkeypatch.setattr(locks, "MOUNTS", mounts)
    finding = find_one(home, "DIAG020")
    assert (finding.level, finding.evidence) == ("error", "it is on nfs4")


def test_diag028_is_silent_on_packages_that_fit(home: Home) -> None:
    assert find(home, "DIAG028") == []


@pytest.mark.parametrize(
    ("metadata", "why"),
    [
        ("Name: click\nVersion: 0.1\n", "observatory-runner needs click >=8.1, there is 0.1"),
        ("Name: click\nVersion: 8.2\nRequires-Dist: no-such-package\n", "click needs no-such-package, which is not"),
    ],
)
def test_diag028_finds_what_does_not_fit(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, metadata: str, why: str
) -> None:
    directory = tmp_path / "site/click-0.dist-info"
    directory.mkdir(parents=True)
    (directory / "METADATA").write_text(f"Metadata-Version: 2.1\n{metadata}")
    monkeypatch.syspath_prepend(tmp_path / "site")
    finding = find_one(home, "DIAG028")
    assert finding.level == "error"
    assert why in finding.evidence


def test_diag028_finds_that_the_interpreter_is_gone(home: Home) -> None:
    (home.path / ".runner/python").unlink()
    assert "leads to no interpreter" in find_one(home, "DIAG028").message
