"""FAULT-29 to FAULT-33: what people get, whatever jobs say and whatever becomes of the mail on its way."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import Lab
from mailroom import (
    MailServer,
    Received,
    Sendmail,
    find_port,
    make_sendmail,
    measure,
    serve_smtp,
)
from stories import Story

from runner.launch.outbox import read_entry

_MINUTE = 60.0


@pytest.fixture
def server(lab: Lab) -> Iterator[MailServer]:
    with serve_smtp() as server:
        lab.mail_via("smtp", smtp=f"{{host: 127.0.0.1, port: {server.port}, tls: none}}")
        yield server


@pytest.fixture
def sendmail(lab: Lab, tmp_path: Path) -> Sendmail:
    program = make_sendmail(tmp_path)
    lab.mail_via("sendmail", sendmail=str(program.path))
    return program


def test_fault_29_six_hours_of_failures_are_four_mails(lab: Lab, server: MailServer) -> None:
    story = Story(lab.home, server)
    for minute in range(361):
        story.see(minute * _MINUTE, "failed" if minute < 360 else "ok")
        story.sweep(minute * _MINUTE)

    first, reminder, second, recovered = server.mails
    since = str(reminder.message["Subject"]).rpartition(" since ")[2]
    assert first.subject == "FAILED job [p] exit 1"
    assert reminder.subject == f"STILL FAILED job [p] 61 times since {since}"
    assert second.subject == f"STILL FAILED job [p] 301 times since {since}"
    assert recovered.subject == "RECOVERED job [p] after 360 failures in 6h00m"
    assert {mail.message["References"] for mail in server.mails[1:]} == {first.message["Message-ID"]}


@pytest.mark.parametrize("every", [1, 2, 3], ids=["all fail", "every second", "two of three"])
def test_fault_29_ten_thousand_runs_in_an_hour_are_at_most_twelve_mails(
    lab: Lab, server: MailServer, every: int
) -> None:
    story = Story(lab.home, server)
    for number in range(10_000):
        story.see(number * 0.36, "failed" if every == 1 or number % every else "ok")
        if number % 166 == 0:
            story.sweep(number * 0.36)
    story.sweep(3600.0)

    assert 1 <= len(server.mails) <= 12


def test_fault_30_forty_jobs_that_fail_in_one_minute_are_one_digest(lab: Lab, server: MailServer) -> None:
    for number in range(40):
        lab.job(f"job-{number}", f'echo "psql: could not connect to server {number}" >&2; exit 2')
        assert lab.run(f"job-{number}").err == b""

    lab.sweep()

    (digest,) = server.mails
    assert digest.subject == "DIGEST 40 jobs: psql: could not connect to server # (40)"
    assert digest.recipients == ["ops@example.org"]
    assert [line for line in digest.body.splitlines() if line.startswith("FAILED job-")] == [
        f"FAILED job-{number} [dsoc-prod] exit 2" for number in range(40)
    ]
    assert list(lab.state.glob("outbox/*.first")) == []
    lab.assert_no_litter()


@pytest.mark.parametrize("body", ["sleep 600", "exit 75", None], ids=["hangs", "fails", "missing"])
def test_fault_31_a_sendmail_that_takes_nothing_changes_no_run_and_loses_no_mail(
    lab: Lab, tmp_path: Path, body: str | None
) -> None:
    program = make_sendmail(tmp_path, body or "")
    if body is None:
        program.path.unlink()
    lab.mail_via("sendmail", sendmail=str(program.path))
    lab.job("job", "exit 3")

    took_s = measure(lambda: lab.run("job"))
    assert lab.sweep().err == b""

    assert took_s < 5
    assert (lab.end("job")["outcome"], lab.end("job")["alerted"]) == ("failed", "first")
    (waiting,) = lab.state.glob("outbox/*.first")
    entry = read_entry(str(waiting))
    assert entry is not None
    assert (entry.to, entry.tries) == (["ops@example.org"], 1)
    assert 0 < entry.due - time.time() <= 60
    lab.assert_clean("job")


@pytest.mark.parametrize(
    ("answers", "waiting", "dead"),
    [({"DATA": "451 later"}, 1, 0), ({"DATA": "550 never"}, 0, 1), ({"ops@example.org": "550 nobody"}, 0, 1)],
    ids=["4xx", "5xx", "no such recipient"],
)
def test_fault_31_a_server_that_refuses_is_asked_again_unless_it_says_never(
    lab: Lab, server: MailServer, answers: dict[str, str], waiting: int, dead: int
) -> None:
    server.answers = answers
    lab.job("job", "exit 3")
    assert lab.run("job").err == b""

    said = lab.sweep().err.decode()

    assert len(list(lab.state.glob("outbox/*.first"))) == waiting
    assert len(list(lab.state.glob("outbox/dead/*.first"))) == dead
    assert said.count("never gets") == dead
    assert lab.sweep().err == b""
    lab.assert_clean("job")


def test_fault_31_a_server_that_is_dead_keeps_the_mail_waiting(lab: Lab) -> None:
    lab.mail_via("smtp", smtp=f"{{host: 127.0.0.1, port: {find_port()}, tls: none}}")
    lab.job("job", "exit 3")
    lab.run("job")

    assert lab.sweep().err == b""

    assert len(list(lab.state.glob("outbox/*.first"))) == 1
    lab.assert_clean("job")


def test_fault_31_where_no_sweep_comes_by_the_alert_reaches_cron(lab: Lab, sendmail: Sendmail) -> None:
    """ALERT-9."""
    lab.job("job", "exit 3")
    (lab.state / "sweep.alive").unlink()

    result = lab.run("job")

    assert result.subject == "FAILED job [dsoc-prod] exit 3"
    assert "No sweep has come by" in result.mail
    assert list(lab.state.glob("outbox/*.*")) == []


def test_fault_31_an_outbox_that_cannot_be_written_reaches_cron(lab: Lab, sendmail: Sendmail) -> None:
    lab.job("job", "exit 3")
    (lab.state / "outbox").rmdir()
    (lab.state / "outbox").write_text("no directory")

    result = lab.run("job")

    assert result.subject == "FAILED job [dsoc-prod] exit 3"
    assert result.mail.endswith("outbox: Not a directory: cron sends this.\n")
    assert lab.end("job")["alerted"] == "first"


def test_fault_32_two_hundred_megabytes_of_stderr_are_a_mail_of_64_kib(lab: Lab, server: MailServer) -> None:
    lab.job("job", "seq -f 'line %015.0f' 10000000 >&2; exit 1", log_max_bytes=1 << 20)
    lab.run("job", within_s=110)
    lab.sweep()

    (mail,) = server.mails
    end = lab.end("job")
    lines = [line for line in mail.body.splitlines() if line.startswith("line ")]
    assert len(mail.data) <= 64 << 10
    assert lines[0] == "line 000000000000001"
    assert lines[-1] == "line 000000010000000"
    assert f"... {10_000_000 - len(lines)} lines left out, see log {end['log']} ..." in mail.body
    assert end["stderr_bytes"] == 210_000_000
    assert Path(end["log"]).stat().st_size <= (1 << 20) + (64 << 10)
    lab.assert_clean("job")


_ODD = rb"""printf 'nul \000 latin-1 \351 ansi \033[31mred\033[0m bell \007\n' >&2
printf '10 %%\r50 %%\r100 %%\n.\nFrom somebody\nSubject: forged\n\nBcc: all@example.org\n' >&2
exit 1"""


def _check_odd(mail: Received) -> None:
    message = mail.message
    assert (message.get_content_type(), message["Bcc"]) == ("text/plain", None)
    assert message.get_all("Subject") == ["FAILED job [dsoc-prod] exit 1"]
    lines = mail.body.splitlines()
    begin = lines.index("---- stderr, 7 lines ----")
    assert lines[begin + 1 : begin + 8] == [
        r"nul \x00 latin-1 \xe9 ansi \x1b[31mred\x1b[0m bell \x07", "100 %", ".", "From somebody", "Subject: forged",
        "", "Bcc: all@example.org",
    ]  # fmt: skip


def test_fault_33_whatever_a_job_says_arrives_and_adds_no_header(lab: Lab, server: MailServer) -> None:
    lab.job("job", _ODD.decode())
    lab.run("job")
    lab.sweep()

    _check_odd(server.mails[0])
    lab.assert_clean("job")


def test_fault_33_the_same_through_sendmail(lab: Lab, sendmail: Sendmail) -> None:
    lab.job("job", _ODD.decode())
    lab.run("job")
    lab.sweep()

    assert sendmail.calls == ["-oi -t"]
    _check_odd(sendmail.mails[0])
    lab.assert_clean("job")
