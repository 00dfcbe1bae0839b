"""Secrets are on no command line, and lines of crontabs and subjects of mails name the plan alone (SEC-7)."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from homes import Home
from lab import CANARY, SLOT, Lab


def read_command_lines() -> bytes:
    """Return the words of every process there is, as ``ps`` shows them."""
    found = b""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            found += path.read_bytes()
    return found


@pytest.mark.parametrize("mode", ["snapshot", "live"])
def test_sec_07_no_command_line_shows_a_secret_while_the_job_runs(lab: Lab, tmp_path: Path, mode: str) -> None:
    (tmp_path / "token").write_text(f"{CANARY}\n")
    (tmp_path / "token").chmod(0o600)
    body = f'[ "$TOKEN" ] && touch $RUNNER_WORK/ready; while [ ! -e {tmp_path}/go ]; do sleep 0.05; done; exit 3'
    lab.job("job", body, secrets=[("TOKEN", str(tmp_path / "token"))], mode=mode)

    process = lab.start_running("job", "--slot", SLOT)
    seen = read_command_lines()
    (tmp_path / "go").touch()
    mail = lab.finish(process).mail

    assert b"run-job\0job\0" in seen or b"main.pyc\0job\0" in seen
    assert CANARY.encode() not in seen
    assert mail.startswith("FAILED job [dsoc-prod] exit 3\n")
    lab.assert_clean("job")


@pytest.mark.parametrize("word", ["{secret}", "--token={secret}"])
def test_sec_07_a_secret_among_the_words_of_a_job_is_refused(home: Home, word: str) -> None:
    secret = home.write("token", "hunter2hunter2\n")
    secret.chmod(0o600)
    job = f"run: jobs/hello.sh {word.format(secret='hunter2hunter2')}, secrets: {{TOKEN: 'file:{secret}'}}"
    home.write("jobs/all.yaml", f"jobs:\n  job: {{profile: local, when: '@daily', {job}}}\n")

    check, install = home.runner("check"), home.runner("crontab", "install", "--yes")

    message = "a word tells the secret TOKEN, and everybody on the host can read words (ps)"
    assert any(line.startswith("jobs/all.yaml:2:") and message in line for line in check.faults)
    assert (install.code, message in install.err) == (2, True)
    assert "hunter2" not in check.out + check.err + install.err


def test_sec_07_a_line_of_the_crontab_names_the_plan_and_nothing_else_of_the_job(home: Home) -> None:
    home.write("envs/local.yaml", "env: {TOKEN_FILE: /x/canary}\n")
    home.job(f"when: '@daily', description: {CANARY}, env: {{A: {CANARY}}}, secrets: {{T: 'file:/x/{CANARY}'}}")
    assert home.runner("crontab", "install", "--yes").code == 0

    assert f"{home.path}/wrappers/run-job job" in home.crontab.table.decode()
    assert CANARY not in home.crontab.table.decode()
    assert "canary" not in home.crontab.table.decode()
