"""Crontabs of twenty years, programs that fail, kills and editors: the foreign lines stay what they were."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from fake_crontab import FakeCrontab, make_block, make_entry, make_fake_crontab, make_removal, make_wanted
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.crontab.account import take_lock
from runner.crontab.install import (
    INSTALL,
    UNINSTALL,
    Answer,
    Order,
    Progress,
    install,
    preview_install,
    read_again,
    run_steps,
    uninstall,
)
from runner.errors import TryLater

NOON = make_entry("noon", "0 12 * * *")
HALF = make_entry("half", "*/30 * * * *")
OLD = b"A=1\n0 0 * * * true\n"
NEW = OLD + make_block(NOON)
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
        preview_install(make_wanted(NOON), fake.find(), 0)


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


@pytest.mark.parametrize("steps", range(len(UNINSTALL) + 1))
def test_fault_46_an_uninstall_killed_between_two_steps_leaves_one_crontab(fake: FakeCrontab, steps: int) -> None:
    fake.table = NEW
    die_in(lambda: run_steps((*UNINSTALL[:steps], kill), Progress(fake.order(make_removal()))))
    assert fake.table in (OLD, NEW)
    uninstall(fake.order(make_removal()))
    assert fake.table == OLD


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


def die_in(work: Callable[[], object]) -> None:
    """Have a process of its own do some work that ends in its SIGKILL."""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(70)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -9
