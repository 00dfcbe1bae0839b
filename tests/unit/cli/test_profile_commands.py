"""``runner profile exec activate deactivate``: what they refuse, and what is then on stdout (PROF-40, PROF-74)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from homes import Home
from lab import CANARY
from people import ENVIRONMENT, Said, run

Runner = Callable[..., Said]


@pytest.fixture
def runner(home: Home) -> Runner:
    """Calls the command of the home in a process of its own, in a person's environment."""
    home.write("envs/good.yaml", "env: {AREA: /lustre}\n")
    home.write("envs/fails.yaml", "activate: [{setup: {shell: bash, eval: 'echo echo broken tree \\>\\&2'}}]\n")
    home.write("envs/wrong.yaml", "env: [no map]\n")
    command = [str(home.path / ".runner/bin/runner"), "--home", str(home.path), "profile"]
    return lambda *words, **env: run([*command, *words], env={**ENVIRONMENT, **{k.encode(): v for k, v in env.items()}})


@pytest.mark.parametrize(
    ("profile", "code", "reason"),
    [
        ("fails", 126, "profile fails: setup: broken tree"),
        ("god", 2, 'no profile is called "god"; did you mean "good"?'),
        ("wrong", 2, "envs/wrong.yaml:1:"),
        ("site", 2, 'no profile is called "site"'),
    ],
)
def test_nothing_is_run_nor_printed_unless_all_of_the_profile_holds(
    runner: Runner, profile: str, code: int, reason: str
) -> None:
    """PROF-40, PROF-74."""
    for words, wanted in (
        (["exec", profile, "--", "echo", "ran"], code),
        (["activate", profile, "--shell", "bash"], 2),
        (["activate", profile, "--shell", "tcsh"], 2),
    ):
        said = runner(*words)
        assert (said.code, said.out) == (wanted, "")
        assert reason in said.err
        assert said.err.count("\n") == 1


def test_a_faulty_profile_is_no_trouble_of_another(runner: Runner) -> None:
    assert runner("exec", "good", "--", "printenv", "AREA") == Said(0, "/lustre\n", "")


def test_the_options_behind_the_command_are_its_own(runner: Runner) -> None:
    assert runner("exec", "good", "echo", "--help", "--", "-n").out == "--help -- -n\n"


def test_a_damaged_record_is_exit_2_and_changes_nothing(runner: Runner) -> None:
    """PROF-73."""
    for words in (["activate", "good"], ["deactivate"]):
        said = runner(*words, "--shell", "bash", RUNNER_UNDO=b"damaged \xff")
        assert (said.code, said.out) == (2, "")
        assert said.err.startswith("RUNNER_UNDO is damaged")


def test_a_foreign_environment_is_left_first(runner: Runner) -> None:
    """PROF-76."""
    said = runner("activate", "good", "--shell", "bash", VIRTUAL_ENV=b"/theirs")

    assert (said.code, said.out) == (2, "")
    assert said.err.endswith("leave it first: deactivate\n")


def test_a_name_that_is_no_identifier_is_refused(home: Home, runner: Runner) -> None:
    """PROF-75."""
    home.write("envs/odd.yaml", "activate: [{setup: {shell: tcsh, run: 'setenv A.B 1'}}]\n")

    said = runner("activate", "odd", "--shell", "tcsh")

    assert (said.code, said.out) == (2, "")
    assert "'A.B' is no name of a variable in tcsh" in said.err


def test_secrets_are_for_the_shell_and_not_for_the_record(home: Home, runner: Runner) -> None:
    """PROF-73."""
    secret = home.write("secret", f"{CANARY}\n")
    secret.chmod(0o600)
    home.write("envs/odd.yaml", f"secrets: {{DB_PW: 'file:{secret}'}}\n")

    lines = runner("activate", "odd", "--shell", "bash").out.splitlines()

    assert [line for line in lines if CANARY in line] == [f"export DB_PW='{CANARY}'"]


