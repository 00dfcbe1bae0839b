"""``runner capo --strict``: codes, forms, secrets, ``~/.capo`` (CAPO-30 to 36); and where both forms look (CAPO-2)."""

from __future__ import annotations

import json
import subprocess
import sys

import click
import pytest
from capo import Answer, Place
from homes import Home

from runner.cli.main import cli

DANGERS = {
    "a=1\n  b=2\n": "capo/test.properties:2:1: an indented line",
    "a=1\n[s]\nb=2\n": "capo/test.properties:2:1: a [section]",
    "k=${env:A}-${env:B}\n": "capo/test.properties:1:12: ${env:...} that is not the only one",
    "a.b=1\na-b=2\n": "capo/test.properties:2:1: a-b has the shell name of a.b",
    b"a=caf\xe9\n": "capo/test.properties:1:6: not UTF-8",
    "k=${env:FOO}/tmp\n": "capo/test.properties:1:3: FOO is not set",
}


@pytest.mark.parametrize(("text", "said"), DANGERS.items(), ids=range(len(DANGERS)))
def test_what_is_dangerous_is_refused_at_its_place(place: Place, text: str | bytes, said: str) -> None:
    """CAPO-30, CAPO-31: also where another key is asked for."""
    place.setenv("A", "1")
    place.write({"more/test.properties": "good=1\n", "capo/test.properties": text})
    found = place.capo("--strict", "--path", "capo:more", "-P", "test", "good")
    assert (found.code, found.out) == (4, "")
    assert found.err.startswith(said)


def test_all_faults_of_all_files_are_told_in_one_go(place: Place) -> None:
    """CAPO-31."""
    place.write({"a/test.properties": "word\n k=1\n", "b/test.properties": "!c\n"})
    found = place.capo("--strict", "--path", "a:b", "-P", "test", "-A")
    places = [line.split(": ")[0] for line in found.err.splitlines()]
    assert (found.code, places) == (4, ["a/test.properties:1:1", "a/test.properties:2:1", "b/test.properties:1:1"])


def test_a_value_is_written_so_that_a_shell_only_assigns_it(place: Place) -> None:
    """CAPO-34, examples of profiles.md."""
    text = "k=a\"b$(id)\nl=it's!\n"
    assert place.strict(text, "k", "l") == Answer(0, "K='a\"b$(id)'\nL='it'\\''s!'\n", "")
    assert place.strict(text, "--shell", "tcsh", "l") == Answer(0, "setenv L 'it'\\''s\\!';\n", "")
    assert place.strict(text, "-q", "l") == Answer(0, "it's!\n", "")
    assert place.strict(text, "--null", "k", "l") == Answer(0, "K='a\"b$(id)'\0L='it'\\''s!'\0", "")


def test_json_has_key_value_file_and_line(place: Place) -> None:
    """CAPO-34, CAPO-37; each option of the strict form asks for it."""
    place.write({"capo/test.properties": "\nevla.casaHome = /home/casa\n"})
    found = place.capo("--json", "--path", "capo", "-P", "test", "evla.casahome")
    wanted = {"key": "EVLA.CASAHOME", "value": "/home/casa", "file": "capo/test.properties", "line": 2}
    assert (found.code, json.loads(found.out)) == (0, wanted)


@pytest.mark.parametrize("key", ["db.password", "db.api-key", "db.apiKey", "AUTH_TOKEN", "aws.secretAccessKey"])
def test_all_properties_are_shown_without_secrets_unless_asked_for(place: Place, key: str) -> None:
    """CAPO-34, PROF-64."""
    place.write({"capo/test.properties": f"{key}=CANARY\nempty.token=\nuser=me\n"})
    (place.root / "capo/test.properties").chmod(0o600)
    words = ("--json", "--path", "capo", "-P", "test")
    shown = [json.loads(line)["value"] for line in place.capo(*words, "-A").out.splitlines()]
    assert shown == ["***", "", "me"]
    assert "CANARY" in place.capo(*words, "-A", "--show-secrets").out
    assert place.capo(*words, key).out.count("CANARY") == 1


def test_a_missing_key_is_3_and_nothing_is_printed(place: Place) -> None:
    found = place.strict("hostname=x\n", "hostname", "hostnam", "zzz")
    assert (found.code, found.out) == (3, "")
    assert found.err.splitlines()[0] == 'no property is called "HOSTNAM"; one of HOSTNAME'


