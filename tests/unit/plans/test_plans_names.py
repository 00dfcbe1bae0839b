"""PROF-13, PROF-14, PROF-84: old names of profiles, hosts of two sites, and places that are another profile's."""

from __future__ import annotations

import socket

import pytest
from homes import SITE, Home

from runner.launch.plan import decode_home_plan
from runner.plans.load import load_home


def faults(home: Home) -> list[str]:
    return home.runner("check").out.splitlines()


def test_an_old_name_in_the_registry_is_a_warning_and_the_plan_has_the_new_one(home: Home) -> None:
    """PROF-13."""
    home.write("envs/site.yaml", f"{SITE}renamed: {{nmtest: local}}\n")
    home.write("jobs/all.yaml", "jobs:\n  job: {run: jobs/hello.sh, profile: nmtest}\n")
    assert faults(home) == ["jobs/all.yaml:2:38: warning: profile nmtest is now called local; write local"]
    (one,) = load_home(home.path).planned
    assert (one.plan.name, one.plan.profile) == ("job", "local")


def test_in_a_list_the_plan_is_named_by_the_new_name(home: Home) -> None:
    home.write("envs/site.yaml", f"{SITE}renamed: {{nmtest: local}}\n")
    home.job("", name="job")
    home.write("jobs/all.yaml", "jobs:\n  job: {run: jobs/hello.sh, profile: [nmtest]}\n")
    assert [one.plan.name for one in load_home(home.path).planned] == ["job@local"]


def test_two_names_of_one_profile_are_one_too_many(home: Home) -> None:
    home.write("envs/site.yaml", f"{SITE}renamed: {{nmtest: local}}\n")
    home.write("jobs/all.yaml", "jobs:\n  job: {run: jobs/hello.sh, profile: [local, nmtest]}\n")
    assert "jobs/all.yaml:2:38: a profile stands here twice: local, nmtest" in faults(home)


@pytest.mark.parametrize(
    ("renamed", "message"),
    [
        ("{old: new}", 'envs/site.yaml: renamed: old is to be new, but no profile is called "new"; one of local'),
        ("{a: b, b: local}", 'envs/site.yaml:3:14: "b" is an old name itself; write a: local'),
        ("{a: b, b: a}", 'envs/site.yaml:3:14: "b" is an old name itself'),
        ("{a: a}", 'envs/site.yaml:3:14: "a" is an old name itself'),
    ],
)
def test_an_old_name_leads_to_a_profile_at_once(home: Home, renamed: str, message: str) -> None:
    """PROF-13: no chains, no cycles, no name that leads nowhere."""
    home.write("envs/site.yaml", f"{SITE}renamed: {renamed}\n")
    answer = home.runner("check")
    assert (answer.code, answer.out.splitlines()[0]) == (2, message)


def test_an_old_name_has_no_file_of_its_own(home: Home) -> None:
    home.write("envs/site.yaml", f"{SITE}renamed: {{old: local}}\n")
    home.write("envs/old.yaml", "")
    message = "renamed: old is local now, yet it still has a file, envs/old.yaml; take out one of the two"
    assert faults(home) == [f"envs/site.yaml: {message}"]


@pytest.mark.parametrize(
    ("a", "b", "host"),
    [("[nmpost*]", '["nm*"]', "nmpost*"), ("[ops1]", '["ops?"]', "ops1"), ('["*"]', "[HERE]", "HERE")],
)
def test_a_host_of_two_sites_is_an_error(home: Home, a: str, b: str, host: str) -> None:
    """PROF-14."""
    here = socket.gethostname()
    home.write("envs/site.yaml", f"{SITE}sites: {{a: {{hosts: {a}}}, b: {{hosts: {b.replace('HERE', here)}}}}}\n")
    message = (
        f"envs/site.yaml: sites: {host.replace('HERE', here)} would be a host of a and b; make their hosts: differ"
    )
    answer = home.runner("check")
    assert (answer.code, message in answer.out.splitlines()) == (2, True)


@pytest.mark.parametrize(
    ("keys", "place"),
    [
        ("run: jobs/hello.sh --out=/lustre/p/prod/x", "/lustre/p/prod/x"),
        ("run: [jobs/hello.sh, jobs/hello.sh /req/prod]", "/req/prod"),
        ("run: jobs/hello.sh areas/prod/", "areas/prod/"),
        ("run: jobs/hello.sh, cwd: /lustre/p/prod", "/lustre/p/prod"),
    ],
)
def test_a_place_of_another_profile_is_a_warning(home: Home, keys: str, place: str) -> None:
    """PROF-84."""
    home.write(
        "envs/prod.yaml",
        "env: {AREA: '/lustre/p/{profile}', HERE: '{home}/areas/prod'}\nrequire: {files: [/req/prod]}\n",
    )
    home.write("jobs/all.yaml", f"jobs:\n  job: {{{keys}, profile: local}}\n")
    (fault,) = [one for one in faults(home) if "area" in one and "is in" in one]
    assert fault.endswith(f"warning: {place} is in the area of the profile prod, and the job runs in local")


@pytest.mark.parametrize("words", ["/lustre/p/prod2/x", "/lustre/p/prod/x -P prod", "/lustre/p"])
def test_a_place_of_its_own_or_of_nobody_is_none(home: Home, words: str) -> None:
    home.write("envs/prod.yaml", "env: {AREA: '/lustre/p/{profile}'}\n")
    home.write("jobs/all.yaml", f"jobs:\n  job: {{run: jobs/hello.sh {words}, profile: prod}}\n")
    assert faults(home) == []


def test_a_home_without_layout_and_sites_compiles_no_guard(home: Home) -> None:
    home.compile()
    assert b"guard" not in home.read("crontab.d/home.plan")


def test_what_the_guard_must_know_is_compiled(home: Home) -> None:
    """PROF-80: known even where the password database is not (CRON-19)."""
    home.write(
        "envs/site.yaml",
        f"{SITE}layout: '~{{account}}/workflows/{{profile}}'\nguard: warn\nenvironments: [prod]\n"
        "sites: {dsoc: {hosts: ['nm*'], account: vlapipe}}\n"
        "allow: [{command: restoreToCache, version: '>= 3.7.0', profile: 'vlass.*', reason: VLASS restores}]\n",
    )
    home.write("envs/dsoc-prod.yaml", "")
    home.compile()
    assert decode_home_plan(home.read("crontab.d/home.plan")).guard == [
        ("mode", "warn"),
        ("site", "dsoc"),
        ("site_host", "nm*"),
        ("profile", "dsoc-prod"),
        ("profile_site", "dsoc"),
        ("profile_environment", "prod"),
        ("profile_tree", "~vlapipe/workflows/dsoc-prod"),
        ("profile", "local"),
        ("allow", "VLASS restores"),
        ("allow_command", "restoreToCache"),
        ("allow_version", ">=3.7.0"),
        ("allow_profile", "vlass.*"),
    ]


def test_a_person_may_still_say_the_old_name(home: Home) -> None:
    home.write("envs/site.yaml", f"{SITE}renamed: {{nmtest: local}}\n")
    home.compile()
    shown = home.runner("show", "nightly", "-P", "nmtest")
    assert (shown.code, shown.err) == (0, "profile nmtest is now called local\n")
    added = home.runner("add", "new", "--when", "@daily", "--run", "jobs/hello.sh", "--profile", "nmtest")
    assert "profile: local" in added.out
    assert "profile nmtest is now called local" in added.err
