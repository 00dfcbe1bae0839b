"""PROF-40 to PROF-43: a job never starts in a half-activated environment, and the mail names the line that failed."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest
from lab import SLOT, Lab, need_program

from runner.launch.activation import Activation, Change

_SETUPS = {
    ("tcsh", "an unknown command"): ("setenv A 1\nnosuchcommand\nsetenv B 1\n", "nosuchcommand: Command not found."),
    ("tcsh", "an undefined variable"): ("echo $nosuchvariable\n", "nosuchvariable: Undefined variable."),
    ("tcsh", "exit 3"): ("exit 3\n", "it ended with an error"),
    ("tcsh", "a failing last command"): ("/bin/false\n", "it ended with an error"),
    ("tcsh", "exit 0 after an error"): ("nosuchcommand\nexit 0\n", "nosuchcommand: Command not found."),
    ("bash", "exit 0 after an error"): ("nosuchcommand\nexit 0\n", "nosuchcommand: command not found"),
    ("tcsh", "exec"): ("exec true\n", "it left the shell before its end"),
    ("csh", "an unknown command"): ("nosuchcommand\n", "nosuchcommand: Command not found."),
    ("bash", "an unknown command"): ("nosuchcommand\nexport B=1\n", "nosuchcommand: command not found"),
    ("bash", "a syntax error"): ("if true; then\n", "syntax error: unexpected end of file"),
    ("bash", "exit 0"): ("exit 0\n", "it left the shell before its end"),
    ("bash", "exec"): ("exec true\n", "it left the shell before its end"),
    ("bash", "a failing last command"): ("false\n", "it ended with an error"),
    ("bash", "an unset variable"): ("set -u\necho $nosuchvariable\n", "nosuchvariable: unbound variable"),
    ("bash", "no PATH"): ("unset PATH\n", "it leaves no PATH"),
    ("bash", "no HOME"): ("export HOME=\n", "it leaves no HOME"),
    ("bash", "a question"): ("read -r answer || echo >&2 nobody answers\n", "nobody answers"),
    ("sh", "a missing command"): ("nosuchcommand\n:\n", "nosuchcommand: not found"),
}


def _activation(*changes: Change, **fields: object) -> Activation:
    activation = Activation()
    activation.changes = list(changes)
    for name, value in fields.items():
        assert hasattr(activation, name), name
        setattr(activation, name, value)
    return activation


def _setup(directory: Path, shell: str, text: str) -> Change:
    if shell in ("tcsh", "csh"):
        need_program(shell)
    script = directory / "setup"
    script.write_text(text)
    return Change("setup", details=[("shell", shell), ("source", str(script))])


def _refuse(lab: Lab, activation: Activation) -> str:
    """Run a job under an activation that must fail; return what the mail says of it."""
    lab.job("job", f"touch {lab.home}/ran", activation=activation)

    result = lab.run("job", "--slot", SLOT)

    end = lab.end("job")
    assert (result.code, end["outcome"], (lab.home / "ran").exists()) == (126, "cannot_start", False)
    assert end["reason"] in result.mail
    lab.assert_clean("job")
    return str(end["reason"])


@pytest.mark.parametrize(("shell", "how"), _SETUPS, ids=str)
def test_a_setup_that_fails_starts_no_job(lab: Lab, tmp_path: Path, shell: str, how: str) -> None:
    """PROF-41, PROF-42."""
    text, line = _SETUPS[shell, how]

    reason = _refuse(lab, _activation(_setup(tmp_path, shell, text)))

    assert reason.startswith("profile dsoc-prod: setup: ")
    assert line in reason


@pytest.mark.parametrize("shell", ["tcsh", "bash"])
def test_where_stderr_stays_silent_a_requirement_finds_the_failure(lab: Lab, tmp_path: Path, shell: str) -> None:
    """PROF-42: an ``if`` without ``endif`` in tcsh, a failing command in the middle in bash."""
    text = "if (1) then\nsetenv A 1\n" if shell == "tcsh" else "cd /no/such 2>/dev/null && export DATA=here\n:\n"
    activation = _activation(_setup(tmp_path, shell, text), stderr="ignore", requires=[("env", "DATA")])

    assert _refuse(lab, activation) == "profile dsoc-prod: require: DATA is not set"


@pytest.mark.parametrize("shell", ["sh", "bash", "tcsh", "csh"])
def test_a_setup_that_is_not_there_is_named(lab: Lab, shell: str, tmp_path: Path) -> None:
    setup = _setup(tmp_path, shell, "")
    (tmp_path / "setup").unlink()

    assert f"{tmp_path}/setup" in _refuse(lab, _activation(setup))


def test_a_setup_that_hangs_is_ended_with_its_whole_tree_at_the_timeout(lab: Lab, tmp_path: Path) -> None:
    """PROF-26."""
    text = "sleep 26.41 & setsid sleep 26.41 & wait\n"
    begun = time.monotonic()

    reason = _refuse(lab, _activation(_setup(tmp_path, "bash", text), timeout_s=0.5))

    assert reason == "profile dsoc-prod: setup: timeout after 0.5 s"
    assert time.monotonic() - begun < 5
    lab.wait_for(lambda: subprocess.run(["pgrep", "-fx", "sleep 26.41"]).returncode == 1, "its processes to end")


def test_an_alias_of_an_rc_file_works_and_without_it_nothing_runs(lab: Lab, tmp_path: Path) -> None:
    """The env-wrapper that started it all: ``ur_setup`` is an alias, and the script must not run without it."""
    need_program("tcsh")
    rc = tmp_path / "cshrc"
    program = tmp_path / "ur_setup"
    program.write_text('#!/bin/sh\necho "setenv UR_DIR /opt/ureka/$3;"\n')
    program.chmod(0o755)
    rc.write_text(f"alias ur_setup 'eval `{program} -csh \\!*`'\n")
    change = Change("setup", details=[("shell", "tcsh"), ("rc", str(rc)), ("run", "ur_setup -n common")])
    lab.job("good", 'echo "$UR_DIR"', activation=_activation(change))

    assert lab.run("good", "--slot", SLOT).code == 0
    assert lab.output("good") == b"/opt/ureka/common\n"

    rc.write_text("# nothing\n")
    reason = _refuse(lab, _activation(change))
    assert reason == "profile dsoc-prod: setup: ur_setup: Command not found."


def test_what_is_allowed_on_stderr_is_no_failure_and_stands_in_the_log(lab: Lab, tmp_path: Path) -> None:
    setup = _setup(tmp_path, "bash", "echo welcome; echo >&2 note: be careful\nexport A=1\n")
    lab.job("job", 'echo "A=$A"', activation=_activation(setup, stderr_allow=["^note: "]))

    result = lab.run("job", "--slot", SLOT)

    assert (result.code, result.err) == (0, b"")
    assert lab.output("job") in (b"welcome\nnote: be careful\nA=1\n", b"note: be careful\nwelcome\nA=1\n")


@pytest.mark.parametrize(
    ("requires", "reason"),
    [
        ([("command", "casa")], "require: no command casa on PATH /usr/bin:/bin"),
        ([("env", "CASA_HOME")], "require: CASA_HOME is not set"),
        ([("env", "LANG=de_DE")], "require: LANG is not as required"),
        ([("file", "/no/such/area")], "require: /no/such/area cannot be read"),
        ([("version", "cat >= 99.1")], "require: cat is "),
        ([("version", "cat == 99 cat /dev/null")], "require: cat does not tell its version, not ==99"),
    ],
)
def test_what_is_required_must_hold(lab: Lab, requires: list[tuple[str, str]], reason: str) -> None:
    """PROF-43."""
    assert _refuse(lab, _activation(requires=requires)).startswith(f"profile dsoc-prod: {reason}")


def test_what_is_required_is_asked_for_at_each_run_also_with_a_snapshot(lab: Lab, tmp_path: Path) -> None:
    area = tmp_path / "area"
    area.touch()
    setup = _setup(tmp_path, "bash", "export A=1\n")
    lab.job("job", "true", activation=_activation(setup, requires=[("file", str(area))]))
    assert [lab.run("job", "--hand").code, lab.sweep().err, lab.run("job", "--hand").code] == [0, b"", 0]
    assert "# environment of snapshot" in lab.log("job").decode()

    area.unlink()

    assert lab.run("job", "--hand").code == 126
    assert lab.end("job")["reason"] == f"profile dsoc-prod: require: {area} cannot be read"


def test_a_shutdown_during_an_activation_stops_the_run(lab: Lab, tmp_path: Path) -> None:
    setup = _setup(tmp_path, "bash", f"touch {tmp_path}/ready; sleep 300\n")
    lab.job("job", "true", activation=_activation(setup))
    wrapper = lab.start("job", "--slot", SLOT)
    lab.wait_for((tmp_path / "ready").exists, "the setup to begin")

    wrapper.terminate()

    assert lab.finish(wrapper, within_s=10).code == 143
    assert (lab.end("job")["outcome"], lab.end("job")["reason"]) == ("stopped", "shutdown")
    lab.assert_clean("job")
