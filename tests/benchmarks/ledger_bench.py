"""What a long history costs its readers, and how fast the journal goes into it (PERF-7, RUN-16)."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from compile_bench import make_home
from measure import Figure, clean_environment, measure

from runner.database.connect import connect
from runner.database.migrate import prepare_schema
from runner.errors import ANSWER_IS_NO, DONE
from runner.launch.instant import format_instant, format_slot
from runner.launch.journal import encode_event, make_end, make_run_id
from runner.ledger.drain import drain_journal

sys.path.insert(0, str(Path(__file__).parents[1]))
from postgres import Postgres

_JOBS = 200
_RUNS = 1_000_000
_DRAINED = 20_000
_BEGUN = datetime(2026, 1, 1, tzinfo=UTC)


def run_benchmarks(directory: Path) -> Iterator[Figure]:
    """Yield the figures of the ledger, on SQLite and on PostgreSQL."""
    server = Postgres()
    try:
        urls = {"SQLite": f"sqlite:///{directory}/runner.db", "PostgreSQL": server.url(server.create_database())}
        for kind, url in urls.items():
            yield from _drain(directory / kind, kind, url)
        for kind, url in urls.items():
            yield from _ask(directory / f"home-{kind}", kind, url)
    finally:
        server.stop()


def _drain(state: Path, kind: str, url: str) -> Iterator[Figure]:
    """Yield how many records a second go into an empty ledger."""
    write_journal(state, _DRAINED // 2, _JOBS)
    with connect(url) as database:
        prepare_schema(database)
        begun = time.perf_counter()
        drained = drain_journal(database, str(state), time.time())
        seconds = time.perf_counter() - begun
    assert drained.events == _DRAINED, drained
    limit = {"SQLite": 20_000, "PostgreSQL": 10_000}[kind]
    yield Figure(f"drain into {kind}", drained.events / seconds, limit, "records/s", at_least=True)


def _ask(home: Path, kind: str, url: str) -> Iterator[Figure]:
    """Yield how long ``status``, and ``history`` and ``why`` of one job take with a million runs."""
    make_home(home, _JOBS)
    settings = home / "envs" / "site.yaml"
    settings.write_text(settings.read_text() + f'\ndatabase: "{url}"\n')
    command = [sys.executable, "-m", "runner.cli.main", "--home", str(home)]
    subprocess.run([*command, "compile"], check=True, capture_output=True)
    shutil.rmtree(home / "state" / "journal")
    fill(home / "state", url)
    ran, silent = (format_slot(int(_BEGUN.timestamp()) + seconds) for seconds in (20 * 500_007, 20 * 500_007 + 7200))
    no = {silent: ANSWER_IS_NO}
    for words in (["status"], ["history", "job-7"], ["why", "job-7", ran], ["why", "job-7", silent]):
        wanted = no.get(words[-1], DONE)
        measure([*command, *words], wanted)
        costs = sorted(measure([*command, *words], wanted, env=clean_environment()).wall_s for _ in range(7))
        name = f"{words[0]}{' of a silent slot' if wanted else ''}, {_RUNS:,} runs, {kind}"
        yield Figure(name, costs[len(costs) // 2], 0.5, "s")


def fill(state: Path, url: str) -> None:
    """Bring a million runs of 200 jobs into a ledger, by way of the journal as ever."""
    piece = 50_000
    for first in range(0, _RUNS, piece):
        write_journal(state, piece, _JOBS, first)
        with connect(url) as database:
            prepare_schema(database)
            drain_journal(database, str(state), time.time())
        shutil.rmtree(state / "journal")
    (state / "journal").mkdir()


def write_journal(state: Path, runs: int, jobs: int, first: int = 0) -> None:
    """Write the journal of so many runs, one a second, 200 jobs in turn, one in a hundred failed."""
    (state / "journal").mkdir(parents=True, exist_ok=True)
    records: dict[str, list[bytes]] = {}
    for number in range(first, first + runs):
        job = f"job-{number % jobs}"
        at = (_BEGUN + timedelta(seconds=number * 20)).timestamp()
        run_id = make_run_id(at, "ops1", number % 30_000 + 2)
        started_at = format_instant(at)
        start = {
            "event": "start", "at": started_at, "run_id": run_id, "seq": 1, "plan": job, "job": job, "profile": "local",
            "slot": f"{started_at[:17]}00Z", "host": "ops1", "trigger": "cron", "release": "-", "boot_id": "b",
            "pid": 2, "started_at": started_at, "plan_digest": "0", "log": f"/state/logs/{job}/{run_id}.log",
            "mailto": ["ops@example.org"], "timeout_s": 60.0,
        }  # fmt: skip
        outcome, code = ("failed", 3) if number % 100 == 7 else ("ok", 0)
        end = make_end(
            start, 2, format_instant(at + 1), duration_s=1.0, outcome=outcome, reason="", exit_code=code, attempts=1,
            cpu_s=0.1, max_rss_bytes=1 << 20, stdout_bytes=10, stderr_bytes=0, alerted="",
        )  # fmt: skip
        records.setdefault(started_at[:10], []).extend([encode_event(start), encode_event(end)])
    for day, lines in records.items():
        with (state / "journal" / f"{day}.jsonl").open("ab") as file:
            file.writelines(lines)
