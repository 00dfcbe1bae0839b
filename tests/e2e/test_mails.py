"""A mail of each kind stands in README.md as it is received here: through wrapper, sweep and SMTP server, all real."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lab import SLOT, Lab, kill
from mailroom import MailServer, serve_smtp
from reboot import boot_again, lose_power, wait_until_up
from test_readme import make_pattern

from runner.launch.instant import format_instant, parse_instant
from runner.launch.plan import decode_schedule
from runner.launch.record import open_record, read_record, write_record
from runner.plans.installed import note_installed
from runner.plans.write import read_compiled_plans

REPOSITORY = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```mail\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_WAIT = 'touch "$RUNNER_WORK/ready"; while :; do sleep 0.05; done'


@pytest.fixture
def server(lab: Lab) -> Iterator[MailServer]:
    with serve_smtp() as server:
        lab.mail_via("smtp", smtp=f"{{host: 127.0.0.1, port: {server.port}, tls: none}}")
        yield server


def _fail(lab: Lab) -> None:
    body = 'echo "download.py: 404 Not Found: mast:HST/product/iexample_raw.fits" >&2; exit 3'
    lab.job("download-wfc3", body, mailto=["ql-team@example.org"])
    lab.run("download-wfc3", "--slot", "2026-11-21T11:00:00Z")


def _warn(lab: Lab) -> None:
    lab.job("disk-check", 'echo "/data: 91 % full" >&2')
    lab.run("disk-check")


def _time_out(lab: Lab) -> None:
    lab.job("reduce-wfc3", "echo 'frame 1 of 214'; sleep 60", timeout_s=1.0, grace_s=1.0)
    lab.run("reduce-wfc3")


def _cannot_start(lab: Lab) -> None:
    lab.plan("index-wfc3", steps=[["jobs/index.py"]])
    lab.run("index-wfc3")


def _lose(lab: Lab) -> None:
    lab.job("index-wfc3", _WAIT)
    wrapper = lab.start_running("index-wfc3")
    wrapper.kill()
    wrapper.wait()
    for pid in lab.processes():
        kill(pid, 9)
    lab.sweep()


def _skip(lab: Lab) -> None:
    lab.job("copy-raw", _WAIT)
    wrapper = lab.start_running("copy-raw", "--slot", SLOT)
    for minute in (5, 10, 15):
        lab.run("copy-raw", "--slot", f"2026-03-08T07:{minute:02d}:00Z")
    wrapper.terminate()
    wrapper.wait()


def _fail_for_an_hour(lab: Lab) -> None:
    _fail(lab)
    _set_back(lab, "download-wfc3", ("opened_at", "mailed_at"), 3600)
    lab.run("download-wfc3", "--slot", "2026-11-21T12:00:00Z")


def _recover(lab: Lab) -> None:
    _fail(lab)
    _set_back(lab, "download-wfc3", ("opened_at",), 6 * 3600 + 120)
    lab.job("download-wfc3", "true", mailto=["ql-team@example.org"])
    lab.run("download-wfc3", "--slot", "2026-11-21T17:00:00Z")


def _fail_together(lab: Lab) -> None:
    for number in range(1, 6):
        lab.job(f"index-{number}", f'echo "could not connect to server 10.0.0.{number}" >&2; exit 2')
        lab.run(f"index-{number}")


def _be_late(lab: Lab) -> None:
    lab.job("copy-raw", "true", schedules=[decode_schedule("*:0,15,30,45 * * * *")])
    note_installed(lab.state, read_compiled_plans(lab.home), time.time() - 3600)
    lab.sweep()


def _take_long(lab: Lab) -> None:
    lab.job("reduce-wfc3", _WAIT, schedules=[decode_schedule("0 0 * * *")], max_duration_s=0.3)
    note_installed(lab.state, read_compiled_plans(lab.home), time.time())
    wrapper = lab.start_running("reduce-wfc3", "--slot", SLOT)
    time.sleep(0.3)
    lab.sweep()
    wrapper.terminate()
    wrapper.wait()


def _reboot(lab: Lab) -> None:
    names = ("copy-raw", "download-wfc3", "index-wfc3")
    for name in names:
        lab.job(name, _WAIT)
    lose_power(lab, names, SLOT)
    boot_again(lab, (), SLOT)
    wait_until_up()


def _set_back(lab: Lab, plan: str, fields: tuple[str, ...], seconds: float) -> None:
    """Let it be longer ago that something was written into a plan's health."""
    descriptor = open_record(str(lab.state / "health" / plan))
    pairs = read_record(descriptor)
    moved = [(key, format_instant(parse_instant(at) - seconds)) if key in fields else (key, at) for key, at in pairs]
    write_record(descriptor, moved)


SCENES: dict[str, Callable[[Lab], None]] = {
    "FAILED": _fail,
    "WARNED": _warn,
    "TIMED_OUT": _time_out,
    "CANNOT_START": _cannot_start,
    "LOST": _lose,
    "SKIPPED": _skip,
    "STILL": _fail_for_an_hour,
    "RECOVERED": _recover,
    "LATE": _be_late,
    "LONG": _take_long,
    "DIGEST 5 jobs:": _fail_together,
    "DIGEST 3 runs": _reboot,
}


def _read_shown() -> dict[str, str]:
    """Return the mails of the README by what their subjects begin with."""
    shown = _BLOCK.findall((REPOSITORY / "README.md").read_text())
    return {kind: text for text in shown for kind in SCENES if f"\nSubject: {kind} " in text}


def test_the_readme_shows_a_mail_of_each_kind() -> None:
    assert sorted(_read_shown()) == sorted(SCENES)


@pytest.mark.timeout(500)
@pytest.mark.parametrize("kind", SCENES)
def test_a_mail_in_the_readme_is_the_one_that_is_received(lab: Lab, server: MailServer, kind: str) -> None:
    SCENES[kind](lab)
    lab.sweep()

    mail = next(mail for mail in server.mails if mail.subject.startswith(f"{kind} "))
    received = f"To: {mail.message['To']}\nSubject: {mail.subject}\n\n{mail.body}"
    assert make_pattern(_read_shown()[kind]).fullmatch(received.replace("\r", "").strip()), received
