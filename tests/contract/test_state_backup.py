"""`runner state backup` and `restore`: what runner remembers, taken while jobs run and brought back elsewhere."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import backup_kills
import pytest
from homes import REPOSITORY, Home
from lab import CALLER, SLOT, Lab
from missing import need_namespaces
from postgres import Postgres

from runner.launch.instant import format_instant, format_slot
from runner.launch.lock import take_lock
from runner.launch.record import open_record, write_record
from runner.launch.reserve import append_to_reserve, has_events, make_reserve
from runner.plans.installed import note_installed
from runner.plans.write import read_compiled_plans
from runner.registry.schedule import parse_when

RUNNER = (sys.executable, "-I", "-m", "runner.cli.main")
SLOTS_BEGIN = 1_790_000_040
# Root reads everything; without these rights it is like anybody else.
_PLAIN = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search")


def call(lab: Lab, *words: str | Path, before: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Call ``runner WORDS`` in a home."""
    command = [*before, *RUNNER, "--home", str(lab.home), *map(str, words)]
    return subprocess.run(command, env=CALLER, capture_output=True, text=True, timeout=120)


def succeed(lab: Lab, *words: str | Path) -> str:
    """Call ``runner WORDS``, which must succeed in silence; return its stdout."""
    done = call(lab, *words)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def read_runs(lab: Lab) -> dict[str, str | None]:
    """Return the outcome of each run that the ledger knows, None of one that goes on."""
    answer = succeed(lab, "history", "--json", "--limit", "100000")
    return {run["run_id"]: run["outcome"] for run in map(json.loads, answer.splitlines())}


def read_ends(lab: Lab) -> dict[str, str]:
    """Return the outcome of each run whose end is in the journal."""
    return {event["run_id"]: event["outcome"] for event in lab.events("end")}


@pytest.fixture
def other(tmp_path: Path, machine_files: Path) -> Iterator[Lab]:
    """A home elsewhere, whose state is to be brought back."""
    lab = Lab(tmp_path / "other", machine_files)
    shutil.rmtree(lab.state)
    yield lab
    lab.tear_down()


def test_a_backup_while_jobs_run_and_the_ledger_drains_has_every_run_once(lab: Lab, other: Lab, tmp_path: Path) -> None:
    for name, body in {"quick": "exit 0", "failing": "exit 3", "slow": "sleep 0.1"}.items():
        lab.job(name, body)
    done = threading.Event()

    def run_on(plan: str, number: int) -> None:
        while not done.is_set():
            number += 3
            lab.run(plan, "--slot", format_slot(SLOTS_BEGIN + 60 * number))

    def drain_on() -> None:
        while not done.is_set():
            call(lab, "history", "--limit", "1")
            lab.sweep()

    threads = [threading.Thread(target=run_on, args=(name, i)) for i, name in enumerate(("quick", "failing", "slow"))]
    threads.append(threading.Thread(target=drain_on))
    for thread in threads:
        thread.start()
    try:
        files, known = [], []
        for number in range(4):
            time.sleep(1.0)
            known.append(read_ends(lab))
            files.append(tmp_path / f"{number}.tar.gz")
            succeed(lab, "state", "backup", files[-1])
    finally:
        done.set()
        for thread in threads:
            thread.join()

    for file, before in zip(files, known, strict=True):
        shutil.rmtree(other.state, ignore_errors=True)
        succeed(other, "state", "restore", file)
        other.sweep()
        runs = read_runs(other)
        assert before.items() <= runs.items(), "what had ended before is in the backup as it ended"
        assert runs == read_ends(other), "the ledger has what the journal has, and each run has an end"
        truth = read_ends(lab)
        assert {run for run, outcome in runs.items() if outcome != truth[run]} == {
            run for run, outcome in runs.items() if outcome == "lost"
        }
    assert len(known[-1]) > len(known[0]) > 0


