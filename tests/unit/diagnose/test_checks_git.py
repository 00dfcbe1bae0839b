"""The git remote and the checkout: DIAG026, 027."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from doctor import find, find_one, install
from homes import Home
from lab import need_program
from mailroom import serve_silence


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
