"""Installing and uninstalling, step by step, against a ``crontab`` that keeps its table in a file."""

from __future__ import annotations

import json
import pwd
from dataclasses import replace
from pathlib import Path

import pytest
from fake_crontab import NOW, FakeCrontab, make_block, make_entry, make_removal, make_wanted

from runner.crontab.account import LOCK
from runner.crontab.install import install, preview_install, uninstall
from runner.crontab.order import Answer
from runner.errors import TryLater, UserError

NOON = make_entry("noon", "0 12 * * *")
HALF = make_entry("half", "*/30 * * * *")
OLD = b"A=1\n0 0 * * * true\n"


def audit(fake: FakeCrontab) -> list[dict[str, object]]:
    files = (fake.directory / "state/journal").glob("*.jsonl")
    return [json.loads(line) for file in files for line in file.read_text().splitlines() if line]


def backups(fake: FakeCrontab) -> list[Path]:
    return sorted((fake.directory / "state/backups").glob("*.crontab"))


def test_an_install_puts_the_block_below_the_foreign_lines(fake: FakeCrontab):
    fake.table = OLD
    assert install(fake.order(make_wanted(NOON))) is Answer.DONE
    assert fake.table == OLD + make_block(NOON)


def test_a_crontab_that_the_install_made_is_removed_again(fake: FakeCrontab):
    """CRON-64."""
    install(fake.order(make_wanted(NOON)))
    install(fake.order(make_wanted(HALF)))
    uninstall(fake.order(make_removal()))
    assert fake.table is None
    assert fake.writes[-1] == "-r"


def test_an_empty_crontab_that_was_there_before_stays(fake: FakeCrontab):
    """CRON-64."""
    fake.table = b""
    install(fake.order(make_wanted(NOON)))
    uninstall(fake.order(make_removal()))
    assert fake.table == b""


def test_uninstall_needs_nothing_but_the_crontab(fake: FakeCrontab):
    """CRON-64."""
    fake.table = OLD + make_block(NOON)
    order = replace(fake.order(make_removal()), state=None)
    assert uninstall(order) is Answer.DONE
    assert fake.table == OLD
    assert not (fake.directory / "state").exists()


def test_uninstall_works_also_for_an_account_without_home_and_state(fake: FakeCrontab):
    """CRON-64."""
    fake.table = OLD + make_block(NOON)
    order = replace(fake.order(make_removal()), state=None)
    homeless = pwd.struct_passwd((*order.crontab.account[:5], "/nonexistent", "/bin/sh"))
    crontab = replace(fake.find(), account=homeless)
    assert uninstall(replace(order, crontab=crontab)) is Answer.DONE
    assert fake.table == OLD


def test_uninstall_without_a_block_writes_nothing(fake: FakeCrontab):
    """CRON-64."""
    fake.table = OLD
    assert uninstall(fake.order(make_removal())) is Answer.UNCHANGED
    assert fake.writes == []


def test_an_install_that_changes_nothing_writes_nothing(fake: FakeCrontab):
    """CRON-53."""
    fake.table = OLD + make_block(NOON)
    assert install(fake.order(make_wanted(NOON))) is Answer.UNCHANGED
    assert fake.writes == []
    assert backups(fake) == []


def test_a_dry_run_ends_after_the_diff(fake: FakeCrontab):
    """CRON-40."""
    fake.table = OLD
    assert install(fake.order(make_wanted(NOON), dry_run=True)) is Answer.SHOWN
    assert fake.shown[0].changed
    assert (fake.writes, fake.table) == ([], OLD)
    assert not (fake.directory / "state").exists()


def test_a_person_may_say_no_to_what_was_shown(fake: FakeCrontab):
    """CRON-40."""
    fake.table = OLD
    assert install(fake.order(make_wanted(NOON), confirm=lambda preview: False)) is Answer.DECLINED
    assert (fake.writes, fake.table) == ([], OLD)


def test_a_preview_reads_and_writes_nothing(fake: FakeCrontab):
    fake.table = OLD
    preview = preview_install(fake.order(make_wanted(NOON)))
    assert preview.new == OLD + make_block(NOON)
    assert fake.calls == ["-l", "-V"]


def test_the_replaced_text_is_kept_private(fake: FakeCrontab):
    """CRON-65."""
    fake.table = OLD
    install(fake.order(make_wanted(NOON)))
    (backup,) = backups(fake)
    assert backup.read_bytes() == OLD
    assert backup.stat().st_mode & 0o777 == 0o600


def test_the_last_ten_replaced_texts_are_kept(fake: FakeCrontab):
    """CRON-65."""
    for number in range(13):
        order = fake.order(make_wanted(make_entry("a", f"{number} 1 * * *")))
        install(replace(order, now=NOW + number))
    assert len(backups(fake)) == 10
    assert b"\n11 1 * * * " in backups(fake)[-1].read_bytes()