def test_what_ran_then_is_lost(lab: Lab, tmp_path: Path) -> None:
    """As after a power cut: in the same place, where the ledger that was restored knows how far it has drained."""
    lab.job("long", 'touch "$RUNNER_WORK/ready"; sleep 60', timeout_s=90.0)
    lab.job("before", "exit 3")
    lab.run("before", "--slot", SLOT)
    lab.sweep()
    process = lab.start_running("long", "--slot", SLOT)
    file = tmp_path / "kept.tar.gz"
    said = succeed(lab, "state", "backup", file)
    process.kill()
    lab.tear_down()
    lab.finish(process)
    lab.run("before", "--slot", "2026-03-09T07:00:00Z")
    lab.state.rename(tmp_path / "state.before")

    answer = json.loads(succeed(lab, "state", "restore", file, "--json"))
    lab.sweep()

    assert "without the logs of runs; --logs keeps them, too" in said
    assert (answer["host"], answer["state"], answer["has_ledger"]) == (socket.gethostname(), str(lab.state), True)
    assert sorted((event["plan"], read_runs(lab)[event["run_id"]]) for event in lab.events("start")) == [
        ("before", "failed"),
        ("long", "lost"),
    ]
    assert lab.health("before").incident in read_runs(lab)
    assert [event["action"] for event in lab.events("audit")] == ["state restore"]
    assert lab.run("before", "--slot", SLOT).code == 0, "a slot that was started then is not started again"
    assert len(lab.events("start", "before")) == 1
    lab.assert_no_litter()


def test_what_was_due_since_is_missed_and_nothing_before(lab: Lab, tmp_path: Path) -> None:
    slot = int(time.time() - 1800) // 60 * 60
    when = parse_when(f"{slot // 60 % 60} * * * *").schedule
    lab.job("job", 'echo "$RUNNER_SLOT" >>"$RUNNER_WORK/slots"', schedules=[when], timezone="UTC", missed="all")
    note_installed(lab.state, read_compiled_plans(lab.home), time.time() - 2 * 86400)
    lab.run("job", "--slot", format_slot(slot - 7200))
    alive = open_record(f"{lab.state}/sweep.alive")
    write_record(alive, [("missed", format_instant(time.time() - 3 * 3600))])
    os.close(alive)
    succeed(lab, "state", "backup", tmp_path / "kept.tar.gz")
    lab.state.rename(tmp_path / "state.before")

    succeed(lab, "state", "restore", tmp_path / "kept.tar.gz")
    for _ in range(4):
        lab.sweep()

    assert (lab.work("job") / "slots").read_text().split() == [format_slot(slot - back) for back in (7200, 3600, 0)]


def test_records_that_wait_in_the_reserve_of_a_full_disk_are_kept(lab: Lab, other: Lab, tmp_path: Path) -> None:
    make_reserve(str(lab.state))
    append_to_reserve(str(lab.state), b'{"event": "of a full disk"}\n')
    succeed(lab, "state", "backup", tmp_path / "kept.tar.gz")
    succeed(other, "state", "restore", tmp_path / "kept.tar.gz")
    assert has_events(str(other.state))


def test_all_is_private_and_as_it_was(lab: Lab, other: Lab, tmp_path: Path) -> None:
    lab.job("job", 'mkdir -m 500 "$RUNNER_WORK/closed"; echo x >"$RUNNER_WORK/marker"; chmod 700 "$RUNNER_WORK/marker"')
    lab.run("job", "--slot", SLOT)
    lab.sweep()
    (lab.state / "pauses" / "job").write_bytes(b"reason tests\n")
    file = tmp_path / "kept.tar.gz"

    umask = os.umask(0)
    try:
        succeed(lab, "state", "backup", "--logs", file)
        succeed(other, "state", "restore", file)
    finally:
        os.umask(umask)

    assert file.stat().st_mode & 0o777 == 0o600
    assert other.state.stat().st_mode & 0o777 == 0o700
    assert _list_tree(other.state) == _list_tree(lab.state)
    assert not [path for path in tmp_path.iterdir() if path.suffix in (".tmp", ".restoring")]


def _list_tree(state: Path) -> dict[str, tuple[int, int, bytes]]:
    """Return mode, time and content of all but what is made again or is added by a restore."""
    found = {}
    for path in state.rglob("*"):
        name = str(path.relative_to(state))
        if path.is_symlink() or name.startswith("runner.db") or name == "journal/drained":
            continue
        status = path.stat()
        if path.is_dir():
            found[name] = (status.st_mode & 0o777, 0, b"")
        elif path.parent.name != "journal":
            found[name] = (status.st_mode & 0o777, int(status.st_mtime), path.read_bytes())
    return found


def test_a_ledger_in_postgresql_is_left_to_its_own_tools_and_drained_into_again(
    lab: Lab, postgres: Postgres, tmp_path: Path
) -> None:
    name = postgres.create_database()
    site = lab.home / "envs" / "site.yaml"
    site.write_text(f"{site.read_text()}database: {postgres.url(name)}\n")
    try:
        lab.job("job", "exit 3")
        lab.run("job", "--slot", SLOT)
        before = read_runs(lab)
        said = succeed(lab, "state", "backup", tmp_path / "kept.tar.gz")
        lab.state.rename(tmp_path / "state.before")
        succeed(lab, "state", "restore", tmp_path / "kept.tar.gz")

        assert f"without the ledger {postgres.url(name)}, which is not in the state directory\n" in said
        assert len(before) == 1
        assert read_runs(lab) == before
    finally:
        postgres.drop_database(name)


