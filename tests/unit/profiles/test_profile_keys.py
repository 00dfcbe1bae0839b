"""The keys of a profile and of the base common to all: what they become in a plan, and each mistake (profiles.md)."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.document.faults import Faults
from runner.home.settings import Settings, find_main_target, parse_settings
from runner.launch import lines
from runner.launch.activation import encode_activation
from runner.profiles.changes import list_origins, make_activation
from runner.profiles.read import parse_profile

SITE = """\
name: ql
mail: {ops: ops@example.org}
base:
  activate: [{setup: {shell: sh, source: /opt/base.sh}}]
  path: {prepend: ["{home}/bin"]}
  unset: [OLD]
"""


@pytest.fixture
def settings() -> Settings:
    found = parse_settings(SITE.encode(), Path("/srv/ql"), find_main_target(), Faults("envs/site.yaml"))
    assert found
    return found


def _compile(settings: Settings, text: str) -> list[str]:
    """Return the lines of the plan that a profile becomes."""
    faults = Faults("envs/p.yaml")
    profile = parse_profile("p", text.encode(), settings, faults)
    assert profile, [str(fault) for fault in faults.found]
    activation = make_activation(profile, settings)
    assert len(list_origins(profile, settings)) == len(activation.changes)
    return lines.encode(encode_activation(activation)).decode().splitlines()


def _faults(settings: Settings, text: str) -> list[str]:
    faults = Faults("envs/p.yaml")
    assert parse_profile("p", text.encode(), settings, faults) is None
    return [str(fault).removeprefix("envs/p.yaml:") for fault in faults.found]


def test_the_base_comes_before_the_profile(settings: Settings) -> None:
    found = _compile(settings, "activate: [{venv: /v}]\nenv: {A: b}")
    assert found == [
        "change set PATH /usr/bin:/bin",
        "change set LANG C.UTF-8",
        "change setup  ",
        "detail shell sh",
        "detail source /opt/base.sh",
        "change prepend PATH {home}/bin",
        "change unset OLD ",
        "change venv  /v",
        "change set A b",
        "change set CAPO_PROFILE p",
        "change paths CAPO_PATH {home}/envs/capo",
    ]


@pytest.mark.parametrize(
    ("item", "becomes"),
    [
        ("env: {A: '1', B: '{profile}'}", ["change set A 1", "change set B p"]),
        ("conda: {root: /opt/conda, name: wfc3}", ["change conda  ", "detail root /opt/conda", "detail name wfc3"]),
        ("conda: {prefix: ~/env}", ["change conda  ", "detail prefix ~/env"]),
        (
            "modules: {command: /m, path: [/a, /b], load: [casa/6.5, x]}",
            [
                "change modules  ", "detail command /m", "detail path /a", "detail path /b",
                "detail load casa/6.5", "detail load x",
            ],
        ),
        (
            "setup: {shell: tcsh, rc: ~/.cshrc, run: ur_setup -n common}",
            ["change setup  ", "detail shell tcsh", "detail rc ~/.cshrc", "detail run ur_setup -n common"],
        ),
        (
            "setup: {shell: bash, source: /s.sh, args: [prod, '']}",
            ["change setup  ", "detail shell bash", "detail source /s.sh", "detail arg prod", "detail arg "],
        ),
    ],
)  # fmt: skip
def test_each_activator_becomes_a_change(settings: Settings, item: str, becomes: list[str]) -> None:
    found = _compile(settings, f"activate: [{{{item}}}]")
    start = found.index(becomes[0], 5)
    assert found[start : start + len(becomes)] == becomes


def test_conditions_and_requirements_stand_in_the_plan(settings: Settings) -> None:
    text = """\
mode: live
timeout: 1m
max_age: 2h
stderr: warn
stderr_allow: ["^note"]
watch: ["/opt/*.sh"]
capo: {profile: dsoc-prod, path: [/capo, ~/capo], format: java, export: {CASA_HOME: evla.casaHome}}
require: {commands: [casa], versions: {casa: ">=6.5", x: {version: "== 1", run: "x -V"}}, env: [A, B=c], files: [/f],
  properties: [a.b]}
"""
    found = _compile(settings, text)
    assert found[found.index("change set CAPO_PROFILE dsoc-prod") :] == [
        "change set CAPO_PROFILE dsoc-prod",
        "change paths CAPO_PATH /capo:~/capo",
        "change capo  ",
        "detail profile dsoc-prod",
        "detail path /capo:~/capo",
        "detail format java",
        "detail home no",
        "detail export CASA_HOME evla.casaHome",
        "detail property a.b",
        "require command casa",
        "require env A",
        "require env B=c",
        "require file /f",
        "require version casa >= 6.5",
        "require version x == 1 x -V",
        "activation_mode live",
        "activation_timeout_s 60",
        "activation_max_age_s 7200",
        "activation_stderr warn",
        "activation_allow ^note",
        "watch /opt/*.sh",
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("activate: [{conda: {name: x}}]", "1:20: a conda environment is given by prefix, or by root and name"),
        ("activate: [{conda: {prefix: /x, name: y}}]", "1:20: a conda environment is given by prefix, or by root"),
        ("activate: [{modules: {command: /m, load: []}}]", "1:22: no module to load"),
        ("activate: [{modules: {command: /m}}]", '1:22: "load" is missing'),
        ("activate: [{setup: {source: /x}}]", '1:20: "shell" is missing'),
        ("activate: [{setup: {shell: zsh, source: /x}}]", '1:28: "zsh" is not possible here'),
        ("activate: [{setup: {shell: sh}}]", "1:20: a setup has exactly one of source, eval, run; this one has none"),
        ("activate: [{setup: {shell: sh, run: a, eval: b}}]", "1:20: a setup has exactly one of source, eval, run"),
        ("activate: [{setup: {shell: sh, run: a, args: [b]}}]", "1:20: args belong to a sourced file, not to run"),
        ("activate: [{docker: x}]", '1:12: no activator is called "docker"; one of conda, env, modules, setup, venv'),
        ("activate: [venv]", "1:12: an activator is one key with its value"),
        ("activate: [{env: {a-b: x}}]", '1:19: "a-b" is not a name for a variable'),
        ("mode: inside", "1:1: mode: inside needs a setup"),
        ("mode: fast", '1:7: "fast" is not possible here'),
        ("require: {versions: {casa: '6.5'}}", '1:28: "6.5" is no comparison of versions'),
        ("require: {env: [=x]}", '1:17: "" is not a name for a variable'),
        ("capo: {format: xml}", '1:16: "xml" is not possible here'),
        ("capo: {profile: ../x}", '1:17: "../x" is not a profile name'),
        ("stderr_allow: ['(']", '1:16: "(" is not a regular expression'),
        ("secrets: {A: /x}", '1:14: "/x" is not a secret'),
        ("watch: ['{nothing}']", '1:9: {nothing} in "{nothing}" has no value'),
    ],
)
def test_each_mistake_is_told_where_it_is(settings: Settings, text: str, fault: str) -> None:
    """PROF-1, PROF-3."""
    assert _faults(settings, text)[0].startswith(fault)
