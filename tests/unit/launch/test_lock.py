"""RUN-8 to RUN-10: who holds a lock, what its file says, and that nobody can plant one."""

import os
import posix
import threading
import time
from pathlib import Path

import pytest

from runner.launch.lock import (
    LockRecord,
    await_holder,
    clear_lock,
    find_lock,
    is_held,
    read_lock,
    try_lock,
    unlock,
    write_lock,
)
from runner.launch.process import Identity, identify, read_boot_id


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "job")


def _make_record(**fields: object) -> LockRecord:
    record = LockRecord()
    record.run_id, record.boot_id, record.since = "20260308T070000.000001Z-lab-1", read_boot_id(), "since"
    record.wrapper = identify(os.getpid())
    for key, value in fields.items():
        setattr(record, key, value)
    return record


def test_a_lock_is_taken_once(path: str) -> None:
    _, first = try_lock(path)
    _, second = try_lock(path)

    assert (first, second) == (True, False)


def test_a_lock_belongs_to_all_who_inherited_it_until_one_of_them_frees_it(path: str) -> None:
    """RUN-9, RUN-33: closing is not enough while an heir lives, unlocking is."""
    descriptor, _ = try_lock(path)
    heir = posix.dup(descriptor)
    posix.close(descriptor)
    assert not try_lock(path)[1]

    unlock(heir)

    assert try_lock(path)[1]


def test_the_file_is_private_and_stays_when_the_lock_is_freed(path: str) -> None:
    descriptor, _ = try_lock(path)
    write_lock(descriptor, _make_record())
    clear_lock(descriptor, read_lock(descriptor))
    unlock(descriptor)

    assert Path(path).stat().st_mode & 0o777 == 0o600
    assert find_lock(path).run_id == ""


def test_a_record_is_read_as_it_was_written(path: str) -> None:
    descriptor, _ = try_lock(path)
    record = _make_record(job=Identity(7, 8), slots=["a", "b"], start='{"event": "start"}')

    write_lock(descriptor, record)

    read = find_lock(path)
    assert {key: str(getattr(read, key)) for key in LockRecord.__slots__} == {
        key: str(getattr(record, key)) for key in LockRecord.__slots__
    }


def test_a_shorter_record_leaves_nothing_of_a_longer_one(path: str) -> None:
    descriptor, _ = try_lock(path)
    write_lock(descriptor, _make_record(start="x" * 5000))

    write_lock(descriptor, _make_record(start="y"))

    assert read_lock(descriptor).start == "y"
    assert Path(path).stat().st_size < 500


def test_the_end_of_a_run_leaves_only_its_slots(path: str) -> None:
    descriptor, _ = try_lock(path)
    record = _make_record(slots=[f"slot-{number}" for number in range(20)])

    clear_lock(descriptor, record)

    assert Path(path).read_text() == "slots " + " ".join(f"slot-{number}" for number in range(4, 20)) + "\n.\n"


@pytest.mark.parametrize("text", [b"", b"\xff\0", b"run x\n", b"job one two\n.\n", b"wrapper\njob 1\n.\n"])
def test_a_torn_record_names_nobody(path: str, text: bytes) -> None:
    Path(path).write_bytes(text)

    record = find_lock(path)

    assert (record.run_id, record.wrapper, record.job) == ("", None, None)


def test_there_is_no_record_without_a_file(path: str) -> None:
    assert find_lock(path) is None


@pytest.mark.parametrize(
    ("fields", "held"),
    [
        ({}, True),
        ({"run_id": ""}, False),
        ({"boot_id": "another boot"}, False),
        ({"wrapper": None}, False),
        ({"wrapper": Identity(os.getpid(), 1)}, False),
        ({"wrapper": Identity(2**22 + 1, 1)}, False),
        ({"wrapper": None, "job": identify(os.getpid())}, True),
    ],
)
def test_a_lock_is_held_by_a_living_process_of_this_boot(fields: dict[str, object], held: bool) -> None:
    """RUN-10: whatever flock says; pid, start time and boot must all be right."""
    assert is_held(_make_record(**fields), read_boot_id()) == held


def test_whoever_finds_a_lock_busy_waits_for_the_name_of_the_holder(path: str) -> None:
    holder, _ = try_lock(path)
    late = threading.Timer(0.03, write_lock, (holder, _make_record()))
    late.start()

    record, is_ours = await_holder(try_lock(path)[0])

    late.join()
    assert (record.run_id, is_ours) == (_make_record().run_id, False)


def test_whoever_finds_a_lock_about_to_be_freed_gets_it_with_what_it_says_then(path: str) -> None:
    holder, _ = try_lock(path)
    late = threading.Timer(0.03, lambda: (write_lock(holder, _make_record(run_id="", slots=["x"])), unlock(holder)))
    late.start()

    record, is_ours = await_holder(try_lock(path)[0])

    late.join()
    assert (record.slots, is_ours) == (["x"], True)


def test_a_holder_that_never_names_itself_is_not_waited_for_forever(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a full disk, where it holds the lock all the same."""
    monkeypatch.setattr("runner.launch.lock._NAMELESS_S", 0.1)
    try_lock(path)
    begun = time.monotonic()

    record, is_ours = await_holder(try_lock(path)[0])

    assert (record.run_id, is_ours) == ("", False)
    assert time.monotonic() - begun < 2


def test_a_planted_symbolic_link_is_refused_and_its_target_unchanged(path: str, tmp_path: Path) -> None:
    """SEC-6."""
    target = tmp_path / "precious"
    target.write_text("precious")
    Path(path).symlink_to(target)

    with pytest.raises(OSError, match="symbolic link"):
        try_lock(path)

    assert target.read_text() == "precious"


def test_a_planted_hard_link_is_refused_and_its_target_unchanged(path: str, tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("precious")
    Path(path).hardlink_to(target)

    with pytest.raises(PermissionError, match="one link"):
        try_lock(path)

    assert target.read_text() == "precious"


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_regular_file_is_refused_and_not_waited_for(path: str, make: object) -> None:
    make(path)  # type: ignore[operator]

    with pytest.raises(OSError, match=r"regular file|directory"):
        try_lock(path)


def test_the_lock_of_another_user_is_refused(path: str) -> None:
    """SEC-18."""
    if os.geteuid():
        pytest.skip("only root can give a file away")
    Path(path).touch()
    os.chown(path, 65534, -1)

    with pytest.raises(PermissionError):
        try_lock(path)
