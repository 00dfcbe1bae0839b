"""Crontabs of twenty years, programs that fail, kills and editors: the foreign lines stay what they were."""

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import pytest
from fake_crontab import (
    FakeCronFile,
    FakeCrontab,
    make_block,
    make_cron_d,
    make_entry,
    make_fake_crontab,
    make_removal,
    make_system_wanted,
    make_wanted,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.crontab import crond
from runner.crontab.account import take_lock
from runner.crontab.crond import find_file_flaws
from runner.crontab.dialects import CRONIE, DEBIAN
from runner.crontab.install import (
    INSTALL,
    ROLLBACK,
    UNINSTALL,
    install,
    preview_install,
    read_again,
    roll_back,
    run_steps,
    uninstall,
)
from runner.crontab.order import Answer, Order, Progress
from runner.errors import TryLater

NOON = make_entry("noon", "0 12 * * *")
HALF = make_entry("half", "*/30 * * * *")
OLD = b"A=1\n0 0 * * * true\n"
NEW = OLD + make_block(NOON)
SYSTEM_OLD = make_system_wanted(NOON).block.encode()
SYSTEM_NEW = make_system_wanted(HALF).block.encode()
ODD_LINES = (
    b"# caf\xe9 %d\n",
    b"FOO%d = bar\n",
    b"\t%d 5\t* * *  date +%%Y%%m%%dhello\n",
    b"%d 6 * * * true\r\n",
    b"0 0 * * * printf 'x\\r%d' \\\n",
)
ODD = b"".join(ODD_LINES[number % 5] % (number % 60) for number in range(500))


@pytest.fixture
def fake(tmp_path: Path) -> FakeCrontab:
    return make_fake_crontab(tmp_path / "bin")


def test_fault_44_five_hundred_odd_lines_survive_install_and_uninstall(fake: FakeCrontab) -> None:
    fake.table = ODD
    install(fake.order(make_wanted(NOON, HALF)))
    assert fake.table == ODD + make_block(NOON, HALF)
    uninstall(fake.order(make_removal()))
    assert fake.table == ODD


def test_fault_44_a_missing_final_newline_is_added_and_stays(fake: FakeCrontab) -> None:
    fake.table = ODD + b"0 0 * * * true"
    install(fake.order(make_wanted(NOON)))
    assert any("no newline" in warning for warning in fake.shown[0].warnings)
    uninstall(fake.order(make_removal()))
    assert fake.table == ODD + b"0 0 * * * true\n"


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_fault_44_any_bytes_survive(fake: FakeCrontab, foreign: bytes) -> None:
    fake.table = foreign
    install(fake.order(make_wanted(NOON)))
    uninstall(fake.order(make_removal()))
    assert fake.table in (foreign, foreign + b"\n")


@pytest.mark.parametrize(
    "message",
    [
        "You (al) are not allowed to use this program (crontab)\n",
        "crontabs/al/: fopen: Permission denied\n",
        "crontabs/al/: fopen: Input/output error\n",
        "cannot say: no crontab for al\n",
        "",
    ],
)
@pytest.mark.parametrize("work", [install, uninstall])
def test_fault_45_a_failing_list_is_no_empty_crontab(
    fake: FakeCrontab, work: Callable[[Order], Answer], message: str
) -> None:
    fake.table = OLD
    fake.fail("-l", message)
    with pytest.raises(TryLater) as failed:
        work(fake.order(make_wanted(NOON)))
    assert failed.value.exit_code == 75
    assert (fake.writes, fake.table) == ([], OLD)


def test_fault_45_a_preview_of_what_cannot_be_read_is_none(fake: FakeCrontab) -> None:
    fake.fail("-l", "crontabs/al/: fopen: Permission denied\n")
    with pytest.raises(TryLater):
        preview_install(fake.order(make_wanted(NOON)))


def test_fault_45_a_file_of_cron_d_that_cannot_be_read_is_no_empty_one(tmp_path: Path) -> None:
    cron_d = make_cron_d(tmp_path)
    cron_d.path.mkdir()
    with pytest.raises(TryLater, match=r"cannot read the crontab; .*/runner-ql-ops: Is a directory"):
        install(cron_d.order(make_system_wanted(NOON)))
    assert list(cron_d.path.iterdir()) == []


def kill(progress: Progress) -> Progress:
    os.kill(os.getpid(), 9)
    return progress


@pytest.mark.parametrize("steps", range(len(INSTALL) + 1))
def test_fault_46_an_install_killed_between_two_steps_leaves_one_crontab_and_no_lock(
    fake: FakeCrontab, tmp_path: Path, steps: int
) -> None:
    fake.table = OLD
    die_in(lambda: run_steps((*INSTALL[:steps], kill), Progress(fake.order(make_wanted(NOON)))))
    assert fake.table in (OLD, NEW)
    os.close(take_lock(tmp_path, wait_s=0))
    assert install(fake.order(make_wanted(NOON))) in (Answer.DONE, Answer.UNCHANGED)
    assert fake.table == NEW


@pytest.mark.parametrize("steps", range(len(ROLLBACK) + 1))
def test_fault_46_a_rollback_killed_between_two_steps_leaves_one_crontab(fake: FakeCrontab, steps: int) -> None:
    fake.table = OLD + make_block(HALF)
    die_in(lambda: run_steps((*ROLLBACK[:steps], kill), Progress(fake.order(make_wanted(NOON)))))
    assert fake.table in (OLD + make_block(HALF), NEW)
    roll_back(fake.order(make_wanted(NOON)))
    assert fake.table == NEW


@pytest.mark.parametrize("steps", range(len(UNINSTALL) + 1))
def test_fault_46_an_uninstall_killed_between_two_steps_leaves_one_crontab(fake: FakeCrontab, steps: int) -> None:
    fake.table = NEW
    die_in(lambda: run_steps((*UNINSTALL[:steps], kill), Progress(fake.order(make_removal()))))
    assert fake.table in (OLD, NEW)
    uninstall(fake.order(make_removal()))
    assert fake.table == OLD


@pytest.mark.parametrize("steps", range(len(INSTALL) + 1))
def test_fault_46_an_install_into_cron_d_killed_between_two_steps_leaves_one_file(tmp_path: Path, steps: int) -> None:
    cron_d = make_cron_d(tmp_path)
    install(cron_d.order(make_system_wanted(NOON)))
    die_in(lambda: run_steps((*INSTALL[:steps], kill), Progress(cron_d.order(make_system_wanted(HALF)))))
    check_one_file(cron_d)
    assert install(cron_d.order(make_system_wanted(HALF))) in (Answer.DONE, Answer.UNCHANGED)
    assert cron_d.table == SYSTEM_NEW


def test_fault_46_a_write_into_cron_d_killed_at_every_call_leaves_one_file(tmp_path: Path) -> None:
    cron_d = make_cron_d(tmp_path)
    install(cron_d.order(make_system_wanted(NOON)))
    calls = 0
    while cron_d.table == SYSTEM_OLD:
        calls += 1
        die_in(lambda: cron_d.find().write(SYSTEM_NEW), calls)
        check_one_file(cron_d)
    assert calls > 8
    assert install(cron_d.order(make_system_wanted(HALF))) is Answer.UNCHANGED


def check_one_file(cron_d: FakeCronFile) -> None:
    """See that cron would read the old file or the new one, whole, and nothing else."""
    assert cron_d.table in (SYSTEM_OLD, SYSTEM_NEW)
    assert cron_d.find().find_flaws(DEBIAN) == []
    others = {path for path in cron_d.directory.iterdir() if path != cron_d.path}
    for dialect in (DEBIAN, CRONIE):
        assert [path for path in others if not find_file_flaws(path.name, path.lstat(), path.stat(), dialect)] == []
    os.close(take_lock(cron_d.directory.parent, wait_s=0))


@pytest.mark.parametrize("steps", range(len(INSTALL) + 1))
def test_fault_46_an_install_that_a_person_interrupts_leaves_one_crontab_and_no_lock(
    fake: FakeCrontab, tmp_path: Path, steps: int
) -> None:
    def interrupt(progress: Progress) -> Progress:
        raise KeyboardInterrupt

    fake.table = OLD
    with pytest.raises(KeyboardInterrupt):
        run_steps((*INSTALL[:steps], interrupt), Progress(fake.order(make_wanted(NOON))))
    assert fake.table in (OLD, NEW)
    os.close(take_lock(tmp_path, wait_s=0))


@pytest.mark.parametrize("steps", range(2, INSTALL.index(read_again) + 1))
def test_fault_47_an_edit_between_the_two_readings_is_kept(fake: FakeCrontab, steps: int) -> None:
    def edit(progress: Progress) -> Progress:
        fake.table = OLD + b"B=2\n"
        return progress

    fake.table = OLD
    with pytest.raises(TryLater, match="changed by somebody else"):
        run_steps((*INSTALL[:steps], edit, *INSTALL[steps:]), Progress(fake.order(make_wanted(NOON))))
    assert (fake.writes, fake.table) == ([], OLD + b"B=2\n")


@pytest.mark.parametrize("steps", range(2, INSTALL.index(read_again) + 1))
def test_fault_47_an_edit_of_a_file_in_cron_d_between_the_two_readings_is_kept(tmp_path: Path, steps: int) -> None:
    def edit(progress: Progress) -> Progress:
        cron_d.table = SYSTEM_OLD + b"B=2\n"
        return progress

    cron_d = make_cron_d(tmp_path)
    cron_d.table = SYSTEM_OLD
    with pytest.raises(TryLater, match="changed by somebody else"):
        run_steps((*INSTALL[:steps], edit, *INSTALL[steps:]), Progress(cron_d.order(make_system_wanted(HALF))))
    assert cron_d.table == SYSTEM_OLD + b"B=2\n"


def test_fault_47_of_two_installs_at_once_the_second_reads_what_the_first_wrote(fake: FakeCrontab) -> None:
    fake.table = OLD
    answers: list[Answer] = []
    orders = [fake.order(make_wanted(entry)) for entry in (NOON, HALF)]
    threads = [threading.Thread(target=lambda order=order: answers.append(install(order))) for order in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [Answer.DONE, Answer.DONE]
    assert fake.table in (NEW, OLD + make_block(HALF))


def die_in(work: Callable[[], object], calls: int = 0) -> None:
    """Have a process of its own do some work that ends in its SIGKILL, at the latest at its n-th call from crond.py."""
    child = os.fork()
    if child == 0:
        left = calls

        def count(frame: FrameType, event: str, called: object) -> None:
            nonlocal left
            if event.endswith("call") and frame.f_code.co_filename == crond.__file__:
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), 9)

        try:
            sys.setprofile(count if calls else None)
            work()
        finally:
            os._exit(70)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -9
