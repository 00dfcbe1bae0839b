"""Ownership, modes and secrets: DIAG023, 024."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from doctor import find, find_one
from homes import Home
from missing import give_up

from runner.launch.state import make_state


@pytest.fixture
def sound(home: Home) -> Home:
    """A home that others cannot write to, compiled."""
    home.compile()
    make_state(str(home.state))
    for path in (home.path, *home.path.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & ~0o022)
    return home


def test_diag023_is_silent_on_a_home_that_is_ours_alone(sound: Home) -> None:
    assert find(sound, "DIAG023") == []


@pytest.mark.parametrize(
    ("name", "mode", "level"),
    [
        ("jobs/hello.sh", 0o777, "error"),
        ("jobs/all.yaml", 0o666, "error"),
        ("envs", 0o777, "error"),
        ("wrappers/run-job", 0o777, "error"),
        ("crontab.d/plans/nightly.plan", 0o666, "error"),
        ("jobs/hello.sh", 0o775, "warning"),
        ("state", 0o755, "warning"),
        ("state/locks", 0o755, "warning"),
    ],
)
def test_diag023_finds_what_others_can_change_or_get_into(sound: Home, name: str, mode: int, level: str) -> None:
    """SEC-1, SEC-6, SEC-18."""
    (sound.path / name).chmod(mode)
    finding = find_one(sound, "DIAG023")
    assert finding.level == level
    assert f"/{name} " in finding.message


def test_diag023_finds_what_belongs_to_another(sound: Home) -> None:
    if os.geteuid() != 0:
        give_up("needs root")
    os.chown(sound.path / "jobs/hello.sh", 1, -1)
    assert "belongs to uid 1" in find_one(sound, "DIAG023").message


def test_diag024_is_silent_on_secrets_that_are_ours(home: Home) -> None:
    declare(home, 0o600)
    assert find(home, "DIAG024") == []


@pytest.mark.parametrize("mode", [0o644, 0o602])
def test_diag024_finds_a_secret_that_everybody_gets_at(home: Home, mode: int) -> None:
    """SEC-7."""
    path = declare(home, mode)
    finding = find_one(home, "DIAG024")
    assert finding.level == "error"
    assert finding.message.startswith(f"the secret {path} can be ")


def test_diag024_finds_a_secret_that_is_gone(home: Home) -> None:
    declare(home, 0o600).unlink()
    assert "is not there" in find_one(home, "DIAG024").message


def test_diag024_finds_a_secret_of_another_user(home: Home) -> None:
    if os.geteuid() != 0:
        give_up("needs root")
    os.chown(declare(home, 0o600), 1, -1)
    assert "belongs to uid 1" in find_one(home, "DIAG024").message


def test_diag024_looks_at_the_secrets_of_mail_and_slack(home: Home) -> None:
    for name in ("password", "token"):
        home.write(name, "s3cr3t-canary").chmod(0o644)
    smtp = f"smtp: {{host: x, user: me, password: 'file:{home.path}/password'}}"
    slack = f"slack: {{channel: C1, token: 'file:{home.path}/token'}}\n"
    home.write("envs/site.yaml", f"name: lab\nmail: {{via: smtp, ops: ops@example.org, {smtp}}}\n{slack}")
    assert len(find(home, "DIAG024")) == 2


def test_diag024_finds_the_password_of_a_database_that_everybody_can_read(home: Home) -> None:
    site = home.path / "envs/site.yaml"
    site.write_text(site.read_text() + "database: postgresql://me:s3cr3t-canary@db/x\n")
    site.chmod(0o644)
    finding = find_one(home, "DIAG024")
    assert "has the password of the database" in finding.message
    assert "s3cr3t" not in str(finding)
    site.chmod(0o640)
    assert find(home, "DIAG024") == []


def test_diag024_finds_properties_that_are_named_like_secrets(home: Home) -> None:
    """CAPO-36."""
    file = home.write("envs/capo/local.properties", "db.url = x\n")
    file.chmod(0o644)
    assert find(home, "DIAG024") == []
    file.write_text("db.url = x\ndb.password = s3cr3t-canary\n")
    finding = find_one(home, "DIAG024")
    assert (finding.level, "s3cr3t" in str(finding)) == ("warning", False)


def declare(home: Home, mode: int) -> Path:
    """Give the job a secret; return its file."""
    path = home.write("secret", "s3cr3t-canary")
    path.chmod(mode)
    home.job(f"secrets: {{KEY: 'file:{path}'}}")
    return path
