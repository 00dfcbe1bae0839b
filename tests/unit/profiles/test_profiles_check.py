"""PROF-44: ``runner check`` says what of a profile is not on this host, at its place, without activating anything."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from homes import Home

SITE = f"""\
name: lab
mail: {{ops: ops@example.org}}
sites: {{here: {{hosts: [{os.uname().nodename}]}}, there: {{hosts: ["nmngas*"]}}, anywhere: {{}}}}
environments: [prod]
"""


@pytest.fixture
def lab(home: Home) -> Home:
    """A home whose host is at a site."""
    home.write("envs/site.yaml", SITE)
    return home


def check(lab: Home, text: str, name: str = "here-prod") -> list[str]:
    """Return what is said of a profile; ``/H`` stands for the home."""
    lab.write(f"envs/{name}.yaml", text.replace("/H", str(lab.path)))
    answer = lab.runner("check")
    assert answer.code == 0, answer.out
    return answer.out.replace(str(lab.path), "/H").splitlines()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("activate:\n  - venv: @/H/no\n", "no virtual environment at /H/no (no pyvenv.cfg); make it: "),
        ("activate: {venv: @'{home}/no'}\n", "no virtual environment at /H/no (no pyvenv.cfg); make it: "),
        ("activate:\n  - conda: {prefix: @/H/no}\n", "no conda environment at /H/no (no conda-meta/history); "),
        ("activate:\n  - conda: {root: /H, name: @no}\n", "no conda environment at /H/envs/no (no conda-meta"),
        ("activate:\n  - conda: {root: /H, name: @base}\n", "no conda environment at /H (no conda-meta"),
        ("activate:\n  - modules: {command: @/H/no, load: x}\n", "no program /H/no; "),
        ("activate:\n  - modules: {command: /bin/true, path: [/H, @/H/no], load: x}\n", "no directory /H/no; "),
        ("activate:\n  - setup: {shell: sh, source: @/H/no}\n", "/H/no cannot be read; the shell"),
        ("activate:\n  - setup: {shell: sh, run: x, rc: @no.rc}\n", "/H/no.rc cannot be read; the shell"),
        ("watch: [/H/jobs/*.sh, @/H/no*]\n", "nothing is called /H/no*; a snapshot"),
        ("require: {files: [/H/jobs, @'{home}/no']}\n", "/H/no cannot be read; without it no job"),
        ("require: {files: [@'~nosuchuser/x']}\n", "no user 'nosuchuser' for '~nosuchuser/x'; see getent"),
    ],
)
def test_what_is_not_there_is_a_warning_at_its_place(lab: Home, text: str, said: str) -> None:
    """The place is marked with @."""
    before = text.partition("@")[0].replace("/H", str(lab.path)).split("\n")

    (line,) = check(lab, text.replace("@", ""))

    assert line.startswith(f"envs/here-prod.yaml:{len(before)}:{len(before[-1]) + 1}: warning: {said}")


def test_what_is_there_is_no_trouble(lab: Home, tmp_path: Path) -> None:
    for name in ("tree/pyvenv.cfg", "conda/conda-meta/history", "setup.sh", "modules/x"):
        lab.write(name, "")
    lab.write("envs/capo/here-prod.properties", "a.b = 1\n").chmod(0o640)
    text = """\
activate:
  - venv: "{home}/tree"
  - conda: {prefix: /H/conda}
  - modules: {command: /bin/true, path: /H/modules, load: x}
  - setup: {shell: sh, source: /H/setup.sh, args: [no]}
  - env: {A: /no}
watch: [/H/setup.*]
require: {files: /H/setup.sh, properties: A.B}
capo: {export: {AB: a.b}}
"""
    assert check(lab, text) == []


@pytest.mark.parametrize(("name", "lines"), [("there-prod", 0), ("anywhere-prod", 1), ("mine", 1)])
def test_a_profile_of_another_site_is_elsewhere(lab: Home, name: str, lines: int) -> None:
    """PROF-81: a site without hosts, and no site at all, may be anywhere."""
    assert len(check(lab, "require: {files: /H/no}\n", name)) == lines


def test_the_strict_faults_of_property_files_stand_at_their_places(lab: Home) -> None:
    lab.write("envs/capo/here-prod.properties", "area = ${env:AREA}/x\nodd\na = b\\\ndb.password hunter2\n")

    said = check(lab, "capo:\n  export: {AREA: area}\n")

    assert [line.split(": warning: ")[0] for line in said] == [
        f"envs/capo/here-prod.properties:{place}" for place in ("2:1", "3:6", "4:1")
    ]
    assert "hunter2" not in "".join(said)


def test_property_files_of_which_nothing_is_wanted_are_nobodys_trouble(lab: Home) -> None:
    lab.write("envs/capo/here-prod.properties", "odd\n")

    assert check(lab, "description: of no properties\n") == []


def test_a_property_that_no_file_has_is_said_of_the_profile(lab: Home) -> None:
    lab.write("envs/capo/here-prod.properties", "a = 1\n").chmod(0o640)

    said = check(lab, "capo: {export: {A: a, B: b}}\nrequire: {properties: [a, c]}\n")

    assert [line.partition(";")[0] for line in said] == [
        "envs/here-prod.yaml:1:26: warning: no property b",
        "envs/here-prod.yaml:2:27: warning: no property c",
    ]


def test_a_host_at_two_sites_is_an_error_of_the_settings(lab: Home) -> None:
    """PROF-14."""
    lab.write("envs/site.yaml", SITE.replace("nmngas*", "*"))

    answer = lab.runner("check")

    assert answer.code == 2
    assert " would be a host of here and there; make their hosts: differ" in answer.out


def test_errors_of_the_registry_hide_no_warning_of_a_profile(lab: Home) -> None:
    lab.job("when: nonsense")
    lab.write("envs/here-prod.yaml", "require: {files: /no/such}\n")

    answer = lab.runner("check")

    assert (answer.code, "/no/such cannot be read" in answer.out, "jobs/all.yaml:" in answer.out) == (2, True, True)


def test_what_the_base_of_all_profiles_names_is_told_at_its_own_place(home: Home) -> None:
    home.write("envs/site.yaml", "name: ql\nmail: {ops: o@x.org}\nbase:\n  activate: [{venv: /no/tree}]\n")

    found = [line for line in home.runner("check").faults if "/no/tree" in line]

    assert [line.partition(": ")[0] for line in found] == ["envs/site.yaml:4:21"]
