"""ALERT-17, ALERT-18: what a job expects of its runs, through the real wrapper and the real sweep."""

from __future__ import annotations

import re
import time

import pytest
from lab import SLOT, Lab

from runner.launch.outbox import Entry, read_entry
from runner.launch.plan import decode_schedule
from runner.plans.installed import note_installed
from runner.plans.write import read_compiled_plans

_WAIT = '[ -e "$RUNNER_WORK/go" ] || touch "$RUNNER_WORK/ready"; while [ ! -e "$RUNNER_WORK/go" ]; do sleep 0.02; done'
_NEXT_SLOT = SLOT.replace("07:00", "08:00")


def _entries(lab: Lab) -> list[Entry]:
    read = [read_entry(str(path)) for path in sorted((lab.state / "outbox").iterdir())]
    return [entry for entry in read if entry]


@pytest.mark.parametrize(
    ("body", "expected", "reason"),
    [
        ("sleep 0.2", {"max_duration_s": 0.1}, r"took \d+\.\d s, expected at most 0\.1 s"),
        ("exit 0", {"min_duration_s": 60.0}, r"took \d+\.\d s, expected at least 60 s"),
        ("echo x >&2", {"min_duration_s": 60.0}, r"1 line on stderr; took \d+\.\d s, expected at least 60 s"),
    ],
)
def test_a_run_that_takes_another_time_than_expected_is_warned_and_mailed(
    lab: Lab, body: str, expected: dict[str, object], reason: str
) -> None:
    lab.job("job", body, **expected)

    result = lab.run("job", "--slot", SLOT)

    assert (result.code, lab.outcomes("job")) == (0, ["warned"])
    assert re.fullmatch(reason, lab.end("job")["reason"])
    assert result.subject == f"WARNED job [dsoc-prod] {lab.end('job')['reason']}"
    lab.assert_clean("job")


def test_a_run_by_hand_is_judged_the_same_and_mails_nobody(lab: Lab) -> None:
    lab.job("job", "exit 0", min_duration_s=60.0)

    result = lab.run("job", "--hand")

    assert (result.code, result.err, lab.outcomes("job")) == (0, b"", ["warned"])


def test_a_run_that_fails_is_not_asked_how_long_it_took(lab: Lab) -> None:
    lab.job("job", "exit 3", min_duration_s=60.0)

    lab.run("job", "--slot", SLOT)

    assert (lab.end("job")["outcome"], lab.end("job")["reason"]) == ("failed", "exit 3")


def test_a_run_that_goes_on_for_too_long_is_one_mail_until_it_is_well_again(lab: Lab) -> None:
    lab.mail_via("sendmail", sendmail="/nowhere")
    lab.job("job", _WAIT, schedules=[decode_schedule("0 0 * * *")], max_duration_s=0.3)
    note_installed(lab.state, read_compiled_plans(lab.home), time.time())
    wrapper = lab.start_running("job", "--slot", SLOT)
    time.sleep(0.3)

    swept = [lab.sweep() for _ in range(2)]
    (lab.work("job") / "go").touch()
    lab.finish(wrapper)
    lab.run("job", "--slot", _NEXT_SLOT)

    assert [(result.code, result.err) for result in swept] == [(0, b"")] * 2
    assert lab.outcomes("job") == ["warned", "ok"]
    assert [(entry.kind, entry.outcome) for entry in _entries(lab)] == [("first", "long"), ("recovered", "ok")]
    assert {entry.incident for entry in _entries(lab)} == {lab.events("start")[0]["run_id"]}
    lab.assert_clean("job")


def test_what_the_sweep_tells_is_drained_into_the_ledger(lab: Lab) -> None:
    lab.job("job", "exit 0", schedules=[decode_schedule("*:0,15,30,45 * * * *")])
    note_installed(lab.state, read_compiled_plans(lab.home), time.time() - 3600)

    lab.sweep()

    [flip] = lab.events("flip", "job")
    assert (flip["kind"], flip["outcome"]) == ("open", "late")
    assert not (lab.state / "journal" / "rejected.jsonl").exists()
    assert (lab.state / "journal" / "drained").exists()