def test_in_a_directory_the_newest_are_kept(lab: Lab, tmp_path: Path) -> None:
    place = tmp_path / "backups"
    place.mkdir()
    host = socket.gethostname()
    old = [place / f"lab-{host}-2026010{day}T000000Z.tar.gz" for day in range(1, 5)]
    foreign = [place / f"lab-{host}2-20260101T000000Z.tar.gz", place / f"lab-{host}-mine.tar.gz"]
    killed, at_work = place / f"{old[0].name}.tmp", place / f"{old[1].name}.db.tmp"
    for path in (*old, *foreign, killed, at_work):
        path.write_bytes(b"")
    os.utime(killed, (0, 0))

    answer = json.loads(succeed(lab, "state", "backup", place, "--keep", "3", "--json"))

    assert set(place.iterdir()) == {*old[2:], *foreign, at_work, Path(answer["path"])}
    assert answer["removed"] == [str(path) for path in old[:2]]
    with tarfile.open(answer["path"]) as archive:
        assert answer["files"] == sum(one.isreg() for one in archive) - 1


def test_what_is_no_file_or_cannot_be_read_is_named(lab: Lab, tmp_path: Path) -> None:
    work = lab.work("job")
    work.mkdir(parents=True)
    os.mkfifo(work / "fifo")
    (work / "link").symlink_to("/etc/passwd")
    (work / "closed").write_text("x")
    (work / "closed").chmod(0)
    file = tmp_path / "kept.tar.gz"

    done = call(lab, "state", "backup", file, before=_PLAIN if os.geteuid() == 0 else ())

    assert done.returncode == 1
    assert done.stderr == f"{work}/closed: not in the backup: Permission denied\n"
    assert "left out, neither file nor directory: work/job/fifo work/job/link\n" in done.stdout
    with tarfile.open(file) as archive:
        assert not [name for name in archive.getnames() if name.startswith("state/work/job/")]


def test_a_sweep_at_work_is_waited_for(lab: Lab, tmp_path: Path) -> None:
    alive = open_record(f"{lab.state}/sweep.alive")
    assert take_lock(alive)
    process = subprocess.Popen([*RUNNER, "--home", lab.home, "state", "backup", tmp_path / "kept.tar.gz"], env=CALLER)
    lab.wait_for((tmp_path / "kept.tar.gz.tmp").exists, "the backup to begin")
    time.sleep(0.3)
    assert process.poll() is None
    os.close(alive)
    assert process.wait(20) == 0
    assert (tmp_path / "kept.tar.gz").exists()


def test_the_daily_job_of_the_page_keeps_a_backup(home: Home, tmp_path: Path) -> None:
    page = (REPOSITORY / "deploy" / "backup.md").read_text()
    entry = re.search("```yaml\n(.*?)```", page, re.DOTALL)
    assert entry
    place = tmp_path / "backups"
    place.mkdir()
    home.write("jobs/all.yaml", entry[1].replace("/data/backups", str(place)))
    home.compile()

    for day in range(1, 3):
        command = [home.path / "wrappers" / "run-job", "backup", "--slot", f"2026-03-0{day}T06:50:00Z"]
        assert subprocess.run(command, env=CALLER, capture_output=True).stderr == b""
        time.sleep(1.0)  # a name has the second

    assert [path.name.partition("-2")[0] for path in place.iterdir()] == [f"lab-{socket.gethostname()}"] * 2
    assert home.runner("state", "restore", "--dry-run", str(next(place.iterdir()))).code == 2, "there is a state"


