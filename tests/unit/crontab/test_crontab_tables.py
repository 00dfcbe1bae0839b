"""The crontab(1) edge, against programs that behave and programs that do not."""

from __future__ import annotations

import getpass
import os
from pathlib import Path

import pytest
from fake_crontab import FakeCrontab

from runner.crontab.dialects import CRONIE, DEBIAN
from runner.crontab.tables import find_crontab, find_mail_warnings
from runner.errors import TryLater, UserError

ODD = b"\tFOO = bar\r\n# caf\xe9 %\n\x00\n0 0 * * * true"


def test_a_table_is_read_as_it_was_written(fake: FakeCrontab):
    """CRON-43."""
    assert fake.find().write(ODD) == ""
    assert fake.find().read() == fake.table == ODD


def test_no_crontab_is_none_and_an_empty_one_is_empty(fake: FakeCrontab):
    """CRON-41."""
    assert fake.find().read() is None
    fake.table = b""
    assert fake.find().read() == b""


@pytest.mark.parametrize(
    "message",
    [
        "You (al) are not allowed to use this program (crontab)",
        "/var/spool/cron/crontabs/al: Permission denied",
        "crontabs/al: Input/output error",
        "cannot say: no crontab for al",
        "kein crontab for al",
        "",
    ],
)
def test_a_failure_to_list_is_never_taken_for_an_empty_crontab(fake: FakeCrontab, message: str):
    """CRON-41, FAULT-45."""
    fake.fail("-l", message)
    with pytest.raises(TryLater, match="cannot read the crontab"):
        fake.find().read()


def test_another_exit_code_than_1_is_no_empty_crontab(fake: FakeCrontab):
    """CRON-41."""
    fake.replace("#!/bin/sh\necho 'no crontab for al' >&2\nexit 2\n")
    with pytest.raises(TryLater):
        fake.find().read()


def test_a_listing_that_was_killed_half_way_is_no_crontab(fake: FakeCrontab):
    fake.replace("#!/bin/sh\necho A=1\nkill -9 $$\n")
    with pytest.raises(TryLater):
        fake.find().read()


def test_the_program_gets_a_clean_environment(fake: FakeCrontab, monkeypatch: pytest.MonkeyPatch):
    """CRON-42."""
    monkeypatch.setenv("CRONTAB_NOHEADER", "N")
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")
    fake.find().read()
    environment = (fake.directory / "environment").read_text().splitlines()
    assert "LC_ALL=C" in environment
    assert {line.partition("=")[0] for line in environment} <= {"LC_ALL", "PATH", "PWD", "SHLVL", "_", "OLDPWD"}


def test_the_first_crontab_on_the_path_of_the_caller_is_taken(fake: FakeCrontab, tmp_path: Path):
    """CRON-42."""
    path = f"{tmp_path}:{fake.directory}:/usr/bin"
    assert find_crontab(getpass.getuser(), {"PATH": path}).program == str(fake.directory / "crontab")


def test_a_host_without_crontab_is_the_sites_trouble(tmp_path: Path):
    with pytest.raises(TryLater, match="no program crontab"):
        find_crontab(getpass.getuser(), {"PATH": str(tmp_path)})


@pytest.mark.skipif(os.geteuid() != 0, reason="root")
def test_root_keeps_the_crontab_of_another_user_by_name(fake: FakeCrontab):
    """SEC-13."""
    crontab = find_crontab("nobody", {"PATH": f"{fake.directory}:{os.environ['PATH']}"})
    crontab.read()
    crontab.write(b"")
    assert fake.calls[0] == "-u nobody -l"
    assert fake.calls[1].startswith("-u nobody /")


@pytest.mark.skipif(os.geteuid() == 0, reason="a plain user")
def test_a_plain_user_keeps_no_crontab_but_his_own(fake: FakeCrontab):
    with pytest.raises(UserError, match="only root"):
        find_crontab("root", {"PATH": str(fake.directory)})


def test_cronie_is_told_from_debian_by_its_version(fake: FakeCrontab):
    """CRON-45."""
    assert fake.find().read_dialect() is DEBIAN
    fake.replace("#!/bin/sh\necho cronie 1.7.2\n")
    assert fake.find().read_dialect() is CRONIE


def test_cronies_check_is_asked_by_its_own_option(fake: FakeCrontab):
    """CRON-45: -n of cronie would choose the host of a cluster."""
    fake.replace('#!/bin/sh\n[ "$1" = -T ] && echo "\\"$2\\":1: bad minute" >&2\nexit 1\n')
    verdict = fake.find().check(CRONIE, b"61 * * * * true\n")
    assert verdict.asked
    assert verdict.refusal is not None


def test_a_crontab_without_a_check_is_not_asked(fake: FakeCrontab):
    """CRON-45."""
    fake.fail("-n", "crontab: illegal option -- n\nusage: crontab [-u user] file\n")
    assert not fake.find().check(DEBIAN, b"").asked


def test_a_check_that_fails_for_another_reason_decides_nothing(fake: FakeCrontab):
    fake.fail("-n", "You (al) are not allowed to use this program (crontab)\n")
    with pytest.raises(TryLater, match="not allowed"):
        fake.find().check(DEBIAN, b"")


def test_debians_own_check_accepts_and_refuses(debian_crontab: str):
    """CRON-45, on the real program."""
    crontab = find_crontab(getpass.getuser(), os.environ)
    assert crontab.check(DEBIAN, b"0 0 * * * true\n").refusal is None
    refusal = crontab.check(DEBIAN, b"A=1\n61 * * * * true\n").refusal
    assert refusal is not None
    assert 2 in refusal.near_lines


def test_a_host_without_sendmail_is_a_warning(tmp_path: Path):
    """CRON-27."""
    assert len(find_mail_warnings(tmp_path / "sendmail")) == 1
    (tmp_path / "sendmail").touch()
    assert find_mail_warnings(tmp_path / "sendmail") == []
