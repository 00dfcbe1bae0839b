"""SEC-9, SEC-7, ALERT-20: a secret of a job is shown nowhere, whoever says it and in whatever pieces."""

from __future__ import annotations

from pathlib import Path

import pytest
from lab import CANARY, SLOT, Lab

from runner.launch.activation import Activation, Change
from runner.launch.plan import Plan

_FORMS = "echo $TOKEN; echo $TOKEN | base64; printf 'a%s' $TOKEN | base64; echo ftp://ana:$TOKEN@host"
_PIECES = f"printf '%s' {CANARY[:6]}; sleep 1.3; printf '%s' {CANARY[6:]}; sleep 0.1; echo ' done'"


@pytest.fixture
def token(tmp_path: Path) -> str:
    path = tmp_path / "token"
    path.write_text(f"{CANARY}\n")
    path.chmod(0o600)
    return str(path)


def _job(lab: Lab, token: str, body: str, **fields: object) -> Plan:
    return lab.job("job", body, secrets=[("TOKEN", token)], **fields)


def test_a_job_that_says_its_secret_to_all_sides_is_not_quoted(lab: Lab, token: str) -> None:
    _job(lab, token, f"{_FORMS}; {{ {_FORMS}; }} >&2; exit 3")

    result = lab.run("job", "--slot", SLOT)

    assert lab.log("job").count(b"[secret]") == 8
    assert result.mail.count("[secret]") == 4
    assert "ftp://ana:[secret]@host" in result.mail
    lab.assert_clean("job")


@pytest.mark.parametrize("stream", ["1", "2"])
def test_a_secret_that_comes_in_two_parts_a_second_apart_is_hidden(lab: Lab, token: str, stream: str) -> None:
    _job(lab, token, f"exec >&{stream}; {_PIECES}; exit 1")

    result = lab.run("job", "--slot", SLOT)

    assert lab.output("job") == b"[secret] done\n"
    assert "[secret] done" in result.mail
    lab.assert_clean("job")


def test_who_watches_sees_no_secret_and_the_rest_at_once(lab: Lab, token: str) -> None:
    wait = "until test -e $RUNNER_WORK/seen; do sleep 0.05; done"
    body = f"printf '10 %%\\r20 %%{CANARY[:6]}'; {wait}; echo '{CANARY[6:]} done'; {{ {_FORMS}; }} >&2"
    _job(lab, token, body, timeout_s=10.0)
    wrapper = lab.start("job", "--hand")

    first = wrapper.stdout.read(9)
    (lab.work("job") / "seen").touch()
    result = lab.finish(wrapper)

    assert (first, result.out) == (b"10 %\r20 %", b"[secret] done\n")
    assert (result.err.count(b"[secret]"), CANARY.encode() in result.err) == (4, False)


def test_what_is_held_at_the_end_of_a_job_is_shown_to_all(lab: Lab, token: str) -> None:
    _job(lab, token, f"printf 'no more than {CANARY[:4]}'")

    result = lab.run("job", "--hand")

    assert result.out == f"no more than {CANARY[:4]}".encode()
    assert f"no more than {CANARY[:4]}\n".encode() in lab.log("job")


def test_a_survivor_that_keeps_the_pipe_open_hides_nothing_that_was_said(lab: Lab, token: str) -> None:
    _job(lab, token, f"printf 'no more than {CANARY[:4]}'; sleep 20 &", survivors="kill")

    result = lab.run("job", "--hand")

    assert result.out == f"no more than {CANARY[:4]}".encode()
    lab.assert_clean("job")


def test_bytes_are_counted_as_the_job_wrote_them(lab: Lab, token: str) -> None:
    _job(lab, token, "echo $TOKEN $TOKEN; echo $TOKEN >&2", stderr="ignore")

    lab.run("job", "--slot", SLOT)

    end = lab.end("job")
    assert (end["stdout_bytes"], end["stderr_bytes"]) == (2 * len(CANARY) + 2, len(CANARY) + 1)


def test_a_line_is_judged_as_it_is_shown(lab: Lab, token: str) -> None:
    _job(lab, token, "echo login with $TOKEN >&2", stderr_allow=[r"^login with \[secret\]$"])

    assert lab.run("job", "--slot", SLOT).err == b""
    assert lab.outcomes("job") == ["ok"]


@pytest.mark.parametrize("mode", ["live", "inside"])
def test_a_profile_that_reads_the_secret_of_its_job_does_not_show_it(
    lab: Lab, tmp_path: Path, token: str, mode: str
) -> None:
    (tmp_path / "setup").write_text(f"cat {token}\ncat {token} >&2\nfalse\n")
    activation = Activation()
    activation.mode = mode
    activation.changes = [Change("setup", details=[("shell", "bash"), ("source", f"{tmp_path}/setup")])]
    _job(lab, token, "true", activation=activation)

    result = lab.run("job", "--slot", SLOT)

    assert lab.end("job")["reason"] == "profile dsoc-prod: setup: [secret]"
    assert result.subject == "CANNOT_START job [dsoc-prod] profile dsoc-prod: setup: [secret]"
    assert lab.log("job").count(b"[secret]") >= 2
    lab.assert_clean("job")


def test_no_command_line_of_a_run_has_the_secret(lab: Lab, token: str) -> None:
    """SEC-7."""
    _job(lab, token, "touch $RUNNER_WORK/ready; sleep 1")
    wrapper = lab.start_running("job", "--slot", SLOT)

    seen = [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in [wrapper.pid, *lab.processes()]]

    assert len(seen) >= 2
    assert not [line for line in seen if CANARY.encode() in line]
    assert lab.finish(wrapper).code == 0
    lab.assert_clean("job")


def test_what_looks_like_a_secret_is_hidden_without_any_being_loaded(lab: Lab) -> None:
    lab.plan("job", steps=[[lab.script("job", "echo 'api_key: abc' >&2; exit 1"), "--password=hunter2"]])

    result = lab.run("job", "--slot", SLOT)

    assert b'"--password=[secret]"' in lab.log("job")
    assert "\napi_key: [secret]\n" in result.mail
    assert b"hunter2" not in lab.log("job")


def test_why_a_job_is_paused_is_told_without_what_looks_like_a_secret(lab: Lab) -> None:
    lab.job("job", "true")
    (lab.state / "pauses" / "job").write_text("author ana\nsince today\nreason token=abc is void\n")

    result = lab.run("job", "--hand")

    assert "token=[secret] is void" in lab.journal_text()
    assert "token=[secret] is void" in result.mail