def test_an_unknown_profile_is_1_with_the_nearest_name(place: Place) -> None:
    """CAPO-30."""
    place.write({"capo/dsoc-test.properties": "k=1\n"})
    found = place.capo("--strict", "--path", "capo", "-P", "dsoc-tst", "-A")
    assert (found.code, found.out) == (1, "")
    assert found.err.startswith('no profile is called "dsoc-tst"; did you mean "dsoc-test"?')


@pytest.mark.parametrize("name", ["", "../capo/test", "/test"])
def test_no_profile_and_a_name_that_can_be_none_are_1(place: Place, name: str) -> None:
    """CAPO-14, CAPO-30."""
    found = place.capo("--strict", "--path", "capo", "-P", name, "k")
    assert (found.code, found.out, found.err.count("\n")) == (1, "", 1)


@pytest.mark.parametrize(
    "words", [[], ["-q", "a", "b"], ["-q", "-A"], ["--json", "-q", "a"], ["--json", "--null", "a"]]
)
def test_what_cannot_be_answered_in_that_form_is_2(place: Place, words: list[str]) -> None:
    """CAPO-30, CAPO-34."""
    found = place.strict("a=1\nb=2\n", *words)
    assert (found.code, found.out) == (2, "")


def test_a_key_that_is_no_name_in_a_shell_is_not_given_to_one(place: Place) -> None:
    """CAPO-34: a key like ``a;id`` would be a command."""
    found = place.strict("a;id=1\n", "a;id")
    assert (found.code, found.out, found.err[:30]) == (4, "", "capo/test.properties:1:6: a;id")
    assert place.strict("a;id=1\n", "-q", "a;id") == Answer(0, "1\n", "")


@pytest.mark.parametrize(("profile", "code"), [("dsoc-prod", 4), ("prod", 4), ("a-b-dev", 0), ("dev", 0)])
def test_a_value_from_the_callers_own_directory_is_for_dev_alone(place: Place, profile: str, code: int) -> None:
    """CAPO-35."""
    place.write({f"home/.capo/{profile}.properties": "k=mine\n"})
    found = place.strict("k=1\nl=2\n", "k", profile=profile)
    assert (found.code, found.out) == (code, "K='mine'\n" if code == 0 else "")
    assert "a value from ~/.capo" in found.err
    assert place.strict("k=1\nl=2\n", "l", profile=profile) == Answer(0, "L='2'\n", "")


def test_a_file_that_anybody_may_write_is_not_accepted(place: Place) -> None:
    """CAPO-36."""
    place.write({"capo/test.properties": "k=1\n"})
    (place.root / "capo/test.properties").chmod(0o666)
    found = place.capo("--strict", "--path", "capo", "-P", "test", "k")
    assert (found.code, found.out) == (4, "")
    assert found.err == "capo/test.properties: anybody may write to it; chmod o-w capo/test.properties\n"


def test_secrets_that_anybody_may_read_are_a_finding(place: Place) -> None:
    """CAPO-36."""
    found = place.strict("db.password=CANARY\nk=1\n", "k")
    assert (found.code, found.out) == (0, "K='1'\n")
    assert found.err.startswith("capo/test.properties: warning: it has secrets")
    assert "CANARY" not in found.err


def test_a_directory_in_place_of_the_file_is_not_accepted(place: Place) -> None:
    place.write({"capo/test.properties/x": ""})
    found = place.capo("--strict", "--path", "capo", "-P", "test", "k")
    assert (found.code, found.err) == (4, "capo/test.properties: cannot be read: Is a directory\n")


def test_a_file_that_cannot_be_looked_at_is_passed_over_but_not_accepted(place: Place) -> None:
    """CAPO-3, CAPO-31."""
    place.write({"more/test.properties": "k=1\n"})
    (place.root / "capo").mkdir()
    (place.root / "capo/test.properties").symlink_to("test.properties")
    words = ("--path", "capo:more", "-P", "test", "-q", "k")
    assert place.capo(*words) == Answer(0, "1", "")
    found = place.capo("--strict", *words)
    assert (found.code, found.out, found.err[:38]) == (4, "", "capo/test.properties: cannot be read: ")