def test_who_changed_what_is_recorded(fake: FakeCrontab, monkeypatch: pytest.MonkeyPatch):
    """CRON-40."""
    monkeypatch.setenv("SUDO_USER", "al")
    fake.table = b"API_TOKEN=s3cr3t\n"
    install(fake.order(make_wanted(NOON)))
    (event,) = audit(fake)
    assert (event["action"], event["sudo_user"]) == ("crontab install", "al")
    assert "+0 12 * * * " in str(event["detail"])
    assert "s3cr3t" not in str(event)


def test_a_line_without_a_plan_is_not_installed(fake: FakeCrontab, tmp_path: Path):
    """CRON-54."""
    plans = tmp_path / "home/crontab.d/plans"
    plans.mkdir(parents=True)
    (plans / "noon.plan").touch()
    assert install(fake.order(make_wanted(NOON), home=tmp_path / "home")) is Answer.DONE
    with pytest.raises(UserError, match=r'for half; see jobs/, then run "runner compile"'):
        install(fake.order(make_wanted(NOON, HALF), home=tmp_path / "home"))
    assert fake.table == make_block(NOON)


def test_a_foreign_line_that_the_daemon_refuses_is_shown_with_its_number(fake: FakeCrontab, debian_crontab: str):
    """CRON-45, with the real check of Debian."""
    fake.change("-n) ;;", f'-n) exec {debian_crontab} -n "$2" ;;')
    fake.table = make_block(HALF) + b"A=1\n61 0 * * * MY_TOKEN=s3cr3t true\nB=2\n"
    lines = len(make_block(HALF).splitlines()) + 2
    with pytest.raises(UserError, match=f"refuses line {lines}: bad minute: 61 0 ") as refused:
        install(fake.order(make_wanted(NOON)))
    assert "s3cr3t" not in str(refused.value)
    assert fake.writes == []


def test_a_crontab_without_a_check_of_its_own_is_said_so(fake: FakeCrontab):
    """CRON-45."""
    fake.fail("-n", "crontab: illegal option -- n\n")
    assert install(fake.order(make_wanted(NOON))) is Answer.DONE
    assert any("has no check of its own" in warning for warning in fake.shown[0].warnings)


def test_a_foreign_line_is_refused_with_its_number_also_where_the_daemon_cannot_be_asked(fake: FakeCrontab):
    """CRON-45."""
    fake.fail("-n", "crontab: illegal option -- n\n")
    fake.table = b"A=1\n61 0 * * * true\n"
    with pytest.raises(UserError, match="refuses line 2: bad minute: 61 0 "):
        install(fake.order(make_wanted(NOON)))
    assert fake.writes == []


def test_a_write_that_went_wrong_is_undone(fake: FakeCrontab):
    """CRON-51: a program that loses the last line."""
    fake.table = OLD
    spoil = 'grep -q noon "$1" && { sed -i "\\$d" "$1"; }; cp "$1"'
    fake.change('cp "$1"', spoil)
    with pytest.raises(TryLater, match="as it was: what was read back"):
        install(fake.order(make_wanted(NOON)))
    assert fake.table == OLD


def test_a_write_that_failed_says_why_and_changed_nothing(fake: FakeCrontab):
    """CRON-51."""
    fake.table = OLD
    fake.change('cp "$1"', 'echo "spool: No space left on device" >&2; exit 1; cp "$1"')
    with pytest.raises(TryLater, match=r"as it was: .*No space left on device"):
        install(fake.order(make_wanted(NOON)))
    assert fake.table == OLD


def test_a_failed_first_install_leaves_no_crontab(fake: FakeCrontab):
    """CRON-51: there was none to put back."""
    fake.change('cp "$1"', 'echo "# half" >"$here/table"; exit 1; cp "$1"')
    with pytest.raises(TryLater):
        install(fake.order(make_wanted(NOON)))
    assert fake.table is None


def test_a_crontab_that_can_neither_be_written_nor_put_back_is_said_where_it_is_kept(fake: FakeCrontab):
    fake.table = OLD
    fake.change('cp "$1" "$here/table"', 'echo "# half" >"$here/table"')
    with pytest.raises(TryLater, match=r"neither what it was nor what was meant.*is kept in ") as lost:
        install(fake.order(make_wanted(NOON)))
    assert Path(str(lost.value).rpartition(" ")[2]).read_bytes() == OLD


def test_a_state_that_cannot_be_written_stops_the_install(fake: FakeCrontab):
    (fake.directory / "state").write_text("a file")
    with pytest.raises(TryLater, match="no backup can be kept, nothing was changed"):
        install(fake.order(make_wanted(NOON)))
    assert fake.writes == []


def test_a_lock_that_cannot_be_had_stops_everything(fake: FakeCrontab, tmp_path: Path):
    """CRON-47."""
    (tmp_path / LOCK).mkdir()
    with pytest.raises(TryLater, match="cannot lock"):
        install(fake.order(make_wanted(NOON)))
    assert fake.calls == []
