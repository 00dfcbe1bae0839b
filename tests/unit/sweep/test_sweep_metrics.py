"""The file for Prometheus: what it says is what the state directory holds, and its form is what a collector reads."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from housekeeping import House, make_house
from journals import NOW, run_of, runs_of, skip_of
from prometheus_client.parser import text_string_to_metric_families

from runner.launch.incident import enter_outcome
from runner.launch.outbox import Entry, write_entry
from runner.launch.pauses import Pause, write_pause
from runner.launch.pings import leave_start
from runner.launch.process import identify
from runner.sweep.__main__ import sweep
from runner.sweep.chores import Round, do_chore


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = make_house(tmp_path / "home")
    (house.home / "envs").mkdir()
    house.settle(metrics=str(tmp_path / "runner.prom"))
    house.plan("download")
    return house


def _file(house: House) -> Path:
    return Path(house.place.plan.metrics)


def _read(house: House) -> dict[str, float]:
    """Return what the file says, by name and labels, without that of the home, which each sample has."""
    found = {}
    for family in text_string_to_metric_families(_file(house).read_text()):
        for sample in family.samples:
            labels = {**sample.labels}
            assert labels.pop("home") == "house"
            words = [labels[key] for key in ("chore", "plan", "outcome") if key in labels]
            found[" ".join([sample.name, *words])] = sample.value
    return found


def _measure(house: House, now: float = NOW) -> dict[str, float]:
    house.sweep("metrics", now)
    return _read(house)


def test_a_whole_sweep_writes_the_file(house: House) -> None:
    house.journal.append(*run_of())

    results = list(sweep(house.place, NOW))

    said = _read(house)
    assert said["runner_sweep_timestamp_seconds"] == NOW
    assert said["runner_sweep_duration_seconds"] >= 0
    assert said["runner_journal_backlog_bytes"] == 0
    before = [result.chore for result in results[: [result.chore for result in results].index("metrics")]]
    assert {key.split(" ")[1] for key in said if key.startswith("runner_sweep_chore_failed ")} == set(before)


def test_a_chore_that_fails_and_a_journal_that_waits_are_in_it(house: House) -> None:
    (house.home / "envs" / "site.yaml").write_text("name: house\ndatabase: postgresql://u@127.0.0.1:1/x\n")
    path = house.journal.append(*run_of())

    list(sweep(house.place, NOW))

    said = _read(house)
    assert (said["runner_sweep_chore_failed drain"], said["runner_sweep_chore_failed close"]) == (1, 0)
    assert said["runner_journal_backlog_bytes"] == path.stat().st_size


def test_the_health_of_each_plan_is_in_it(house: House) -> None:
    path = str(house.state / "health" / "download")
    enter_outcome(path, "run-1", "ok", "", NOW - 300)
    enter_outcome(path, "run-2", "failed", "exit 3", NOW - 200)
    enter_outcome(path, "run-3", "failed", "exit 3", NOW - 100)
    house.plan("never-ran")

    said = _measure(house)

    assert (said["runner_incident_open download"], said["runner_incident_bad_runs download"]) == (1, 2)
    assert said["runner_last_success_timestamp_seconds download"] == NOW - 300
    assert said["runner_last_failure_timestamp_seconds download"] == NOW - 100
    assert said["runner_incident_open never-ran"] == 0
    assert "runner_last_success_timestamp_seconds never-ran" not in said


def test_what_runs_and_what_is_paused_is_in_it(house: House) -> None:
    house.plan("download@prod")
    house.leave_run("download@prod", job=identify(os.getpid()), at=NOW - 60)
    house.leave_run("download@prod", job=identify(os.getpid()), at=NOW - 30, suffix="+wait")
    write_pause(str(house.state), "download", Pause("ana", NOW))

    said = _measure(house)

    assert said["runner_running_since_timestamp_seconds download@prod"] == NOW - 60
    assert "runner_running_since_timestamp_seconds download" not in said
    assert (said["runner_paused download"], said["runner_paused download@prod"]) == (1, 1)


def test_open_runs_are_counted(house: House) -> None:
    house.journal.append(run_of()[0])
    assert _measure(house)["runner_open_runs"] == 1


def test_mails_and_pings_that_wait_are_counted(house: House) -> None:
    for number in range(2):
        entry = Entry()
        entry.run_id, entry.kind, entry.at = f"run-{number}", "first", NOW - 60 * number
        write_entry(str(house.state), entry)
    leave_start(str(house.state), "https://x", "download", "run-1")
    (house.state / "outbox" / "run-9.first.1.tmp").write_bytes(b"run_id r")
    (house.state / "outbox" / "dead").mkdir()

    said = _measure(house)

    assert (said["runner_undelivered_mails"], said["runner_undelivered_pings"]) == (2, 1)
    assert said["runner_undelivered_mail_oldest_timestamp_seconds"] == NOW - 60


def test_runs_are_counted_once_however_often_it_looks(house: House) -> None:
    house.journal.append(*runs_of("download", 3), skip_of(at=NOW + 500))
    first = _measure(house)
    house.journal.append(*run_of(at=NOW + 600, outcome="failed", duration_s=7.5), b"\nnonsense\n")

    second = _measure(house)

    assert (first["runner_runs_total download ok"], second["runner_runs_total download ok"]) == (3, 3)
    assert (second["runner_runs_total download failed"], second["runner_runs_total download skipped"]) == (1, 1)
    assert (first["runner_last_run_outcome download ok"], second["runner_last_run_outcome download failed"]) == (1, 1)
    assert "runner_last_run_outcome download ok" not in second
    assert second["runner_last_run_duration_seconds download"] == 7.5
    assert second["runner_last_run_timestamp_seconds download"] == NOW + 602


def test_a_memory_that_a_power_loss_has_spoilt_is_made_anew(house: House) -> None:
    house.journal.append(*runs_of("download", 3))
    _measure(house)

    for spoilt in (b"", b"read x\n", b"last download ok\n", b"\xff\xfe\n"):
        (house.state / "journal" / "counted").write_bytes(spoilt)
        assert _measure(house)["runner_runs_total download ok"] == 3


def test_a_plan_that_is_gone_is_told_of_no_more(house: House) -> None:
    house.journal.append(*run_of("old"), *run_of("download"))
    assert {key.split(" ")[1] for key in _measure(house) if key.startswith("runner_runs_total")} == {"download"}


@pytest.fixture
def strict_umask() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


@pytest.mark.usefixtures("strict_umask")
def test_another_user_can_read_it_and_our_umask_is_what_it_was(house: House) -> None:
    _measure(house)

    assert stat.S_IMODE(_file(house).stat().st_mode) == 0o644
    assert os.umask(0o077) == 0o077
    assert [path.name for path in _file(house).parent.iterdir() if "prom" in path.name] == ["runner.prom"]


def test_a_directory_that_is_not_there_is_the_sites_trouble(house: House, tmp_path: Path) -> None:
    house.settle(metrics=str(tmp_path / "nowhere" / "runner.prom"))

    result = do_chore("metrics", Round(house.place, NOW, {}))

    assert result.code == 75
    assert result.detail.endswith(": No such file or directory")


def test_every_metric_is_declared_with_what_it_means_and_a_name_by_the_rules(house: House) -> None:
    _measure(house)

    for family in text_string_to_metric_families(_file(house).read_text()):
        assert family.documentation.endswith(".")
        assert family.name.startswith("runner_")
        assert family.type == ("counter" if family.name == "runner_runs" else "gauge")
