"""The dead man's switch: who watches from elsewhere hears of each sweep and of the runs of jobs, and delays nothing."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from uuid import UUID

import pytest
from housekeeping import House, make_house
from journals import run_of
from lab import SLOT, Lab
from watch import Watch, find_closed_port

from runner.errors import TRY_LATER
from runner.launch.pings import leave_end, leave_start
from runner.launch.plan import HOME_PLAN, decode_home_plan
from runner.launch.plan_encode import encode_home_plan
from runner.sweep.chores import Result, Round, do_chore
from runner.sweep.ping import KEEP_S, build_address
from runner.sweep.post import Message, Posting, name_server

DOWN = "name: house\ndatabase: postgresql://u:s3cret@127.0.0.1:1/x\n"


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = make_house(tmp_path / "home")
    (house.home / "envs").mkdir()
    return house


def _ping(house: House, now: float = 0.0) -> Result:
    return do_chore("ping", Round(house.place, now or time.time(), {}))


def _leave_run(house: House, url: str, run_id: str = "run-1", plan: str = "job", outcome: str = "ok") -> None:
    leave_start(str(house.state), url, plan, run_id)
    end = {"plan": plan, "profile": "p", "run_id": run_id, "outcome": outcome, "reason": "exit 3"}
    leave_end(str(house.state), url, {**end})


def _list_waiting(house: House) -> list[str]:
    return sorted(path.name for path in (house.state / "outbox").iterdir())


# Of the sweep itself


def test_a_sweep_tells_its_beginning_and_its_good_end(house: House, watch: Watch) -> None:
    house.settle(ping=f"{watch.origin}/uuid")

    done = house.run_sweep()

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    begin, end = watch.signals
    assert (begin.path, end.path, end.body) == ("/uuid/start", "/uuid", "")
    assert UUID(begin.rid).version == 5
    assert begin.rid == end.rid


def test_a_chore_that_fails_is_told_with_its_line_and_without_passwords(house: House, watch: Watch) -> None:
    house.settle(ping=f"{watch.origin}/uuid")
    (house.home / "envs" / "site.yaml").write_text(DOWN)
    house.journal.append(*run_of())

    house.run_sweep()

    assert watch.paths == ["/uuid/start", "/uuid/fail"]
    assert watch.signals[-1].body.startswith("drain: ledger postgresql+psycopg2://u:***@127.0.0.1:1/x: ")
    assert "\n" not in watch.signals[-1].body


def test_of_a_bug_only_the_last_line_leaves_the_house(house: House, watch: Watch) -> None:
    house.settle(ping=f"{watch.origin}/uuid")
    round_ = Round(house.place, time.time(), {})
    round_.results.append(Result("drain", True, "Traceback\n  secret = 's3cret'\nKeyError: 'é'", 70))
    round_.results.append(Result("close", True, "x" * 20_000, 75))

    do_chore("ping", round_)

    (end,) = watch.signals
    assert end.path == "/uuid/fail"
    assert end.body.startswith("drain: KeyError: 'é'\nclose: xxx")
    assert len(end.body.encode()) == 10_000


def test_each_host_may_have_a_check_of_its_own(house: House, watch: Watch) -> None:
    house.settle(ping=f"{watch.origin}/key/sweep-{{host}}?create=1")

    _ping(house)

    (end,) = watch.signals
    assert end.path == f"/key/sweep-{house.place.host.partition('.')[0].lower()}"
    assert end.query == "create=1"


def test_a_watch_that_refuses_is_told_of_once_and_again_when_it_works(house: House, watch: Watch) -> None:
    house.settle(ping=f"{watch.origin}/uuid")
    watch.status = {"/uuid": 500, "/uuid/start": 404}

    first, second = house.run_sweep(), house.run_sweep()
    watch.status = {}
    third = house.run_sweep()

    trouble = f"{watch.origin}: 404 Not Found to the ping of the sweep; {watch.origin}: 500 Internal Server Error"
    assert first.stderr == f"runner sweep: ping: {trouble} to the ping of the sweep\n"
    assert (first.returncode, second.returncode, second.stderr) == (TRY_LATER, TRY_LATER, "")
    assert (third.returncode, third.stderr) == (0, "runner sweep: ping: works again\n")
    assert "uuid" not in first.stderr


def test_a_watch_that_is_not_there_is_one_line(house: House) -> None:
    server = f"http://127.0.0.1:{find_closed_port()}"
    house.settle(ping=f"{server}/uuid")

    assert house.run_sweep().stderr == f"runner sweep: ping: {server}: Connection refused\n"


def test_a_watch_that_hangs_holds_up_no_other_chore_and_costs_a_quarter_of_a_minute(house: House, watch: Watch) -> None:
    house.settle(ping=f"{watch.origin}/uuid")
    watch.hangs = True
    house.journal.append(*run_of())
    command = [sys.executable, "-I", "-m", "runner.sweep", "--home", str(house.home), "--explain"]

    begun = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={}) as sweep:
        assert sweep.stdout
        assert "drain: 2 events\n" in iter(sweep.stdout.readline, "expire: removed nothing")
        drained_s = time.monotonic() - begun
        sweep.communicate(timeout=60)

    assert drained_s < 5
    assert sweep.returncode == TRY_LATER
    assert time.monotonic() - begun < 20


# Of jobs


def test_the_runs_of_a_job_are_told_in_order_and_only_once(lab: Lab, watch: Watch) -> None:
    lab.job("good", "true", ping=f"{watch.origin}/good")
    lab.job("bad", "exit 3", ping=f"{watch.origin}/bad?create=1")
    for plan in ("good", "bad"):
        lab.run(plan, "--slot", SLOT)

    assert (lab.sweep().err, lab.sweep().err) == (b"", b"")

    assert watch.paths == ["/good/start", "/good", "/bad/start", "/bad/fail"]
    assert watch.signals[-1].body == "FAILED bad [dsoc-prod] exit 3"
    assert watch.signals[-1].query == "create=1"
    rids = [signal.rid for signal in watch.signals]
    assert (rids[0], rids[2], len(set(rids))) == (rids[1], rids[3], 2)
    assert list(lab.state.glob("outbox/*")) == []


def test_a_lost_run_is_told_as_a_failure(house: House, watch: Watch) -> None:
    house.plan("download", ping=f"{watch.origin}/uuid")
    house.leave_run("download", at=time.time() - 60)

    house.sweep("close", now=time.time())
    _ping(house)

    assert watch.paths == ["/uuid/fail"]
    assert watch.signals[0].body == "LOST download [dsoc-prod] its wrapper was killed"


def test_what_cannot_be_told_waits_and_is_told_in_order(house: House, watch: Watch) -> None:
    """A start behind its end would be a run that never ends."""
    _leave_run(house, f"{watch.origin}/job")
    watch.status = {"/job/start": 503}

    first = _ping(house)
    waiting = _list_waiting(house)
    watch.status = {}
    second = _ping(house)

    assert (first.code, first.detail) == (TRY_LATER, f"{watch.origin}: 503 Service Unavailable to the ping of job")
    assert waiting == ["run-1.ping-end", "run-1.ping-start"]
    assert (second.code, second.detail) == (0, "2 sent")
    assert watch.paths == ["/job/start", "/job/start", "/job"]
    assert _list_waiting(house) == []


def test_after_an_hour_what_cannot_be_told_is_given_up(house: House) -> None:
    server = f"http://127.0.0.1:{find_closed_port()}"
    _leave_run(house, f"{server}/job")

    before, after = _ping(house, time.time() + KEEP_S - 60), _ping(house, time.time() + KEEP_S + 60)

    assert before.detail == f"{server}: Connection refused"
    assert after.detail == f"{server}: Connection refused; 2 given up after an hour"
    assert _list_waiting(house) == []
    assert not _ping(house).did


def test_a_check_that_is_gone_keeps_no_other_from_being_told(house: House, watch: Watch) -> None:
    _leave_run(house, f"{watch.origin}/gone", "run-1")
    _leave_run(house, f"{watch.origin}/there", "run-2")
    watch.status = {"/gone/start": 404}

    assert _ping(house).code == TRY_LATER

    assert watch.paths == ["/gone/start", "/there/start", "/there"]
    assert _list_waiting(house) == ["run-1.ping-end", "run-1.ping-start"]


def test_a_torn_ping_is_let_go_and_a_mail_is_left_alone(house: House) -> None:
    outbox = house.state / "outbox"
    (outbox / "run-1.ping-end").write_bytes(b"url http://x")
    (outbox / "run-1.first").write_bytes(b"a mail")

    assert _ping(house).detail == "0 sent"

    assert _list_waiting(house) == ["run-1.first"]


def test_the_pings_of_the_sweep_come_before_those_of_many_jobs(house: House, watch: Watch) -> None:
    house.settle(ping=f"{watch.origin}/sweep")
    for number in range(50):
        _leave_run(house, f"{watch.origin}/{number}", f"run-{number}")

    assert _ping(house).detail == "101 sent"

    assert watch.paths[0] == "/sweep"
    assert watch.connections == 1


# The edge


def test_servers_that_hang_are_waited_for_together_and_no_longer_than_said(watch: Watch) -> None:
    watch.hangs = True
    begun = time.monotonic()

    troubles = Posting([Message("a", "a", f"{watch.origin}/a?rid=1")], 0.3).finish()

    assert time.monotonic() - begun < 3
    assert len(troubles) == 1
    assert troubles[0] in (f"{watch.origin}: no answer within 0.3 s", f"{watch.origin}: timed out")


def test_one_server_that_hangs_keeps_no_other_waiting(watch: Watch) -> None:
    dead = Watch()
    dead.hangs = True
    try:
        messages = [Message("d", "d", f"{dead.origin}/?rid=1"), Message("a", "a", f"{watch.origin}/a?rid=2")]
        troubles = Posting(messages, 0.5).finish()
    finally:
        dead.stop()

    assert watch.paths == ["/a"]
    assert [line.partition(": ")[0] for line in troubles] == [dead.origin]


def test_what_a_server_says_cannot_act_on_a_terminal(watch: Watch) -> None:
    watch.status, watch.reason = {"/a": 404}, "\x1b[2Jgone"

    troubles = Posting([Message("x", "x", f"{watch.origin}/a?rid=1")], 5).finish()

    assert troubles == [f"{watch.origin}: 404 \\x1b[2Jgone to the ping of x"]


@pytest.mark.parametrize(
    ("url", "signal", "expected"),
    [
        ("https://hc/u", "start", "https://hc/u/start?rid=R"),
        ("https://hc/u/", "success", "https://hc/u?rid=R"),
        ("https://hc/u", "fail", "https://hc/u/fail?rid=R"),
        ("https://hc/k/slug?create=1", "log", "https://hc/k/slug/log?create=1&rid=R"),
    ],
)
def test_a_signal_is_a_part_of_the_path(url: str, signal: str, expected: str) -> None:
    assert build_address(url, signal, "R") == expected


def test_of_an_address_only_the_server_is_told() -> None:
    assert name_server("https://u:pw@hc.example.org:8000/secret?x=1") == "https://hc.example.org:8000"


def test_a_home_without_a_watch_loads_no_http(house: House) -> None:
    plan = decode_home_plan((house.home / HOME_PLAN).read_bytes())
    assert b"ping" not in encode_home_plan(plan)
    program = (
        "import sys; from runner.sweep.__main__ import main; main(['--home', sys.argv[1]]);"
        "print({'http', 'socket', 'ssl', 'uuid', 'prometheus_client'}.intersection(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program, str(house.home)], capture_output=True, text=True)

    assert (done.stdout, done.stderr) == ("set()\n", "")
