"""Profiles, the mixing guard, replicas: DIAG011 to 013."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from doctor import find, find_one
from homes import Home
from replicas import Replica


def say_setup(home: Home, body: str, more: str = "") -> None:
    """Have the profile source a script."""
    home.write("setup.sh", body)
    source = "activate: [{setup: {shell: bash, source: '{home}/setup.sh'}}]\n"
    home.write("envs/local.yaml", source + more)


def test_diag011_is_silent_on_a_profile_that_activates(home: Home) -> None:
    say_setup(home, "export A=1\n", "require: {commands: [sh], env: [A]}\n")
    assert find(home, "DIAG011") == []


@pytest.mark.parametrize(
    ("body", "more", "why"),
    [
        ("exit 3\n", "", "setup"),
        ("export A=1\n", "require: {commands: [no-such-program]}\n", "no-such-program"),
        ("export A=$RANDOM$RANDOM\n", "", "A differs from one activation to the next"),
        ("sleep 600\n", "timeout: 1s\n", "1 s"),
        ("export A=$RANDOM$RANDOM\n", "mode: live\nrequire: {env: [B]}\n", "B"),
    ],
    ids=["fails", "lacks what it requires", "differs", "hangs", "live"],
)
def test_diag011_finds_why_a_profile_cannot_be_activated(home: Home, body: str, more: str, why: str) -> None:
    """PROF-44."""
    say_setup(home, body, more)
    finding = find_one(home, "DIAG011")
    assert finding.message == "profile local cannot be activated"
    assert why in finding.evidence


def test_diag011_a_profile_that_hangs_keeps_none_of_the_others(home: Home) -> None:
    say_setup(home, "sleep 600\n", "timeout: 1s\n")
    for number in range(20):
        home.write(f"envs/more-{number}.yaml", (home.path / "envs/local.yaml").read_text())
    home.write("envs/bad.yaml", "require: {commands: [no-such-program]}\n")
    assert len(find(home, "DIAG011")) == 22


def test_diag011_keeps_no_snapshot(home: Home) -> None:
    say_setup(home, "export A=1\n")
    assert find(home, "DIAG011") == []
    assert list(home.state.glob("snapshots/*")) == []


@pytest.fixture
def trees(home: Home, tmp_path: Path) -> Path:
    """A home of production and test, each with its tree of software."""
    trees = tmp_path / "trees"
    layout = f"environments: [prod, test]\nsites: {{dsoc: {{}}}}\nlayout: '{trees}/{{profile}}'\n"
    home.write("envs/site.yaml", f"name: lab\nmail: {{ops: ops@example.org}}\n{layout}")
    for name in ("dsoc-prod", "dsoc-test"):
        home.write(f"envs/{name}.yaml", "path: {prepend: ['{layout}/bin']}\n")
        tool = trees / name / "bin/casa"
        tool.parent.mkdir(parents=True)
        tool.write_text("#!/bin/sh\n")
        tool.chmod(0o755)
    home.write("jobs/all.yaml", "jobs:\n  job: {run: casa, profile: dsoc-prod}\n")
    return trees


def test_diag012_is_silent_where_each_profile_has_its_own(home: Home, trees: Path) -> None:
    home.compile()
    assert find(home, "DIAG012") == []


def test_diag012_finds_software_of_another_profile_on_path(home: Home, trees: Path) -> None:
    """PROF-80."""
    home.write("envs/dsoc-prod.yaml", f"path: {{prepend: ['{{layout}}/bin'], append: [{trees}/dsoc-test/bin]}}\n")
    home.compile()
    finding = find_one(home, "DIAG012")
    assert finding.level == "error"
    assert finding.message.startswith("job cannot start: mixed: ")


def test_diag012_is_a_warning_where_the_guard_only_warns(home: Home, trees: Path) -> None:
    home.write("envs/dsoc-test.yaml", f"path: {{append: [{trees}/dsoc-prod/bin]}}\n")
    home.write("jobs/all.yaml", "jobs:\n  job: {run: casa, profile: dsoc-test}\n")
    site = home.path / "envs/site.yaml"
    site.write_text(f"{site.read_text()}guard: warn\n")
    home.compile()
    assert {one.level for one in find(home, "DIAG012")} == {"warning"}


@pytest.fixture
def replica(home: Home) -> Replica:
    """A replica just pulled."""
    replica = Replica(home)
    replica.originals(a="x = 1\n", b="x = 2\n", c="x = 3\n")
    assert replica.pull().code == 0
    return replica


def test_diag013_is_silent_on_a_fresh_copy(home: Home, replica: Replica) -> None:
    assert find(home, "DIAG013") == []


def test_diag013_finds_edits_and_removals(home: Home, replica: Replica) -> None:
    """PROF-93."""
    replica.edit("a", "x = 4\n")
    (replica.directory / "b.properties").unlink()
    edited, gone = find(home, "DIAG013")
    assert (edited.evidence, gone.evidence) == ("a.properties", "b.properties")


def test_diag013_finds_a_copy_that_is_too_old(home: Home, replica: Replica) -> None:
    finding = find_one(home, "DIAG013", now=time.time() + 30 * 3600)
    assert "is 30 h old, at most 26 h are allowed" in finding.message


def test_diag013_finds_a_replica_that_was_never_pulled(home: Home) -> None:
    Replica(home)
    assert "was never pulled" in find_one(home, "DIAG013").message


def test_diag013_at_the_master_are_the_originals(home: Home, replica: Replica) -> None:
    replica.edit("a", "x = 4\n")
    replica.declare(master="naasc")
    assert find(home, "DIAG013") == []
