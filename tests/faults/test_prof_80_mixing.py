"""PROF-80 to PROF-83: a job that would mix profiles does not run, through the real wrapper, from registry to mail."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from homes import Home
from lab import CALLER, Result

_SITE = """\
name: lab
mail: {ops: ops@example.org}
environments: [prod, test]
sites: {dsoc: {}}
layout: "TREES/{profile}"
allow: [{command: restoreToCache, version: ">=3.7.0", profile: "vlass.*", reason: VLASS restores}]
"""


@pytest.fixture
def trees(home: Home, tmp_path: Path) -> Path:
    """A home of production, test and VLASS, and the tools in the tree of each."""
    trees = tmp_path / "workflows"
    home.write("envs/site.yaml", _SITE.replace("TREES", str(trees)))
    for name in ("dsoc-prod", "dsoc-test"):
        home.write(f"envs/{name}.yaml", "path: {prepend: ['{layout}/bin']}\n")
        _write_tool(trees / name / "bin/casa", f"echo casa of {name}")
    home.write("envs/vlass.test.yaml", f"path: {{prepend: [{trees}/dsoc-test/bin]}}\n")
    return trees


def _write_tool(path: Path, body: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def run(home: Home, keys: str, *words: str) -> Result:
    """Compile a job of these keys and run it as cron does."""
    home.write("jobs/all.yaml", f"jobs:\n  job: {{{keys}}}\n")
    home.compile()
    command = [home.path / "wrappers/run-job", "job", *words]
    done = subprocess.run(command, env=CALLER, capture_output=True, check=False)
    return Result(done.returncode, done.stdout, done.stderr)


def read_log(home: Home) -> str:
    return (home.path / "state/logs/job/latest.log").read_text()


def test_a_job_finds_the_software_of_its_own_profile(home: Home, trees: Path) -> None:
    assert run(home, "run: casa, profile: dsoc-prod").code == 0
    assert "casa of dsoc-prod\n" in read_log(home)


def test_a_production_job_that_finds_test_software_on_path_is_refused(home: Home, trees: Path) -> None:
    """PROF-80."""
    home.write("envs/dsoc-prod.yaml", f"path: {{prepend: ['{{layout}}/bin'], append: [{trees}/dsoc-test/bin]}}\n")
    result = run(home, "run: casa, profile: dsoc-prod")
    reason = f"mixed: {trees}/dsoc-test/bin on PATH belongs to dsoc-test, not dsoc-prod"
    assert result.code == 126
    assert result.subject.startswith("CANNOT_START job [dsoc-prod] mixed: ")
    assert reason in result.mail
    assert "casa of" not in read_log(home)
    (record,) = home.runner("history", "job", "--json").objects
    assert (record["outcome"], record["reason"]) == ("cannot_start", reason)


@pytest.mark.parametrize(
    ("keys", "what"),
    [
        ("run: 'TREES/dsoc-test/bin/casa'", "casa"),
        ("run: [casa, 'TREES/dsoc-test/bin/casa']", "casa"),
        ("run: casa, env: {CAPO_PROFILE: dsoc-test}", "CAPO_PROFILE"),
        ("run: casa, env: {CONDA_PREFIX: 'TREES/dsoc-test/conda'}", "CONDA_PREFIX TREES/dsoc-test/conda"),
    ],
)
def test_nothing_of_a_mixed_job_starts(home: Home, trees: Path, keys: str, what: str) -> None:
    """PROF-80: not even its first step."""
    result = run(home, f"{keys}, profile: dsoc-prod".replace("TREES", str(trees)))
    assert result.code == 126
    assert f"mixed: {what} belongs to dsoc-test, not dsoc-prod".replace("TREES", str(trees)) in result.mail
    assert "casa of" not in read_log(home)


@pytest.mark.parametrize(("version", "code"), [("3.7.0", 0), ("3.10", 0), ("3.6.9", 126), ("unknown", 126)])
def test_restore_to_cache_may_take_a_vlass_profile_from_its_version_on(
    home: Home, trees: Path, version: str, code: int
) -> None:
    """PROF-82, the example of the specification."""
    body = f'[ "$1" = --version ] && echo "restoreToCache {version}" || echo restored for $CAPO_PROFILE'
    _write_tool(trees / "dsoc-test/bin/restoreToCache", body)
    result = run(home, "run: restoreToCache -P vlass.test, profile: vlass.test")
    assert result.code == code
    log = read_log(home)
    assert ("# mix allowed: VLASS restores\n" in log, "restored for vlass.test\n" in log) == (code == 0, code == 0)
    if code:
        assert "mixed: restoreToCache belongs to dsoc-test, not vlass.test" in result.mail


def test_a_version_command_that_hangs_is_stopped_and_does_not_count(home: Home, trees: Path) -> None:
    site = (home.path / "envs/site.yaml").read_text()
    home.write("envs/site.yaml", site.replace("reason:", "version_run: restoreToCache -V, reason:"))
    _write_tool(trees / "dsoc-test/bin/restoreToCache", '[ "$1" = -V ] && exec sleep 60; echo 3.7.0')
    result = run(home, "run: restoreToCache, profile: vlass.test")
    assert result.code == 126
    assert "mixed: restoreToCache belongs to dsoc-test" in result.mail


@pytest.mark.parametrize(("profile", "code"), [("dsoc-test", 0), ("dsoc-prod", 126)])
def test_guard_warn_lets_a_job_run_with_a_line_on_stderr_but_not_in_production(
    home: Home, trees: Path, profile: str, code: int
) -> None:
    """PROF-83."""
    home.write("envs/site.yaml", (home.path / "envs/site.yaml").read_text() + "guard: warn\n")
    other = "dsoc-prod" if profile == "dsoc-test" else "dsoc-test"
    result = run(home, f"run: {trees}/{other}/bin/casa, profile: {profile}")
    assert result.code == code
    assert f"mixed: casa belongs to {other}, not {profile}" in result.mail
    assert (f"casa of {other}" in read_log(home)) == (code == 0)


def test_who_starts_it_by_hand_sees_the_warning_at_once(home: Home, trees: Path) -> None:
    home.write("envs/site.yaml", (home.path / "envs/site.yaml").read_text() + "guard: warn\n")
    result = run(home, f"run: {trees}/dsoc-prod/bin/casa, profile: dsoc-test", "--hand")
    assert (result.code, result.out) == (0, b"casa of dsoc-prod\n")
    assert result.err == b"runner: mixed: casa belongs to dsoc-prod, not dsoc-test\n"


def test_a_job_does_not_run_on_a_host_of_another_site(home: Home, trees: Path) -> None:
    """PROF-81."""
    site = (home.path / "envs/site.yaml").read_text()
    home.write("envs/site.yaml", site.replace("dsoc: {}", "dsoc: {hosts: ['no-such-host*']}"))
    result = run(home, "run: casa, profile: dsoc-prod")
    assert result.code == 126
    assert "belongs to no site, not dsoc" in result.subject


def test_a_home_that_declares_nothing_mixes_as_it_likes_but_for_the_name(home: Home, tmp_path: Path) -> None:
    """PROF-80: CAPO_PROFILE names the profile in every home."""
    assert run(home, "run: jobs/hello.sh, profile: local, env: {VIRTUAL_ENV: /anywhere}").code == 0
    result = run(home, "run: jobs/hello.sh, profile: local, env: {CAPO_PROFILE: other}")
    assert (result.code, "mixed: CAPO_PROFILE belongs to other, not local" in result.mail) == (126, True)
