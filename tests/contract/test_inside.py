"""``mode: inside``: a job runs in the shell of its setup, and finds the environment that any other run would."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from lab import SLOT, Lab, need_program

from runner.launch.activation import Activation, Change
from runner.launch.shell import SHELLS

_TELL = "import json, os\nprint(json.dumps(dict(os.environ)))\n"
_EXPORT = {True: "setenv OURS 'a b'; setenv PATH /opt/x:${PATH}\n", False: "export OURS='a b' PATH=/opt/x:$PATH\n"}
_ALIAS = {"tcsh": "alias hello 'echo hello, \\!*'\n", "csh": "alias hello 'echo hello, \\!*'\n"}


def _activation(tmp_path: Path, shell: str, text: str, *more: Change, mode: str = "inside") -> Activation:
    need_program(shell)
    (tmp_path / "setup").write_text(text)
    activation = Activation()
    activation.mode = mode
    activation.changes = [Change("setup", details=[("shell", shell), ("source", f"{tmp_path}/setup")]), *more]
    return activation


@pytest.mark.parametrize("shell", SHELLS)
def test_the_environment_is_that_of_any_other_run(lab: Lab, tmp_path: Path, shell: str) -> None:
    """PROF-4: what comes behind the setup wins over it here too."""
    tell = lab.script("tell.py", _TELL, interpreter=sys.executable)
    found = []
    for mode in ("live", "inside"):
        later = [Change("append", "PATH", "/opt/last"), Change("set", "ODD", "two\nlines' ! $HOME `id`")]
        text = _EXPORT[shell in ("tcsh", "csh")]
        lab.plan(
            "job", steps=[[tell]], activation=_activation(tmp_path, shell, text, *later, mode=mode), env=[("JOB", "1")]
        )
        assert lab.run("job", "--slot", SLOT.replace("07:00", f"0{len(found)}:00")).code == 0
        environment = json.loads(lab.output("job"))
        found.append({name: environment[name] for name in ("OURS", "PATH", "ODD", "JOB", "HOME", "RUNNER_PROFILE")})

    assert found[0] == found[1]
    assert found[1]["PATH"] == "/opt/x:/usr/bin:/bin:/opt/last"


@pytest.mark.parametrize(
    ("shell", "text"),
    [
        ("tcsh", "alias hello 'echo hello, \\!*'\n"),
        ("csh", "alias hello 'echo hello, \\!*'\n"),
        ("bash", "alias hello='echo hello,'\n"),
        ("bash", 'hello() { echo "hello, $*"; }\n'),
        ("sh", 'hello() { echo "hello, $*"; }\n'),
    ],
)
def test_aliases_and_functions_are_commands(lab: Lab, tmp_path: Path, shell: str, text: str) -> None:
    activation = _activation(tmp_path, shell, f"echo said at setup\n{text}")
    lab.plan("job", steps=[["hello", "a  b", "*"]], activation=activation)

    result = lab.run("job", "--slot", SLOT)

    assert (result.code, result.err) == (0, b"")
    *setup, said = lab.output("job").splitlines()
    assert said == b"hello, a  b *"
    # BSD's csh lets nothing silence what it reads.
    assert setup == [b"said at setup"] * (2 if Path("/bin/csh").resolve().name == "bsd-csh" and shell == "csh" else 1)


def test_umask_and_limits_of_the_setup_hold(lab: Lab, tmp_path: Path) -> None:
    activation = _activation(tmp_path, "bash", "umask 077; ulimit -n 77\n")
    lab.job("job", "umask; ulimit -n", activation=activation)

    assert lab.run("job", "--slot", SLOT).code == 0
    assert lab.output("job").split() == [b"0077", b"77"]


@pytest.mark.parametrize("shell", SHELLS)
def test_the_exit_code_and_the_streams_are_those_of_the_job(lab: Lab, tmp_path: Path, shell: str) -> None:
    lab.job("job", "echo out; echo oops >&2; exit 97", activation=_activation(tmp_path, shell, ":\n"))

    result = lab.run("job", "--slot", SLOT)

    assert (result.code, lab.end("job")["outcome"], lab.end("job")["reason"]) == (97, "failed", "exit 97")
    assert sorted(lab.output("job").split()) == [b"oops", b"out"]
    assert "oops" in result.mail
    lab.assert_clean("job")


def test_a_setup_that_fails_only_inside_starts_nothing(lab: Lab, tmp_path: Path) -> None:
    """PROF-40: what went well when it was judged may fail a moment later."""
    once = f"if [ -e {tmp_path}/done ]; then return 3; fi; touch {tmp_path}/done\n"
    lab.job("job", f"touch {lab.home}/ran", activation=_activation(tmp_path, "bash", once))

    assert lab.run("job", "--slot", SLOT).code == 126

    assert (lab.end("job")["outcome"], (lab.home / "ran").exists()) == ("cannot_start", False)
    lab.assert_clean("job")


def test_a_setup_that_leaves_the_shell_well_only_inside_starts_nothing_either(lab: Lab, tmp_path: Path) -> None:
    once = '[ -n "$DONE" ] && exit 0\nexport DONE=1\n'
    lab.job("job", f"touch {lab.home}/ran", activation=_activation(tmp_path, "bash", once))

    assert lab.run("job", "--slot", SLOT).code == 126

    assert lab.end("job")["reason"] == "setup: it left the shell before its end"
    assert not (lab.home / "ran").exists()


def test_a_setup_that_fails_at_the_second_step_starts_no_second_step(lab: Lab, tmp_path: Path) -> None:
    text = f"if [ -e {tmp_path}/done ]; then return 3; fi\n"
    first = lab.script("first", f"touch {tmp_path}/done")
    second = lab.script("second", f"touch {lab.home}/ran")
    lab.plan("job", steps=[[first], [second]], activation=_activation(tmp_path, "bash", text))

    assert lab.run("job", "--slot", SLOT).code == 126

    assert (lab.end("job")["outcome"], (lab.home / "ran").exists()) == ("cannot_start", False)


@pytest.mark.parametrize("shell", ["bash", "tcsh"])
def test_what_the_profile_unsets_does_not_come_back(lab: Lab, tmp_path: Path, shell: str) -> None:
    text = "setenv PERL5LIB /bad\n" if shell == "tcsh" else "export PERL5LIB=/bad\n"
    activation = _activation(tmp_path, shell, text, Change("unset", "PERL5LIB"))
    lab.job("job", 'echo "${PERL5LIB-none}"', activation=activation)

    assert lab.run("job", "--slot", SLOT).code == 0
    assert lab.output("job") == b"none\n"


def test_a_timeout_before_the_words_is_a_timeout(lab: Lab, tmp_path: Path) -> None:
    once = f"if [ -e {tmp_path}/done ]; then sleep 60; fi; touch {tmp_path}/done\n"
    lab.job("job", "true", activation=_activation(tmp_path, "bash", once), timeout_s=0.5, grace_s=0.5)

    assert lab.run("job", "--slot", SLOT).code == 124
    assert lab.end("job")["outcome"] == "timed_out"


def test_a_newline_that_an_alias_of_csh_would_lose_is_refused(lab: Lab, tmp_path: Path) -> None:
    """PROF-53."""
    lab.plan("job", steps=[["hello", "two\nlines"]], activation=_activation(tmp_path, "tcsh", _ALIAS["tcsh"]))

    assert lab.run("job", "--slot", SLOT).code == 126
    assert lab.end("job")["reason"] == "a word with a newline cannot be given to the alias hello"


def test_a_variable_whose_name_no_script_could_speak_reaches_the_job_and_no_shell(lab: Lab, tmp_path: Path) -> None:
    """Its name is no code: it is in the environment that the shell begins with, and in no line of its script."""
    tell = lab.script("tell.py", _TELL, interpreter=sys.executable)
    activation = _activation(tmp_path, "bash", ":\n", Change("set", "odd.name", "1"), Change("set", "a;id>&2;b", "2"))
    lab.plan("job", steps=[[tell]], activation=activation)

    result = lab.run("job", "--slot", SLOT)

    assert (result.code, result.err) == (0, b"")
    assert json.loads(lab.output("job"))["odd.name"] == "1"