def test_keys_that_two_files_write_in_other_letters_are_a_warning(place: Place) -> None:
    """CAPO-32."""
    place.write({"a/test.properties": "casaHome=1\n", "b/test.properties": "casahome=2\n"})
    found = place.capo("--strict", "--path", "a:b", "-P", "test", "-A")
    assert (found.code, found.out) == (0, "CASAHOME='2'\n")
    assert found.err.startswith("b/test.properties:1:1: warning: casahome is casaHome in a/test.properties:1")


def test_a_file_is_read_as_java_reads_it_on_request(place: Place) -> None:
    """CAPO-33: keys keep their case; what a shell cannot take is refused."""
    text = "K v\\\n  w\nk=${env:HOME}\\n\n"
    values = [
        json.loads(line)["value"] for line in place.strict(text, "--format", "java", "--json", "-A").out.splitlines()
    ]
    assert values == ["vw", "${env:HOME}\n"]
    assert place.strict(text, "--format", "java", "K") == Answer(0, "K='vw'\n", "")
    found = place.strict(text, "--format", "java", "-A")
    assert (found.code, [line.split(": ")[1] for line in found.err.splitlines()]) == (
        4,
        ["a newline or NUL in the value; use --json", "k has the shell name of K; capo/test.properties:1 has that"],
    )
    bad = place.strict("k=\\u12\n", "--format", "java", "k")
    assert (bad.code, bad.err.partition(";")[0]) == (4, "capo/test.properties:1:1: malformed \\uXXXX")


# Where both forms look (CAPO-2)


@pytest.mark.parametrize("form", [[], ["--strict"]])
def test_properties_are_those_of_the_home_where_nothing_else_is_said(home: Home, place: Place, form: list[str]) -> None:
    """CAPO-2: as its jobs find them."""
    home.write(
        "envs/site.yaml", 'sites: {dsoc: {}}\nenvironments: [dev]\ncapo: {path: ["{home}/x/{site}", "{home}/y"]}\n'
    )
    home.write("x/dsoc/dsoc-dev.properties", "k=1\n")
    assert home.runner("capo", *form, "-P", "dsoc-dev", "-q", "k").out.strip() == "1"
    place.setenv("CAPO_PATH", "")
    assert home.runner("capo", *form, "-P", "dsoc-dev", "-q", "k").out == ""


def test_a_home_that_was_named_must_be_one(place: Place) -> None:
    place.setenv("RUNNER_HOME", str(place.root))
    found = place.capo("-P", "test", "k")
    assert (found.code, found.out) == (2, "")
    assert "is no home" in found.err


def test_a_wrong_profile_file_is_named(home: Home, place: Place) -> None:
    """Where its directories are cannot be known."""
    home.write("envs/dsoc-dev.yaml", "envv: {}\n")
    found = home.runner("capo", "-P", "dsoc-dev", "k")
    assert (found.code, found.err.startswith("envs/dsoc-dev.yaml:1:1: unknown key")) == (2, True)


def test_the_last_file_on_the_path_wins_and_the_callers_own_is_the_last(place: Place) -> None:
    """CAPO-3, the first example of profiles.md."""
    place.write(
        {
            "casa/dsoc-prod.properties": "a=casa\nb=casa\nc=casa\n",
            "ssa/dsoc-prod.properties": "b=ssa\nc=ssa\n",
            "home/.capo/dsoc-prod.properties": "c=home\n",
        }
    )
    place.setenv("CAPO_PATH", "casa:ssa")
    lines = place.capo("-P", "dsoc-prod", "a", "b", "c").out.splitlines()
    own = place.root / "home/.capo/dsoc-prod.properties"
    assert lines == ['A="casa" # casa/dsoc-prod.properties', 'B="ssa" # ssa/dsoc-prod.properties', f'C="home" # {own}']


def test_profiles_are_completed(home: Home) -> None:
    command = cli.get_command(click.Context(cli), "capo")
    assert command
    group = click.Context(cli, info_name="runner", obj=str(home.path))
    group.params["home"] = str(home.path)
    context = command.make_context("capo", [], parent=group, resilient_parsing=True)
    (option,) = [one for one in command.params if one.name == "profile"]
    assert [item.value for item in option.shell_complete(context, "lo")] == ["local"]


def test_the_command_imports_neither_database_nor_tables_nor_yaml() -> None:
    script = (
        "import sys; from runner.cli.main import run; run(['capo', '--strict', '--path', '/', '-P', 'x', 'k']);"
        "print({'sqlalchemy', 'rich', 'pydantic', 'yaml', 'requests'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
