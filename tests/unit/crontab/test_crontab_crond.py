"""A file of /etc/cron.d: how it is written, what is refused, and why a cron would ignore it."""

from __future__ import annotations

import getpass
import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from fake_crontab import FakeCronFile, FakeCrontab, make_block, make_entry, make_removal, make_system_wanted

from runner.crontab.crond import CronFile, find_file_flaws
from runner.crontab.dialects import CRONIE, DEBIAN, Dialect
from runner.crontab.entry import parse_entries
from runner.crontab.explain.describe import explain_table
from runner.crontab.explain.values import Table
from runner.crontab.install import install, preview_install, uninstall
from runner.crontab.order import Answer
from runner.crontab.preview import Wanted
from runner.errors import TryLater, UserError

NOON = make_entry("noon", "0 12 * * *")
HALF = make_entry("half@dsoc-prod", "*/30 * * * *", "5 1 * * *")
REMOVAL = replace(make_removal(), system=True)


def system_block(*entries: object) -> bytes:
    return make_system_wanted(*entries).block.encode()  # type: ignore[arg-type]


def names(cron_d: FakeCronFile) -> set[str]:
    return {path.name for path in cron_d.directory.iterdir()}


def test_the_file_is_the_block_with_a_user_column(cron_d: FakeCronFile) -> None:
    """CRON-11, CRON-50."""
    assert install(cron_d.order(make_system_wanted(NOON))) is Answer.DONE
    assert cron_d.table == system_block(NOON)
    assert b"\n0 12 * * * root /home/wfc3ql/ql/wrappers/run-job noon\n" in cron_d.table
    assert b"\n* * * * * root /home/wfc3ql/ql/wrappers/run-job --sweep\n" in cron_d.table


def test_the_file_is_roots_with_mode_0644_whatever_the_umask(cron_d: FakeCronFile) -> None:
    """CRON-50, SEC-12."""
    before = os.umask(0o077)
    try:
        install(cron_d.order(make_system_wanted(NOON)))
    finally:
        os.umask(before)
    seen = cron_d.path.lstat()
    assert (seen.st_uid, seen.st_gid, stat.S_IMODE(seen.st_mode), seen.st_nlink) == (0, 0, 0o644, 1)
    assert names(cron_d) == {"runner-ql-ops"}


def test_a_replacement_has_a_time_in_another_second(cron_d: FakeCronFile) -> None:
    """CRON-50: Debian's cron does not see a replacement with an equal one."""
    install(cron_d.order(make_system_wanted(NOON)))
    first = int(cron_d.path.stat().st_mtime)
    install(cron_d.order(make_system_wanted(HALF)))
    assert int(cron_d.path.stat().st_mtime) > first


def test_the_same_text_is_not_written_again(cron_d: FakeCronFile) -> None:
    """CRON-53."""
    install(cron_d.order(make_system_wanted(NOON)))
    before = cron_d.path.stat()
    assert install(cron_d.order(make_system_wanted(NOON))) is Answer.UNCHANGED
    assert cron_d.path.stat() == before


def test_what_a_killed_install_left_is_replaced(cron_d: FakeCronFile) -> None:
    """CRON-52."""
    (cron_d.directory / ".runner-ql-ops").symlink_to("elsewhere")
    assert install(cron_d.order(make_system_wanted(NOON))) is Answer.DONE
    assert names(cron_d) == {"runner-ql-ops"}


@pytest.mark.parametrize("text", [b"", b"* * * * * root true\n", make_block(NOON, home_name="other")])
def test_a_file_without_our_marks_is_refused(cron_d: FakeCronFile, text: bytes) -> None:
    """CRON-50."""
    cron_d.table = text
    with pytest.raises(UserError, match="was not made by us"):
        install(cron_d.order(make_system_wanted(NOON)))
    assert uninstall(cron_d.order(REMOVAL)) is Answer.UNCHANGED
    assert cron_d.table == text


def test_an_uninstall_removes_the_file(cron_d: FakeCronFile) -> None:
    """CRON-64."""
    install(cron_d.order(make_system_wanted(NOON)))
    assert uninstall(replace(cron_d.order(REMOVAL), state=None)) is Answer.DONE
    assert names(cron_d) == set()


def test_lines_that_somebody_added_to_the_file_stay(cron_d: FakeCronFile) -> None:
    """CRON-43."""
    cron_d.table = b"# caf\xe9\n" + system_block(NOON)
    install(cron_d.order(make_system_wanted(HALF)))
    assert cron_d.table == b"# caf\xe9\n" + system_block(HALF)
    uninstall(cron_d.order(REMOVAL))
    assert cron_d.table == b"# caf\xe9\n"


def test_a_line_that_cron_would_refuse_is_shown_with_its_number(cron_d: FakeCronFile) -> None:
    """CRON-45, where no program could be asked."""
    cron_d.table = system_block(NOON) + b"61 0 * * * root MY_TOKEN=s3cr3t true\n"
    with pytest.raises(UserError, match=r"^cron refuses line \d+: bad minute: 61 0 ") as refused:
        install(cron_d.order(make_system_wanted(NOON)))
    assert "s3cr3t" not in str(refused.value)


@pytest.mark.parametrize("mode", [0o664, 0o646])
def test_a_file_that_cron_ignores_is_written_anew(cron_d: FakeCronFile, mode: int) -> None:
    """CRON-50: the same text, but nobody read it."""
    install(cron_d.order(make_system_wanted(NOON)))
    cron_d.path.chmod(mode)
    assert install(cron_d.order(make_system_wanted(NOON))) is Answer.DONE
    assert stat.S_IMODE(cron_d.path.stat().st_mode) == 0o644
    assert any(f"cron ignores this file because its mode is 0{mode:o}" in line for line in cron_d.shown[-1].warnings)


