"""Damaged small files: plans, and what wrapper, sweep and commands leave for each other in the state directory."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from fuzz_kind import Kind, make_directory, mutate, split_words
from journals import NOW, TODAY, start_of

from runner.launch import lines
from runner.launch.activation import Change
from runner.launch.incident import Health, encode_health, parse_health
from runner.launch.installed import Installed, decode_installed, encode_installed
from runner.launch.instant import format_instant
from runner.launch.journal import encode_event
from runner.launch.lock import LockRecord, find_lock, write_lock
from runner.launch.pauses import describe_pause
from runner.launch.plan import (
    FORMAT,
    HomePlan,
    Plan,
    PlanTarget,
    Step,
    decode_home_plan,
    decode_plan,
    decode_schedule,
    fingerprint,
)
from runner.launch.plan_encode import encode_home_plan, encode_plan, encode_schedule
from runner.launch.process import Identity
from runner.launch.record import open_record
from runner.launch.snapshot import FORMAT as SNAPSHOT_FORMAT
from runner.launch.snapshot import Input, Snapshot, decode_snapshot, encode_snapshot
from runner.launch.state import DRAINED, JOURNAL, OPEN_RUNS, STOPS
from runner.launch.stops import read_stop
from runner.ledger.files import read_drained
from runner.sweep.open_runs import find_open_runs

_START = start_of()
_RECORD = encode_event(_START).decode().strip()
_SCHEDULE = "*:0,30 all 1,15 * 1"
_WORDS = split_words(
    "plan ¦since ¦when ¦word ¦step ¦at ¦paused¦never¦when * * *¦"
    "when 0,x all * * *¦timeout_s nan¦umask 0x¦run ¦slots ¦job 1 2¦"
    ".\n¦mild ¦bad_runs 1e3¦inputs x¦changes y¦change set¦input - -¦"
    "made_at x¦profile ¦name ¦target ¦host ¦until ¦missed ¦\n¦"
    "retry_times -1¦digest ¦2026-13-01T00:00:00Z¦0000-00-00T00:00:00Z¦"
    "9999-12-31T23:59:60Z¦start {¦boot boot¦secret x¦"
    "limit_memory_bytes 99999999999999999999¦when 99 * * * *¦when 9999999999 * * * *¦env ¦activate ¦detail "
)


def _make_plan() -> Plan:
    plan = Plan("index@prod", "index", "prod")
    plan.mailto, plan.hosts, plan.retry_on, plan.stderr_allow = ["a@b.org"], ["ql*"], ["failed", "3"], ["^x y$"]
    plan.schedules = [decode_schedule(_SCHEDULE)]
    plan.steps = [Step("success", ["/bin/sh", "-c", "a\nb \\ c"]), Step("always", [""])]
    plan.limit_memory_bytes, plan.timezone, plan.env = [1 << 30], "UTC", [("A", "b c")]
    conda = Change("conda", details=[("root", "/opt"), ("name", "n")])
    plan.activation.changes = [Change("set", "X", "y"), conda]
    return plan


def _make_home_plan() -> HomePlan:
    home = HomePlan("ql")
    home.mail_ops, home.targets = ["a@b.org"], [PlanTarget("main", ["ql1"], "ql", "UTC", "{home}/state")]
    home.guard = [("root", "prod /opt")]
    return home


def _make_installed() -> bytes:
    one = Installed("index@prod", NOW, "UTC", [encode_schedule(decode_schedule(_SCHEDULE))])
    one.at, one.missed, one.rerun = NOW - 60, ["2026-11-21T11:00:00Z"], ["2026-11-21T10:00:00Z"]
    return encode_installed({"index@prod": one, "rest": Installed("rest", 0.0, "", ["* * * * *"])})


def _make_snapshot() -> bytes:
    snapshot = Snapshot("prod", "0123")
    snapshot.made_at, snapshot.max_age_s = NOW, 60.0
    snapshot.changes = [Change("set", "A", "b c"), Change("unset", "B", "")]
    snapshot.inputs = [Input("/etc/a b", "1:2:3:4", "0" * 64, is_source=True)]
    snapshot.secrets = [("T", "/t")]
    return encode_snapshot(snapshot)


def _make_lock() -> bytes:
    record = LockRecord()
    record.run_id, record.boot_id, record.since = _START["run_id"], "boot", format_instant(NOW)
    record.slots, record.start = [_START["slot"]], _RECORD
    record.wrapper = record.job = Identity(4242, 17)
    path = _DIRECTORY / "lock"
    write_lock(open_record(str(path)), record)
    return path.read_bytes()


def _read_plan(data: bytes) -> None:
    """Read it as it is, and as if its first line had come with it: another version of ours writes what it likes."""
    for text in (data, _sign(FORMAT, data)):
        with suppress(ValueError, LookupError):
            encode_plan(decode_plan(text))


def _read_snapshot(data: bytes) -> None:
    for text in (data, _sign(SNAPSHOT_FORMAT, data)):
        with suppress(ValueError, LookupError):
            encode_snapshot(decode_snapshot(text))


def _sign(form: str, data: bytes) -> bytes:
    body = data.partition(b"\n")[2]
    return f"{form} {fingerprint(body)}\n".encode() + body


def _read_home_plan(data: bytes) -> None:
    with suppress(ValueError, LookupError):
        encode_home_plan(decode_home_plan(data))


def _read_lock(data: bytes) -> None:
    assert find_lock(f"{_write('lock', data)}/lock")


def _read_health(data: bytes) -> None:
    encode_health(parse_health(data))


def _read_installed(data: bytes) -> None:
    installed = decode_installed(data)
    assert all(len(one.schedules) == len(one.when) for one in installed.values())
    assert decode_installed(encode_installed(installed)).keys() == installed.keys()


def _read_pause(data: bytes) -> None:
    assert isinstance(describe_pause(data, NOW), str)


def _read_stop(data: bytes) -> None:
    read_stop(_write(f"{STOPS}/index", data), "index", _START["run_id"])


def _read_memories(data: bytes) -> None:
    """Read it as what the sweep remembers of the journal."""
    read_drained(_write(f"{JOURNAL}/{DRAINED}", data))
    find_open_runs(_write(f"{JOURNAL}/{OPEN_RUNS}", data), "boot")


def _write(name: str, data: bytes) -> str:
    (_DIRECTORY / name).write_bytes(data)
    return str(_DIRECTORY)


def _small(name: str, share: int, read: Callable[[bytes], None], *samples: bytes) -> Kind:
    return Kind(name, share, lambda chance: mutate(chance, samples, _WORDS), read)


_DIRECTORY = make_directory()
(_DIRECTORY / JOURNAL).mkdir()
(_DIRECTORY / STOPS).mkdir()
_PAUSE = [("author", "ana"), ("since", format_instant(NOW)), ("until", format_instant(NOW + 60)), ("reason", "x")]
_STOP = [("run", _START["run_id"]), ("author", "ana"), ("at", format_instant(NOW)), ("reason", "y")]
_MEMORIES = (
    lines.encode([("database", "sqlite:////x"), (f"{TODAY}.jsonl", "400")]),
    lines.encode([("boot", "boot"), (f"{TODAY}.jsonl", "400"), ("start", _RECORD)]),
)

KINDS = (
    _small("plan", 4, _read_plan, encode_plan(_make_plan()), encode_plan(Plan("a", "a", "b"))),
    _small("home-plan", 2, _read_home_plan, encode_home_plan(_make_home_plan())),
    _small("lock", 2, _read_lock, _make_lock()),
    _small("health", 2, _read_health, lines.encode(encode_health(Health())) + b".\n"),
    _small("installed", 3, _read_installed, _make_installed()),
    _small("pause", 1, _read_pause, lines.encode(_PAUSE)),
    _small("snapshot", 2, _read_snapshot, _make_snapshot()),
    _small("stop", 1, _read_stop, lines.encode(_STOP)),
    _small("memories", 1, _read_memories, *_MEMORIES),
)
