"""``runner profile list|show|diff|capture`` (PROF-6, PROF-64 to PROF-67)."""

from __future__ import annotations

import json

import pytest
from homes import Home

_SITE = """\
name: ql
mail: {ops: ops@example.org}
sites: {dsoc: {hosts: ["*"]}, naasc: {}}
environments: [prod, test]
renamed: {nmprod: dsoc-prod}
"""


@pytest.fixture
def profiles(home: Home) -> Home:
    """A home with a profile that a shell makes, and one without."""
    home.write("envs/site.yaml", _SITE)
    home.write(
        "setup.sh", 'export DATA=/data PATH=/opt/pipe/bin:$PATH\nif [ -n "$1" ]; then export SESSION_TOKEN=$1; fi\n'
    )
    home.write(
        "envs/dsoc-prod.yaml",
        f"description: production\nactivate:\n  - setup: {{shell: bash, source: {home.path}/setup.sh}}\n"
        "env: {PASSWORD_FILE: /x, AREA: '{profile}'}\nmode: live\n",
    )
    home.write("envs/naasc-test.yaml", f"activate: [{{setup: {{shell: bash, source: '{home.path}/setup.sh'}}}}]\n")
    return home


def test_list_shows_sites_environments_and_old_names(profiles: Home) -> None:
    rows = [json.loads(line) for line in profiles.runner("profile", "list", "--json").out.splitlines()]

    by_name = {row["profile"]: row for row in rows}
    assert (by_name["dsoc-prod"]["site"], by_name["dsoc-prod"]["environment"]) == ("dsoc", "prod")
    assert (by_name["dsoc-prod"]["renamed_from"], by_name["dsoc-prod"]["mode"]) == (["nmprod"], "live")
    assert (by_name["naasc-test"]["snapshot"], by_name["naasc-test"]["snapshot_age_s"]) == ("", None)
    assert [by_name[name]["here"] for name in ("dsoc-prod", "naasc-test")] == [True, None]
    assert "  dsoc*  prod " in profiles.runner("profile", "list").out


def test_show_names_the_key_that_set_each_variable_and_masks_secrets(profiles: Home) -> None:
    lines = profiles.runner("profile", "show", "dsoc-prod", "--json").out.splitlines()

    found = {row["name"]: (row["value"], row["origin"]) for row in map(json.loads, lines)}
    assert found["DATA"] == ("/data", "activate[0].setup")
    assert found["PATH"] == ("/opt/pipe/bin:/usr/bin:/bin", "activate[0].setup")
    assert found["AREA"] == ("dsoc-prod", "env")
    assert found["PASSWORD_FILE"] == ("***", "env")
    assert found["CAPO_PROFILE"] == ("dsoc-prod", "capo")
    assert found["HOME"][1] == "every job"