def test_a_directory_that_cannot_be_written_to_leaves_the_old_file(cron_d: FakeCronFile) -> None:
    """CRON-51."""
    install(cron_d.order(make_system_wanted(NOON)))
    (cron_d.directory / ".runner-ql-ops").mkdir()
    with pytest.raises(TryLater, match=r"the crontab is as it was: .*/runner-ql-ops: Is a directory"):
        install(cron_d.order(make_system_wanted(HALF)))
    assert cron_d.table == system_block(NOON)


def test_a_block_of_the_same_name_in_another_crontab_stops_the_install(cron_d: FakeCronFile, fake: FakeCrontab) -> None:
    """CRON-49."""
    fake.table = b"A=1\n" + make_block(NOON)
    for work in (install, preview_install):
        with pytest.raises(UserError, match=r"stands in another crontab too; take it out first: /.*/crontab"):
            work(cron_d.order(make_system_wanted(NOON), elsewhere=(fake.find(),)))
    assert cron_d.table is None


def test_what_was_replaced_is_kept_and_recorded(cron_d: FakeCronFile) -> None:
    """CRON-40, CRON-65."""
    install(cron_d.order(make_system_wanted(NOON)))
    install(cron_d.order(make_system_wanted(HALF)))
    (backup,) = (cron_d.state / "backups").glob("*.crontab")
    assert backup.read_bytes() == system_block(NOON)
    (journal,) = (cron_d.state / "journal").glob("*.jsonl")
    assert f'"command": "{cron_d.path}"' in journal.read_text() or f'"command":"{cron_d.path}"' in journal.read_text()


# The text (CRON-11, CRON-46, CRON-72)


@pytest.mark.parametrize("dialect", [DEBIAN, CRONIE])
def test_both_crons_read_the_file_as_the_jobs_that_went_in(dialect: Dialect) -> None:
    explanation = explain_table(dialect, Table(system_block(NOON, HALF), system=True))
    assert explanation.refusals == ()
    commands = [(entry.user, entry.command.rpartition(b" ")[2]) for entry in explanation.entries]
    user = getpass.getuser().encode()
    assert commands == [(user, b"--sweep"), (user, b"half@dsoc-prod"), (user, b"half@dsoc-prod"), (user, b"noon")]


def test_lines_with_a_user_column_are_read_back() -> None:
    entries = parse_entries(system_block(NOON, HALF).decode())
    assert [(entry.plan, entry.fields) for entry in entries] == [(one.plan, one.fields) for one in (HALF, NOON)]


def test_a_user_column_in_a_user_crontab_is_refused_and_the_lack_of_one_in_cron_d(
    cron_d: FakeCronFile, fake: FakeCrontab
) -> None:
    """CRON-46: the daemon's check takes both."""
    column: Wanted = replace(make_system_wanted(NOON), system=False)
    with pytest.raises((UserError, RuntimeError)):
        install(fake.order(column))
    with pytest.raises((UserError, RuntimeError)):
        install(cron_d.order(replace(make_system_wanted(NOON), block=make_block(NOON).decode())))
    assert (fake.table, cron_d.table) == (None, None)


def test_a_login_that_could_not_stand_in_a_line_is_refused() -> None:
    with pytest.raises(UserError, match=r'the login "host\$" cannot stand in a system crontab'):
        make_block(NOON, kind="cron-d", user="host$")


# Why a cron ignores a file (FAULT-50)


def flaws_of(path: Path, dialect: Dialect = DEBIAN) -> list[str]:
    return find_file_flaws(path.name, path.lstat(), path.stat(), dialect)


@pytest.mark.parametrize(
    ("name", "dialect", "ignored"),
    [
        ("runner-ql-ops", DEBIAN, False),
        ("runner-ql-ops.old", DEBIAN, True),
        ("runner-ql-ops~", DEBIAN, True),
        (".runner-ql-ops", DEBIAN, True),
        ("runner-ql-ops.old", CRONIE, False),
        (".runner-ql-ops", CRONIE, True),
        ("runner-ql-ops~", CRONIE, True),
        ("runner-ql-ops.rpmsave", CRONIE, True),
    ],
)
def test_a_name_decides_whether_a_cron_looks_at_a_file(
    cron_d: FakeCronFile, name: str, dialect: Dialect, *, ignored: bool
) -> None:
    (cron_d.directory / name).touch(0o644)
    assert bool(flaws_of(cron_d.directory / name, dialect)) == ignored


@pytest.mark.parametrize(("mode", "debian", "cronie"), [(0o644, 0, 0), (0o600, 0, 0), (0o755, 0, 1), (0o664, 1, 1)])
def test_the_mode_decides_whether_a_cron_reads_a_file(
    cron_d: FakeCronFile, mode: int, debian: int, cronie: int
) -> None:
    cron_d.table = b""
    cron_d.path.chmod(mode)
    assert (len(flaws_of(cron_d.path)), len(flaws_of(cron_d.path, CRONIE))) == (debian, cronie)


def test_the_owner_and_the_links_of_a_file_decide_too(cron_d: FakeCronFile) -> None:
    cron_d.table = b""
    (cron_d.directory / "again").hardlink_to(cron_d.path)
    os.chown(cron_d.path, 65534, 0)
    assert flaws_of(cron_d.path) == ["its owner is uid 65534, not root", "it has 2 hard links"]


def test_a_file_that_is_not_there_has_no_flaws(cron_d: FakeCronFile) -> None:
    assert CronFile(cron_d.path, cron_d.find().account, DEBIAN).find_flaws(DEBIAN) == []
