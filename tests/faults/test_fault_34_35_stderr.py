"""What stderr with exit 0 means, and what a mail shows where there is none."""

import pytest
from lab import SLOT, Lab

_ALLOW = ["^DeprecationWarning"]
_BODY = "echo 'DeprecationWarning: x' >&2"
_POLICIES = {
    ("ignore", False, False): ("ok", "", ""),
    ("ignore", True, True): ("ok", "", ""),
    ("warn", False, False): ("warned", "1 line on stderr", "WARNED disk-check [dsoc-prod] 1 line on stderr"),
    ("warn", True, False): ("ok", "", ""),
    ("warn", True, True): ("warned", "1 line on stderr", "WARNED disk-check [dsoc-prod] 1 line on stderr"),
    ("warn", False, True): ("warned", "2 lines on stderr", "WARNED disk-check [dsoc-prod] 2 lines on stderr"),
    ("fail", False, False): ("failed", "stderr", "FAILED disk-check [dsoc-prod] stderr"),
    ("fail", True, False): ("ok", "", ""),
    ("fail", True, True): ("failed", "stderr", "FAILED disk-check [dsoc-prod] stderr"),
}


@pytest.mark.parametrize(("policy", "allowed", "more"), _POLICIES)
def test_fault_34_the_policy_decides_what_stderr_means(lab: Lab, policy: str, allowed: bool, more: bool) -> None:
    """ALERT-3; the third and fifth rows are worked example 1."""
    outcome, reason, subject = _POLICIES[policy, allowed, more]
    body = _BODY + ("; echo 'disk 91 %' >&2" if more else "")
    lab.job("disk-check", body, stderr=policy, stderr_allow=_ALLOW if allowed else [])

    result = lab.run("disk-check", "--slot", SLOT)

    end = lab.end("disk-check")
    assert (result.code, end["exit_code"], end["outcome"], end["reason"]) == (0, 0, outcome, reason)
    assert result.subject == subject
    assert ("disk 91 %\n" in result.mail) == (more and outcome != "ok")
    lab.assert_clean("disk-check")


def test_fault_34_blank_lines_alone_are_no_stderr(lab: Lab) -> None:
    lab.job("blank", r"printf '\n  \n\t\r\n' >&2")

    result = lab.run("blank", "--slot", SLOT)

    assert (result.err, lab.end("blank")["outcome"]) == (b"", "ok")


def test_fault_34_a_line_that_comes_slowly_is_one_line(lab: Lab) -> None:
    """The log shows its first half after a second (RUN-27); the judgement waits for its end."""
    lab.job("slow", "printf Deprecation >&2; sleep 1.5; echo 'Warning: x' >&2", stderr_allow=["^DeprecationWarning"])

    lab.run("slow", "--slot", SLOT)

    assert lab.end("slow")["outcome"] == "ok"


def test_fault_34_a_last_line_without_its_newline_counts(lab: Lab) -> None:
    lab.job("torn", "printf 'disk 91 %%' >&2")

    result = lab.run("torn", "--slot", SLOT)

    assert lab.end("torn")["reason"] == "1 line on stderr"
    assert "disk 91 %\n" in result.mail


def test_fault_34_an_exit_code_says_more_than_stderr(lab: Lab) -> None:
    lab.job("both", "echo oops >&2; exit 3", stderr="ignore")

    assert lab.run("both", "--slot", SLOT).subject == "FAILED both [dsoc-prod] exit 3"


def test_fault_35_without_stderr_the_mail_shows_the_end_of_stdout(lab: Lab) -> None:
    lab.job("mute", "seq 1 100; exit 4")

    result = lab.run("mute", "--slot", SLOT)

    shown = [line for line in result.mail.splitlines() if line.isdecimal()]
    assert result.subject == "FAILED mute [dsoc-prod] exit 4"
    assert shown == [str(number) for number in range(81, 101)]
    assert "exit 4" in result.mail.partition("\n\n")[2].partition("\n")[0]
    lab.assert_clean("mute")


def test_fault_35_without_any_output_the_mail_says_so(lab: Lab) -> None:
    lab.job("mute", "exit 4")

    assert "(no output)\n" in lab.run("mute", "--slot", SLOT).mail
