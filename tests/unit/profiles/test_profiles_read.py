"""Profiles as their files say, and the changes of an environment that they become (PROF-1, PROF-2, PROF-4)."""

from __future__ import annotations

import pytest
from homes import Home

from runner.document.faults import Faults, Wrong
from runner.home.settings import Settings, find_main_target, parse_settings
from runner.profiles.changes import escape_braces, fill_placeholders, make_activation
from runner.profiles.profile import Profile
from runner.profiles.read import list_profile_files, parse_profile

SITE = """\
name: ql
mail: {ops: ops@example.org}
sites: {dsoc: {account: vlapipe}, naasc-east: {}}
environments: [prod, test]
layout: "~{account}/workflows/{profile}"
base: {env: {PATH: /usr/bin, BASE: "{profile}"}}
capo: {path: [/home/casa/capo, "{home}/envs/capo"]}
"""


@pytest.fixture
def settings(home: Home) -> Settings:
    faults = Faults("envs/site.yaml")
    settings = parse_settings(SITE.encode(), home.path, find_main_target(), faults)
    assert settings, faults.found
    return settings


def parse(settings: Settings, text: str, name: str = "dsoc-prod") -> Profile:
    faults = Faults(f"envs/{name}.yaml")
    profile = parse_profile(name, text.encode(), settings, faults)
    assert profile, [str(fault) for fault in faults.found]
    return profile


def changes(settings: Settings, text: str, name: str = "dsoc-prod") -> list[tuple[str, str, str]]:
    return [(one.verb, one.name, one.value) for one in make_activation(parse(settings, text, name), settings).changes]


@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        ("dsoc-prod", "", ("dsoc", "prod")),
        ("naasc-east-test", "", ("naasc-east", "test")),
        ("dsoc-prod", "site: naasc-east", ("naasc-east", "prod")),
        ("dsoc-dev", "", ("", "")),
        ("local", "", ("", "")),
        ("local", "{site: dsoc, environment: dev}", ("dsoc", "dev")),
    ],
)
def test_site_and_environment_follow_from_the_name_if_both_are_declared(
    settings: Settings, name: str, text: str, place: tuple[str, str]
) -> None:
    profile = parse(settings, text, name)
    assert (profile.site, profile.environment) == place


def test_changes_come_in_the_order_in_which_later_ones_win(settings: Settings) -> None:
    """PROF-4."""
    text = """\
unset: [C]
env: {B: "2"}
path: {prepend: [/first, /second], append: [/last, /very-last]}
activate: [{venv: /one}, {venv: /two}]
"""
    assert changes(settings, text) == [
        ("set", "PATH", "/usr/bin"),
        ("set", "LANG", "C.UTF-8"),
        ("set", "BASE", "dsoc-prod"),
        ("venv", "", "/one"),
        ("venv", "", "/two"),
        ("prepend", "PATH", "/second"),
        ("prepend", "PATH", "/first"),
        ("append", "PATH", "/last"),
        ("append", "PATH", "/very-last"),
        ("set", "B", "2"),
        ("unset", "C", ""),
        ("set", "CAPO_PROFILE", "dsoc-prod"),
        ("paths", "CAPO_PATH", "/home/casa/capo:{home}/envs/capo"),
    ]


@pytest.mark.parametrize(
    ("value", "becomes"),
    [
        ("{site}/{environment}/{profile}", "dsoc/prod/dsoc-prod"),
        ("{account}", "vlapipe"),
        ("{account_home}/x", "{~vlapipe}/x"),  # the wrapper asks the password database
        ("{layout}/bin", "~vlapipe/workflows/dsoc-prod/bin"),
        ("{home}", "{home}"),  # the wrapper knows where it is
        ("{{home}}", "{{home}}"),  # and makes braces of these
        ("$HOME", "$HOME"),
        ("~/x", "~/x"),
    ],
)
def test_placeholders_are_replaced_and_nothing_else(settings: Settings, value: str, becomes: str) -> None:
    """PROF-2: what depends on the machine stays for the wrapper (CRON-17)."""
    assert ("set", "X", becomes) in changes(settings, f"env: {{X: '{value}'}}")


def test_every_wrong_placeholder_has_its_own_place(settings: Settings) -> None:
    faults = Faults("envs/dsoc-prod.yaml")
    text = "env:\n  A: '{hme}'\npath:\n  prepend: [/bin, '{']\nactivate:\n  - venv: '{lay}'\ndescription: '{any}'\n"
    assert parse_profile("dsoc-prod", text.encode(), settings, faults) is None
    assert sorted((fault.line, fault.column) for fault in faults.found) == [(2, 6), (4, 19), (6, 11)]


def test_a_placeholder_without_a_value_here_is_wrong(settings: Settings) -> None:
    faults = Faults("envs/local.yaml")
    assert parse_profile("local", b"env: {A: '{layout}/{site}'}", settings, faults) is None
    assert str(faults.found[0]).startswith(
        'envs/local.yaml:1:10: {account} in "~{account}/workflows/{profile}" has no '
    )


@pytest.mark.parametrize("name", ["-x", ".x", "a b", "x" * 65, "caf\xe9"])
def test_a_file_whose_name_could_not_be_a_profiles_is_wrong(settings: Settings, name: str) -> None:
    """PROF-1."""
    faults = Faults(f"envs/{name}.yaml")
    assert parse_profile(name, b"", settings, faults) is None
    assert "is not a profile name" in str(faults.found[0])


def test_the_files_of_profiles_are_those_beside_the_settings(home: Home) -> None:
    for name in ("archive.yaml", "fleet.yaml", "prod.yaml", "notes.txt", ".swap.yaml", "capo/prod.properties"):
        home.write(f"envs/{name}", "")
    assert list_profile_files(home.path) == ["local", "prod"]


def test_literal_braces_come_back_as_they_were() -> None:
    for text in ("{", "}", "{x}", "{{x}}", "}{", "no braces"):
        assert fill_placeholders(escape_braces(text), {"x": "value"}) == escape_braces(text)


def test_a_single_brace_is_wrong() -> None:
    for text in ("{", "}", "a}b", "{a b", "{{x}"):
        with pytest.raises(Wrong):
            fill_placeholders(text, {"x": "value"})
