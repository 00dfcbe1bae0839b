"""An install and ``runner check`` look at all that cron will execute: who else can change it (CRON-55, SEC-1)."""

from __future__ import annotations

import os

import pytest
from homes import Home
from missing import give_up

from runner.launch.state import make_state

COMPONENTS = (
    "",
    "wrappers",
    "wrappers/run-job",
    "jobs",
    "jobs/all.yaml",
    "jobs/hello.sh",
    "envs",
    "envs/local.yaml",
    "crontab.d",
    "crontab.d/plans",
    "crontab.d/plans/nightly.plan",
    "crontab.d/home.plan",
    ".runner",
    ".runner/main.pyc",
)


@pytest.mark.parametrize("command", ["install", "rollback"])
@pytest.mark.parametrize("component", COMPONENTS)
def test_sec_01_what_everybody_can_change_is_refused_by_name(home: Home, component: str, command: str) -> None:
    home.compile()
    if command == "rollback":
        for when in ("30 2 * * *", "30 3 * * *"):
            home.write("jobs/all.yaml", f"jobs: {{nightly: {{when: {when!r}, run: jobs/hello.sh, profile: local}}}}\n")
            assert home.runner("crontab", "install").code == 0
        if component == "jobs/hello.sh":
            return  # a rollback needs no registry that can be read: scripts are looked at by an install
    (home.path / component).chmod(0o777)
    before = home.tree()
    answer = home.runner("crontab", command, "--yes")
    assert answer.code == 2
    assert f"{home.path / component}: can be written by everybody (mode 0777): " in answer.err
    assert home.tree() == before


def test_sec_01_what_belongs_to_another_user_is_refused_by_name(home: Home) -> None:
    if os.geteuid() != 0:
        give_up("needs root")
    os.chown(home.path / "jobs/hello.sh", 65534, 65534)
    answer = home.runner("crontab", "install", "--yes")
    assert answer.code == 2
    assert f"{home.path}/jobs/hello.sh: belongs to uid 65534, not root: who can change it " in answer.err


def test_sec_01_what_a_group_can_change_is_one_warning(home: Home) -> None:
    home.compile()
    for component in COMPONENTS[1:]:
        (home.path / component).chmod(0o775)
    answer = home.runner("crontab", "install", "--yes")
    assert answer.code == 0
    (warning,) = [line for line in answer.err.splitlines() if "SEC-1" in line]
    assert warning.startswith(f"warning: {home.path}/wrappers: its group can change what cron runs, as that of ")
    assert " more (SEC-1); chmod g-w" in warning


def test_sec_01_what_an_install_would_refuse_is_a_warning_of_check(home: Home) -> None:
    home.compile()
    (home.path / "jobs/hello.sh").chmod(0o757)
    answer = home.runner("check")
    assert answer.code == 0
    (fault,) = [line for line in answer.faults if "SEC-1" in line]
    assert fault == (
        f"{home.path}/jobs/hello.sh: warning: can be written by everybody (mode 0757):"
        " who can change it decides what cron runs (SEC-1); chmod o-w"
    )


@pytest.mark.parametrize(("mode", "code"), [(0o644, 2), (0o640, 0), (0o600, 0)])
def test_sec_01_a_secret_that_others_can_read_is_refused(home: Home, mode: int, code: int) -> None:
    secret = home.write("token", "x")
    secret.chmod(mode)
    home.job(f"when: '@daily', secrets: {{TOKEN: 'file:{secret}'}}")
    answer = home.runner("crontab", "install", "--yes")
    assert answer.code == code
    assert (f"{secret}: a secret that can be read by everybody (mode 0644); chmod 600" in answer.err) == (code == 2)
    assert (str(secret) in home.runner("check").out) == (code == 2)


@pytest.mark.parametrize(("name", "mode"), [(".", 0o755), ("locks", 0o750), ("locks/nightly", 0o644), ("logs", 0o711)])
def test_sec_06_a_state_that_others_get_into_is_told_of(home: Home, name: str, mode: int) -> None:
    """SEC-18 also: the lock that another user could open for reading he could take."""
    home.compile()
    make_state(str(home.state))
    (home.state / "locks/nightly").touch(0o600)
    assert "SEC-6" not in home.runner("check").out
    (home.state / name).chmod(mode)
    (fault,) = [line for line in home.runner("check").faults if "SEC-6" in line]
    assert fault.startswith(f"{home.state / name}: warning: is for its owner alone, and has mode {mode:04o} (SEC-6)")
    assert fault.replace(" warning:", "", 1) in home.runner("crontab", "install", "--yes").err


def test_sec_01_a_directory_of_path_and_the_interpreter_of_a_script_are_looked_at(home: Home) -> None:
    for name in ("tools", "shells"):
        (home.path.parent / name).mkdir()
    home.write("../shells/sh", "").chmod(0o777)
    home.script("hello.sh", interpreter=str(home.path.parent / "shells/sh"))
    home.write("envs/local.yaml", f"path: {{append: [{home.path.parent}/tools]}}\n")
    (home.path.parent / "tools").chmod(0o777)
    answer = home.runner("crontab", "install", "--yes")
    assert answer.code == 2
    assert [line.partition(": ")[0] for line in answer.err.splitlines()] == [
        str(home.path.parent / "shells/sh"),
        str(home.path.parent / "tools"),
    ]
