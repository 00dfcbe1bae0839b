"""Compiled output, crontab, cron.d, the daemon, the sweep, permission, root: DIAG002 to 007, 025."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from doctor import diagnose_apart, find, find_one, install, set_age
from homes import Home
from missing import give_up

from runner.home.here import read_user
from runner.launch.installed import change_installed


def test_diag002_is_silent_when_all_is_compiled(home: Home) -> None:
    home.compile()
    assert find(home, "DIAG002") == []


def test_diag002_finds_what_is_stale_and_what_is_superfluous(home: Home) -> None:
    home.compile()
    home.write("jobs/all.yaml", "jobs:\n  hourly: {when: '@daily', run: jobs/hello.sh, profile: local}\n")
    finding = find_one(home, "DIAG002")
    assert finding.level == "error"
    assert "crontab.d/plans/hourly.plan is stale" in finding.evidence
    assert "crontab.d/plans/nightly.plan is superfluous" in finding.evidence


def test_diag003_is_silent_on_a_crontab_as_it_was_installed(home: Home) -> None:
    install(home)
    assert find(home, "DIAG003") == []


def test_diag003_finds_a_crontab_that_was_removed(home: Home) -> None:
    """FAULT-51."""
    install(home)
    home.crontab.table = b""
    finding = find_one(home, "DIAG003")
    assert (finding.level, finding.message.partition(":")[0]) == ("error", "absent")


def test_diag003_finds_an_edited_block_and_foreign_lines_below(home: Home) -> None:
    install(home)
    home.crontab.table = (home.crontab.table or b"").replace(b"\n30 2 ", b"\n31 2 ") + b"1 1 * * * true\n"
    found = {one.message.partition(":")[0]: one.level for one in find(home, "DIAG003")}
    assert found == {"edited": "error", "foreign-below": "warning"}


def test_diag003_finds_a_registry_that_is_ahead_of_the_crontab(home: Home) -> None:
    install(home)
    home.job("when: '@daily'")
    assert find_one(home, "DIAG003").message.startswith("stale: ")


def test_diag003_finds_a_zone_that_is_not_the_targets(home: Home) -> None:
    home.target({"timezone": "Australia/Lord_Howe"})
    assert "cron goes by the zone of this host" in find_one(home, "DIAG003").evidence


def test_diag003_is_a_note_where_nothing_was_ever_installed(home: Home) -> None:
    home.compile()
    assert find_one(home, "DIAG003").level == "note"


@pytest.fixture
def system_file(home: Home) -> Path:
    """Our file of cron.d, installed."""
    if os.geteuid() != 0:
        give_up("needs root")
    home.target({"kind": "cron-d"})
    install(home)
    return home.cron_d / "runner-lab-here"


def test_diag004_is_silent_on_a_file_that_cron_reads(home: Home, system_file: Path) -> None:
    assert find(home, "DIAG004") == []


@pytest.mark.parametrize(
    ("harm", "why"),
    [
        (lambda file: file.rename(file.with_name("runner-lab-here.old")), "its name is runner-lab-here.old"),
        (lambda file: file.chmod(0o664), "its mode is 0664, not 0644"),
        (lambda file: os.chown(file, 1, -1), "its owner is uid 1, not root"),
        (lambda file: (file.rename(f"{file}.x"), file.symlink_to("nowhere"), Path(f"{file}.x").unlink()), "a symbolic"),
        (lambda file: file.with_name("other").hardlink_to(file), "it has 2 hard links"),
    ],
    ids=["dot in its name", "group-writable", "not root's", "bad link", "hard link"],
)
def test_diag004_finds_why_cron_ignores_a_file(home: Home, system_file: Path, harm: object, why: str) -> None:
    """FAULT-50."""
    assert callable(harm)
    harm(system_file)
    messages = [one.message for one in find(home, "DIAG004")]
    assert any("cron ignores this file because " in message and why in message for message in messages), messages


@contextmanager
def daemon(directory: Path) -> Iterator[None]:
    """Have a process that is called cron, of this user."""
    program = directory / "cron"
    shutil.copy(shutil.which("sleep") or "/bin/sleep", program)
    process = subprocess.Popen([program, "600"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def test_diag005_is_silent_while_a_daemon_of_roots_runs(home: Home, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        give_up("needs root")
    install(home)
    set_age(home.state / "sweep.alive", 3600)
    with daemon(tmp_path):
        assert find(home, "DIAG005") == []


def test_diag005_finds_that_no_daemon_runs(home: Home) -> None:
    install(home)
    set_age(home.state / "sweep.alive", 3600)
    (found,) = diagnose_apart(home, "DIAG005", "", "-p", "--fork", "--mount-proc")
    assert found["level"] == "error"


def test_diag005_knows_a_daemon_that_it_cannot_see_by_its_deeds(home: Home) -> None:
    install(home)
    set_age(home.state / "sweep.alive", 50)
    assert diagnose_apart(home, "DIAG005", "", "-p", "--fork", "--mount-proc") == []


def test_diag006_is_silent_while_the_sweep_comes(home: Home) -> None:
    install(home)
    command = [home.path / "wrappers/run-job", "--sweep"]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    assert find(home, "DIAG006") == []


def test_diag006_finds_that_no_sweep_has_come(home: Home) -> None:
    """FAULT-51: whoever took the crontab away took the sweep away, too."""
    install(home)
    set_age(home.state / "sweep.alive", 3600)
    finding = find_one(home, "DIAG006")
    assert finding.level == "error"
    assert "for 60 min" in finding.message
    assert f"(chage -l {read_user()})" in finding.hint


def test_diag006_asks_for_no_sweep_where_nothing_is_installed(home: Home) -> None:
    home.compile()
    assert find(home, "DIAG006") == []


@pytest.mark.parametrize(("allow", "deny"), [(None, None), ("al\nnobody\n", "nobody\n"), (None, "al\n")])
def test_diag007_is_silent_where_the_user_may(home: Home, tmp_path: Path, allow: str | None, deny: str | None) -> None:
    assert _ask_permission(home, tmp_path, allow, deny) == []


@pytest.mark.parametrize(("allow", "deny"), [("al\n", None), ("", None), (None, "al\nnobody\n")])
def test_diag007_finds_who_may_not(home: Home, tmp_path: Path, allow: str | None, deny: str | None) -> None:
    (finding,) = _ask_permission(home, tmp_path, allow, deny)
    assert finding.message.startswith("nobody may not keep a crontab")


def test_diag007_roots_jobs_need_no_permission(home: Home, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        give_up("needs root")
    (tmp_path / "cron.allow").write_text("al\n")
    assert find(home, "DIAG007", etc=tmp_path) == []


def _ask_permission(home: Home, etc: Path, allow: str | None, deny: str | None) -> list[object]:
    """Ask for the user nobody, whoever runs the tests."""
    from dataclasses import replace

    from runner.home.settings import find_main_target

    for name, text in (("cron.allow", allow), ("cron.deny", deny)):
        if text is not None:
            (etc / name).write_text(text)
    return list(find(home, "DIAG007", etc=etc, target=replace(find_main_target(), user="nobody")))


def test_diag025_is_silent_for_a_service_account(home: Home) -> None:
    home.target({"user": "nobody"})
    assert find(home, "DIAG025") == []


def test_diag025_finds_jobs_of_root(home: Home) -> None:
    """SEC-2."""
    if os.geteuid() != 0:
        give_up("needs root")
    install(home)
    assert find_one(home, "DIAG025").level == "warning"
    change_installed(str(home.state), lambda _: {})
    assert find(home, "DIAG025") == []


def test_findings_of_the_crontab_need_a_target_of_this_host(home: Home) -> None:
    """A developer's clone has nothing in a crontab."""
    home.target({"hosts": "[elsewhere]"})
    home.compile()
    names = ["DIAG003", "DIAG004", "DIAG005", "DIAG007", "DIAG018"]
    assert [one for name in names for one in find(home, name)] == []
