"""What a run leaves for the watch of its job: one word at its start, one at its end, and no socket is ever opened."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from lab import SLOT, Lab

from runner.launch.pings import Ping, leave_end, read_ping

URL = "https://watch.example.org/job"


def _find_pings(lab: Lab) -> dict[str, Ping]:
    """Return the pings of the only run that left any, by the end of their names."""
    found = {path: read_ping(str(path)) for path in (lab.state / "outbox").glob("*.ping-*")}
    assert len({ping.run_id for ping in found.values() if ping}) <= 1
    return {path.suffix: ping for path, ping in found.items() if ping}


def test_a_good_run_leaves_its_start_and_its_success(lab: Lab) -> None:
    lab.job("job", "true", ping=URL)

    lab.run("job", "--slot", SLOT)

    pings = _find_pings(lab)
    start, end = pings[".ping-start"], pings[".ping-end"]
    assert (start.signal, start.url, start.run_id) == ("start", URL, lab.end("job")["run_id"])
    assert (end.signal, end.url, end.run_id, end.body) == ("success", URL, start.run_id, "OK job [dsoc-prod]")
    assert start.at < end.at


@pytest.mark.parametrize(
    ("body", "fields", "expected", "said"),
    [
        ("echo x >&2", {}, "success", "WARNED job [dsoc-prod] 1 line on stderr"),
        ("exit 3", {}, "fail", "FAILED job [dsoc-prod] exit 3"),
        ("sleep 60", {"timeout_s": 0.2, "grace_s": 0.1}, "fail", "TIMED_OUT job [dsoc-prod] "),
        ("true", {"cwd": "/nowhere"}, "fail", "CANNOT_START job [dsoc-prod] "),
    ],
)
def test_the_end_says_how_it_went(lab: Lab, body: str, fields: dict[str, object], expected: str, said: str) -> None:
    lab.job("job", body, ping=URL, **fields)

    lab.run("job", "--slot", SLOT)

    end = _find_pings(lab)[".ping-end"]
    assert end.signal == expected
    assert end.body.startswith(said)


def test_a_run_by_hand_is_told_of_too(lab: Lab) -> None:
    lab.job("job", "exit 3", ping=URL)

    lab.run("job", "--hand")

    assert _find_pings(lab)[".ping-end"].signal == "fail"


def test_a_run_that_was_asked_to_end_is_neither_success_nor_failure(lab: Lab) -> None:
    lab.job("job", 'touch "$RUNNER_WORK/ready"; exec sleep 60', ping=URL)
    wrapper = lab.start_running("job")

    wrapper.send_signal(signal.SIGTERM)
    lab.finish(wrapper)

    assert _find_pings(lab)[".ping-end"].signal == "log"


def test_a_slot_that_is_skipped_is_logged_and_has_no_start(lab: Lab) -> None:
    lab.job("job", "true", ping=URL)
    (lab.state / "pauses" / "job").write_text("author ana\nsince today\n")

    lab.run("job", "--slot", SLOT)

    pings = _find_pings(lab)
    assert set(pings) == {".ping-end"}
    assert (pings[".ping-end"].signal, pings[".ping-end"].body) == ("log", "SKIPPED job [dsoc-prod] paused")


def test_a_host_that_is_not_the_jobs_says_nothing(lab: Lab) -> None:
    lab.job("job", "true", ping=URL, hosts=["another"])

    lab.run("job", "--slot", SLOT)

    assert lab.outcomes("job") == ["skipped"]
    assert _find_pings(lab) == {}


def test_a_job_without_a_watch_leaves_nothing(lab: Lab) -> None:
    lab.job("job", "true")

    lab.run("job", "--slot", SLOT)

    assert list((lab.state / "outbox").iterdir()) == []


def test_a_ping_that_cannot_be_written_is_no_trouble_of_the_run(lab: Lab) -> None:
    lab.job("job", "true", ping=URL)
    (lab.state / "outbox").rmdir()
    (lab.state / "outbox").symlink_to("/proc/self/nowhere")

    done = lab.run("job", "--slot", SLOT)

    assert (done.code, done.err, lab.outcomes("job")) == (0, b"", ["ok"])


def test_what_a_reason_says_stays_on_its_line(tmp_path: Path) -> None:
    (tmp_path / "outbox").mkdir()
    end = {"plan": "job", "profile": "p", "run_id": "r", "outcome": "failed", "reason": "a\nurl http://x\nend é"}

    leave_end(str(tmp_path), URL, end)

    ping = read_ping(str(tmp_path / "outbox" / "r.ping-end"))
    assert ping
    assert (ping.url, ping.body) == (URL, "FAILED job [p] a\\x0aurl http://x\\x0aend \\xe9")


def test_a_torn_ping_is_known_as_one(tmp_path: Path) -> None:
    (tmp_path / "outbox").mkdir()
    leave_end(str(tmp_path), URL, {"plan": "job", "profile": "p", "run_id": "r", "outcome": "ok", "reason": ""})
    path = tmp_path / "outbox" / "r.ping-end"
    data = path.read_bytes()

    for size in range(len(data)):
        os.truncate(path, size)
        with pytest.raises(ValueError, match="torn"):
            read_ping(str(path))
        path.write_bytes(data)