def test_what_a_setup_prints_is_no_code(home: Home, runner: Runner) -> None:
    """PROF-28."""
    setup = home.write("setup.sh", "echo export EVIL=1\nexport GOOD=1\n")
    home.write("envs/odd.yaml", f"activate: [{{setup: {{shell: bash, source: {setup}}}}}]\n")

    code = runner("activate", "odd", "--shell", "bash").out

    assert "EVIL" not in code
    assert "export GOOD='1'\n" in code


def test_the_path_of_a_person_stays_behind_that_of_the_base(home: Home, runner: Runner) -> None:
    """PROF-70."""
    home.write("envs/site.yaml", "name: lab\nbase: {env: {PATH: /opt/site/bin:/usr/bin:/bin}}\n")

    code = runner("activate", "good", "--shell", "bash").out

    assert "export PATH='/opt/site/bin:/my/bin:/usr/bin:/bin'\n" in code
    assert runner("exec", "good", "--", "printenv", "PATH").out == "/opt/site/bin:/usr/bin:/bin\n"


def test_what_was_changed_since_is_named(home: Home, runner: Runner) -> None:
    """PROF-72."""
    code = runner("activate", "good", "--shell", "bash").out
    record = code.partition("RUNNER_UNDO='")[2].partition("'")[0]

    said = runner("deactivate", "--shell", "bash", RUNNER_UNDO=record.encode(), AREA=b"/mine")

    assert said.out == "unset RUNNER_UNDO\n"
    assert said.err == "runner: changed since the profile was activated, and kept: AREA CAPO_PATH CAPO_PROFILE\n"


def test_leaving_where_nothing_was_entered_is_nothing(runner: Runner) -> None:
    assert runner("deactivate", "--shell", "tcsh") == Said(0, "", "")


# Which profile


def test_the_profile_is_the_argument_else_capo_profile_else_the_utilitys(runner: Runner, home: Home) -> None:
    """PROF-11."""
    say = ("--", "sh", "-c", 'echo "$RUNNER_PROFILE$CAPO_PROFILE"')

    assert runner("exec", "good", *say).out == "good\n"
    assert runner("exec", "-P", "good", *say).out == "good\n"
    asked = runner("exec", "--explain", *say, CAPO_PROFILE=b"good")
    assert (asked.out, asked.err) == ("good\n", "runner: profile good, by CAPO_PROFILE\n")
    assert runner("exec", "-P", "", *say, CAPO_PROFILE=b"good").out == "good\n"
    nobody = runner("exec", *say)
    assert (nobody.code, "no profile is chosen" in nobody.err) == (2, True)


# Mode inside


def test_a_command_of_a_profile_inside_runs_in_the_shell_of_its_setup(runner: Runner, home: Home) -> None:
    """PROF-53, PROF-76: an alias is a command there; words, streams and exit code are its own."""
    home.write("inside.csh", "alias hello 'echo hello, \\!*'\nsetenv OURS 1\n")
    home.write("envs/inside.yaml", "activate: [{setup: {shell: tcsh, source: '{home}/inside.csh'}}]\nmode: inside\n")

    assert runner("exec", "inside", "--", "hello", "a  b", "$HOME") == Said(0, "hello, a  b $HOME\n", "")
    assert runner("exec", "inside", "--", "sh", "-c", "echo $OURS; exit 7") == Said(7, "1\n", "")
    activated = runner("activate", "inside", "--shell", "bash")
    assert (activated.code, "export OURS='1'" in activated.out) == (0, True)
    assert "exist only under runner profile exec inside -- COMMAND\n" in activated.err


def test_a_setup_that_fails_inside_runs_nothing(runner: Runner, home: Home) -> None:
    home.write("inside.sh", f"if [ -e '{home.path}/done' ]; then return 3; fi; touch '{home.path}/done'\n")
    home.write("envs/inside.yaml", "activate: [{setup: {shell: bash, source: '{home}/inside.sh'}}]\nmode: inside\n")

    said = runner("exec", "inside", "--", "touch", f"{home.path}/ran")

    assert (said.code, (home.path / "ran").exists()) == (126, False)
    assert said.err == "runner: setup: exit 97\n"
