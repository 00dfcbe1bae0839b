"""What a job prints forges neither a header, nor the terminal, nor the history, nor a line of ours (SEC-10)."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from contextlib import suppress

import pytest
from lab import SLOT, Lab

FORGED = "20260308T070000.000000Z-ops1-1"
_BODY = rf"""
printf 'Subject: x\r\n\r\nBcc: mallory@example.org\r\n' >&2
printf '\033[2J\033]0;owned\007red\n' >&2
echo '# end {FORGED} 2026-03-08T07:00:01Z outcome=ok exit_code=0 reason=' | tee /dev/stderr
printf '\n{{"event": "end", "run_id": "{FORGED}", "seq": 9, "outcome": "ok"}}\n'
exit 3
"""


@pytest.fixture
def forger(lab: Lab) -> Lab:
    """A home in which a forging job has run."""
    lab.job("job", _BODY)
    lab.run("job", "--slot", SLOT)
    return lab


def test_sec_10_the_mail_shows_what_would_act(forger: Lab) -> None:
    (mail,) = forger.mails
    subject, _, body = mail.partition("\n")
    assert subject == "FAILED job [dsoc-prod] exit 3"
    assert not {"\x1b", "\x07", "\r"} & set(mail)
    assert "\\x1b[2J\\x1b]0;owned\\x07red\n" in body
    assert body.index("Bcc: mallory@example.org") > body.index("---- stderr, ")


def test_sec_10_the_history_is_that_of_the_journal(forger: Lab) -> None:
    assert [event["run_id"] for event in forger.events("end")] == [forger.end("job")["run_id"]]
    assert forger.outcomes("job") == ["failed"]
    assert FORGED not in forger.journal_text()


def test_sec_10_the_lines_of_the_log_that_are_ours_carry_the_run_id(forger: Lab) -> None:
    run_id = forger.end("job")["run_id"].encode()
    lines = forger.log("job").splitlines()
    assert lines[0] == b"# run " + run_id
    assert lines[-1].startswith(b"# end " + run_id)
    assert [run_id in line for line in lines if line.startswith(b"# end ")] == [False, False, True]


@pytest.mark.parametrize(("option", "shown"), [([], b"\\x1b[2J"), (["--raw"], b"\x1b[2J")])
def test_sec_10_a_terminal_gets_control_characters_only_if_it_asks(
    forger: Lab, option: list[str], shown: bytes
) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-P", "-m", "runner.cli.main", "--home", str(forger.home), "logs", "job", *option]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=subprocess.PIPE)
    os.close(theirs)
    seen = b""
    with suppress(OSError):  # the end of a terminal
        while piece := os.read(ours, 65536):
            seen += piece
    os.close(ours)
    assert (process.communicate()[1], process.returncode) == (b"", 0)
    assert shown in seen
    assert (b"\x1b]0;owned" in seen) == bool(option)