REFUSED = {
    "there already": (["there.tar.gz"], 2, "{there.tar.gz} is there already; choose another name, or say --force"),
    "in the state": (["home/state/kept.tar.gz"], 2, "would lie in the state directory, and be lost with it"),
    "--keep of a file": (["new.tar.gz", "--keep", "3"], 2, "is no directory, in which --keep could keep the newest"),
    "--keep 0": ([".", "--keep", "0"], 2, "0 is not in the range x>=1"),
    "no such directory": (["none/new.tar.gz"], 2, "none is no directory; make it first"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_backup_that_cannot_be_right_is_refused_in_a_line(lab: Lab, tmp_path: Path, case: str) -> None:
    words, code, message = REFUSED[case]
    (tmp_path / "there.tar.gz").write_text("yesterday")

    done = call(lab, "state", "backup", tmp_path / words[0], *words[1:])

    assert done.returncode == code
    assert message.replace("{there.tar.gz}", str(tmp_path / "there.tar.gz")) in done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "there.tar.gz").read_text() == "yesterday"
    assert {path.name for path in tmp_path.iterdir()} == {"there.tar.gz", "home"}


def test_a_dry_run_of_either_changes_nothing(lab: Lab, other: Lab, tmp_path: Path) -> None:
    file = tmp_path / "kept.tar.gz"
    assert succeed(lab, "state", "backup", file, "--dry-run").startswith(f"{lab.state} would be written to {file}\n")
    assert not file.exists()
    succeed(lab, "state", "backup", file)
    assert "is whole, and would become" in succeed(other, "state", "restore", file, "--dry-run")
    assert not other.state.exists()
    assert {path.name for path in tmp_path.iterdir()} == {"home", "other", file.name}


def test_a_state_that_has_something_is_not_replaced(lab: Lab, tmp_path: Path) -> None:
    file = tmp_path / "kept.tar.gz"
    succeed(lab, "state", "backup", file)

    done = call(lab, "state", "restore", file)

    assert done.returncode == 2
    assert done.stderr.endswith(f"; move it away first: mv {lab.state} {lab.state}.before\n")
    assert (lab.state / "sweep.alive").exists()


def test_an_empty_state_directory_gives_way(lab: Lab, other: Lab, tmp_path: Path) -> None:
    (other.state / "journal").mkdir(parents=True)
    succeed(lab, "state", "backup", tmp_path / "kept.tar.gz")
    succeed(other, "state", "restore", tmp_path / "kept.tar.gz")
    assert (other.state / "sweep.alive").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="root")
def test_root_does_not_make_files_of_its_own_for_another_account(lab: Lab, tmp_path: Path) -> None:
    os.chown(lab.state, 65534, 65534)
    done = call(lab, "state", "backup", tmp_path / "kept.tar.gz")
    assert done.returncode == 2
    assert done.stderr.startswith(f"{lab.state} belongs to nobody; do this as nobody: runuser -u nobody -- runner")
    os.chown(lab.state, 54321, 54321)
    done = call(lab, "state", "backup", tmp_path / "kept.tar.gz")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith(f"{lab.state} belongs to uid 54321, of which")


_FULL = 'mount -t tmpfs -o size=256k,mode=700 tmpfs "$1" || exit; shift; "$@"; code=$?; ls -A {place}; exit $code'


def _call_on_small_disk(lab: Lab, place: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    need_namespaces()
    script = _FULL.replace("{place}", f"'{place}'")
    command = ["unshare", "-rm", "sh", "-c", script, "sh", place, *RUNNER, "--home", lab.home, *words]
    return subprocess.run(command, env=CALLER, capture_output=True, text=True)


def test_a_full_disk_leaves_no_half_backup_and_no_half_state(lab: Lab, other: Lab, tmp_path: Path) -> None:
    (lab.state / "work" / "noise").write_bytes(os.urandom(1 << 20))
    place = tmp_path / "small"
    place.mkdir()

    full = _call_on_small_disk(lab, place, "state", "backup", place / "kept.tar.gz")
    succeed(lab, "state", "backup", tmp_path / "kept.tar.gz")
    site = other.home / "envs" / "site.yaml"
    site.write_text(f"{site.read_text()}state: {place}/state\n")
    full_again = _call_on_small_disk(other, place, "state", "restore", tmp_path / "kept.tar.gz")

    for done in (full, full_again):
        assert (done.returncode, done.stdout) == (75, "")
        assert "No space left on device" in done.stderr
        assert "Traceback" not in done.stderr
        assert str(place) in done.stderr


@pytest.mark.parametrize(("work", "every"), [("backup", 5), ("restore", 11)])
def test_killed_at_any_step_there_is_all_or_what_was_before(lab: Lab, tmp_path: Path, work: str, every: int) -> None:
    lab.job("job", "echo hello")
    for day in range(1, 6):
        lab.run("job", "--slot", f"2026-03-0{day}T07:00:00Z")
    lab.sweep()
    place = tmp_path / "backups"
    place.mkdir()

    tries: list[dict[str, Any]] = backup_kills.run(work, lab.state, place / "kept.tar.gz", every)

    assert len(tries) > 20
    assert {one["left"] for one in tries} == {{"backup": "old", "restore": "absent"}[work], "whole"}
    assert {one["then"] for one in tries} == {"whole"}
    assert [one["litter"] for one in tries if one["litter"] and one["left"] != "whole"] == []
