"""The git remote, the checkout and the release: DIAG026, 027, 032."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from doctor import find, find_at, find_one, install
from homes import Home
from lab import need_program
from mailroom import serve_silence
from remotes import BROKEN, JOBS, SITE, Installation

from runner.diagnose.check import Finding


def git(directory: Path, *words: str) -> None:
    identity = ["-c", "user.name=al", "-c", "user.email=al@example.org", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", *identity, *words], cwd=directory, check=True, capture_output=True)


@pytest.fixture
def remote(home: Home, tmp_path: Path) -> Path:
    """The bare repository that the home, all of it committed, has been pushed to."""
    need_program("git")
    remote = tmp_path / "remote.git"
    git(tmp_path, "init", "--bare", str(remote))
    home.write(".gitignore", "/state\n/.runner\n/crontab.d\n")
    git(home.path, "init")
    git(home.path, "add", "-A")
    git(home.path, "commit", "-m", "all")
    git(home.path, "remote", "add", "origin", str(remote))
    git(home.path, "push", "origin", "main")
    return remote


def test_diag026_is_silent_when_the_remote_answers(home: Home, remote: Path) -> None:
    assert find(home, "DIAG026") == []


def test_diag026_is_silent_without_a_remote(home: Home) -> None:
    assert find(home, "DIAG026") == []


def test_diag026_finds_a_remote_that_is_gone(home: Home, remote: Path) -> None:
    shutil.rmtree(remote)
    finding = find_one(home, "DIAG026")
    assert finding.level == "warning"
    assert str(remote) in finding.message


def test_diag026_finds_a_remote_that_never_answers(home: Home, remote: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve_silence() as port:
        git(home.path, "remote", "set-url", "origin", f"https://127.0.0.1:{port}/x.git")
        monkeypatch.setattr("runner.diagnose.git.LIMIT_S", 1)
        assert "does not answer" in find_one(home, "DIAG026").message


def test_diag026_runs_nothing_that_a_repository_names(home: Home, remote: Path, tmp_path: Path) -> None:
    """SEC-2: an address of git's that is a command."""
    git(home.path, "remote", "set-url", "origin", f"ext::touch {tmp_path}/harm")
    assert "not allowed" in find_one(home, "DIAG026").evidence
    assert not (tmp_path / "harm").exists()


def test_diag027_is_silent_on_a_clean_checkout(home: Home, remote: Path) -> None:
    install(home)
    assert find(home, "DIAG027") == []


def test_diag027_finds_what_was_changed_and_what_is_new(home: Home, remote: Path) -> None:
    install(home)
    home.write("jobs/all.yaml", (home.path / "jobs/all.yaml").read_text() + "# edited\n")
    home.script("new.sh")
    finding = find_one(home, "DIAG027")
    assert (finding.level, finding.evidence) == ("warning", "jobs/all.yaml, jobs/new.sh")


def test_diag027_is_a_note_in_a_clone_where_nothing_is_installed(home: Home, remote: Path) -> None:
    home.script("new.sh")
    assert find_one(home, "DIAG027").level == "note"


def test_diag027_runs_no_hook(home: Home, remote: Path, tmp_path: Path) -> None:
    """SEC-2: a repository may name a program that watches its files."""
    harm = home.write("harm.sh", f"#!/bin/sh\ntouch {tmp_path}/harm\n")
    harm.chmod(0o755)
    git(home.path, "config", "core.fsmonitor", str(harm))
    find(home, "DIAG027")
    assert not (tmp_path / "harm").exists()


def test_diag027_is_a_note_where_there_is_no_git(home: Home) -> None:
    assert find_one(home, "DIAG027").message == "the home is not under git"


# A release, which has no git of its own but what it was built from


@pytest.fixture
def built(tmp_path: Path) -> Installation:
    """An installation whose release in use is of the newest commit."""
    place = Installation(tmp_path)
    place.build_well()
    return place


def look(place: Installation, name: str, **changes: Any) -> list[Finding]:
    return find_at(place.home, name, **changes)


def test_diag026_is_silent_for_a_release_whose_remote_answers(built: Installation) -> None:
    assert look(built, "DIAG026") == []


def test_diag026_finds_that_nothing_can_be_built_any_more(built: Installation) -> None:
    shutil.rmtree(built.remote.bare)
    (finding,) = look(built, "DIAG026")
    assert built.remote.url in finding.message
    assert "does not appear to be a git repository" in finding.evidence


def test_diag032_is_silent_where_the_newest_commit_is_in_use(built: Installation) -> None:
    assert look(built, "DIAG032") == []


def test_diag032_is_silent_in_a_home_that_is_no_release(home: Home, remote: Path) -> None:
    assert find(home, "DIAG032") == []


def test_diag032_finds_commits_that_nothing_builds(built: Installation) -> None:
    pushed = built.remote.commit("pushed")
    assert look(built, "DIAG032") == []  # the build of this hour is to come
    (finding,) = look(built, "DIAG032", now=time.time() + 3 * 3600)
    assert (finding.level, finding.evidence) == ("warning", pushed)
    assert finding.message.endswith("has newer commits, and no build has begun for 3 h")


def test_diag032_finds_a_refused_commit_with_its_author_until_it_is_mended(built: Installation) -> None:
    built.remote.write("jobs/all.yaml", BROKEN)
    broken = built.remote.commit("broken")
    assert built.build().code == 1
    (finding,) = look(built, "DIAG032")
    assert (finding.level, finding.message) == (
        "warning",
        f"the newest commit was refused, {broken[:12]} Ana <ana@example.org>: broken: cron runs an older one",
    )
    assert f"builds/{broken}.log" in finding.hint
    assert finding.evidence.startswith("check: ")
    built.remote.write("jobs/all.yaml", JOBS)
    built.remote.commit("mended")
    built.build_well()
    assert look(built, "DIAG032") == []


def test_diag032_finds_a_commit_whose_packages_cannot_be_had(built: Installation) -> None:
    built.remote.write("requirements.txt", "numpy==1.0\n")
    waiting = built.remote.commit("packages")
    built.env["PIP_INDEX_URL"] = "http://127.0.0.1:1/"
    built.env["PIP_RETRIES"] = "0"
    assert built.build().code == 75
    (finding,) = look(built, "DIAG032")
    assert finding.message.startswith(f"the newest commit was fetched and is not in use, {waiting[:12]}")


def test_diag032_is_silent_while_a_build_goes_on(built: Installation) -> None:
    built.remote.commit("slow")
    later = time.time() + 3 * 3600
    with open(built.base / "lock", "rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert look(built, "DIAG032", now=later) == []
    assert len(look(built, "DIAG032", now=later)) == 1


def test_diag032_notes_that_somebody_switched_away(built: Installation) -> None:
    newest = built.remote.commit("second")
    built.build_well()
    assert built.release("rollback").code == 0
    (finding,) = look(built, "DIAG032")
    assert (finding.level, newest[:12] in finding.message) == ("note", True)


def test_diag032_is_of_the_newest_tag_where_tags_are_asked_for(built: Installation) -> None:
    """What was not tagged is not to be built."""
    built.remote.write("envs/site.yaml", SITE.format(state=built.state) + "release: {signed: tag}\n")
    built.remote.commit("from now on tags")
    built.build_well()
    built.remote.git("tag", "-a", "-m", "1.0", "v1.0")
    built.remote.commit("not tagged")
    built.remote.push("v1.0")
    assert built.build().out.endswith("is in use already\n")
    assert look(built, "DIAG032") == []