def test_diff_of_two_profiles_and_of_a_shell(profiles: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    two = profiles.runner("profile", "diff", "dsoc-prod", "naasc-test")
    monkeypatch.setenv("AREA", "mine")
    shell = profiles.runner("profile", "diff", "dsoc-prod", "--shell", "--json")
    same = profiles.runner("profile", "diff", "naasc-test", "naasc-test")

    assert (two.code, shell.code, same.code, same.out) == (1, 1, 0, "")
    assert "- dsoc-prod: variable AREA=dsoc-prod\n" in two.out
    assert "- dsoc-prod: variable PASSWORD_FILE=***\n" in two.out
    found = {"kind": "variable", "name": "AREA", "one": "dsoc-prod", "other": "mine"}
    assert found in map(json.loads, shell.out.splitlines())
    assert profiles.runner("profile", "diff", "dsoc-prod").code == 2


def test_diff_of_two_profiles_compares_properties_and_requirements_too(profiles: Home) -> None:
    """CAPO-37: of a secret it says only that it differs."""
    for profile, password, area in (("dsoc-prod", "one", "/a"), ("naasc-test", "two", "/b")):
        profiles.write(f"envs/capo/{profile}.properties", f"db.password = {password}\narea = {area}\nsame = 1\n")
        (profiles.path / f"envs/capo/{profile}.properties").chmod(0o600)
    profiles.write("envs/dsoc-prod.yaml", "require: {properties: [area], commands: [sh]}\n")

    lines = profiles.runner("profile", "diff", "dsoc-prod", "naasc-test", "--json").out.splitlines()

    found = [row for row in map(json.loads, lines) if row["kind"] != "variable"]
    assert [(row["kind"], row["name"], row["one"], row["other"]) for row in found] == [
        ("property", "AREA", "/a", "/b"),
        ("property", "DB.PASSWORD", "***", "***"),
        ("requirement", "command sh", "required", None),
        ("requirement", "property area", "required", None),
    ]


def test_a_secret_by_its_origin_is_masked_whatever_it_is_called(
    profiles: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CAPO-36, PROF-64."""
    profiles.write("envs/capo/dsoc-prod.properties", "db.jdbcPassword = hunter2\n").chmod(0o600)
    profiles.write("envs/dsoc-prod.yaml", "capo: {export: {DB_PW: db.jdbcPassword}}\nsecrets: {DB_KEY: 'file:/x'}\n")
    monkeypatch.setenv("DB_KEY", "topsecret")

    said = "".join([
        profiles.runner("profile", *words).out
        for words in (("show", "dsoc-prod"), ("diff", "dsoc-prod", "naasc-test"), ("diff", "dsoc-prod", "--shell"))
    ])  # fmt: skip

    assert ("DB_PW" in said, "DB_KEY=***" in said) == (True, True)
    assert ("hunter2" in said, "topsecret" in said) == (False, False)


def test_capture_keeps_what_the_next_run_will_use(profiles: Home) -> None:
    """PROF-67."""
    dry = profiles.runner("profile", "capture", "naasc-test", "--dry-run")
    kept = profiles.runner("profile", "capture", "naasc-test", "--explain")

    assert (dry.code, kept.code) == (0, 0)
    assert "  DATA = /data\n" in dry.out
    assert f"  reads {profiles.path}/setup.sh " in kept.out
    assert "  key " in kept.out
    (row,) = [
        row for row in map(json.loads, profiles.runner("profile", "list", "--json").out.splitlines()) if row["snapshot"]
    ]
    assert (row["profile"], row["snapshot"]) == ("naasc-test", "fresh")


@pytest.mark.parametrize(
    ("setup", "code", "message"),
    [
        ("export SESSION_TOKEN=1\n", 2, "setup: it sets SESSION_TOKEN, which no file may keep; mode: live, or secrets"),
        ("export STARTED=$(date +%N)$RANDOM\n", 2, "STARTED differs from one activation to the next"),
        ("nosuchcommand\n", 2, "nosuchcommand: command not found"),
    ],
)
def test_what_cannot_be_kept_is_named(profiles: Home, setup: str, code: int, message: str) -> None:
    """PROF-64, PROF-65."""
    profiles.write("setup.sh", setup)

    answer = profiles.runner("profile", "capture", "naasc-test")

    assert (answer.code, message in answer.err) == (code, True)
    assert not list((profiles.path / "state").glob("snapshots/*@*"))


def test_a_broken_requirement_is_a_no(profiles: Home) -> None:
    profiles.write("envs/naasc-test.yaml", "require: {commands: [nosuchcommand]}\n")

    answer = profiles.runner("profile", "capture", "naasc-test")

    assert (answer.code, answer.err) == (
        1, "runner: profile naasc-test: require: no command nosuchcommand on PATH /usr/bin:/bin\n",
    )  # fmt: skip


def test_what_only_a_shell_can_keep_is_a_warning(profiles: Home) -> None:
    """PROF-30."""
    profiles.write("setup.sh", "umask 077\ncd /tmp\n")

    answer = profiles.runner("profile", "capture", "naasc-test")

    assert answer.code == 0
    assert "it changes Umask from " in answer.err
    assert "it changes the directory to /tmp, which only mode: inside keeps" in answer.err


def test_an_unknown_profile_is_a_mistake_with_the_nearest_name(profiles: Home) -> None:
    answer = profiles.runner("profile", "show", "dsoc-prd")

    assert answer.code == 2
    assert "dsoc-prod" in answer.err
