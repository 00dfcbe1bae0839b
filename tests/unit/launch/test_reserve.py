"""RUN-15: room set aside for the records of a full disk."""

from pathlib import Path

import pytest

from runner.launch.reserve import SIZE_BYTES, append_to_reserve, empty_reserve, has_events, make_reserve, needs_reserve
from runner.launch.state import make_state

EVENT = b'\n{"event": "end"}\n'


@pytest.fixture
def state(tmp_path: Path) -> str:
    make_state(str(tmp_path / "state"))
    return str(tmp_path / "state")


def _take_out(state: str) -> bytes:
    taken: list[bytes] = []
    empty_reserve(state, taken.append)
    return b"".join(taken)


def test_its_blocks_are_allocated_beforehand(state: str) -> None:
    assert needs_reserve(state)

    make_reserve(state)

    stat = Path(state, "journal/reserve").stat()
    assert (stat.st_size, stat.st_blocks * 512 >= SIZE_BYTES, stat.st_mode & 0o777) == (SIZE_BYTES, True, 0o600)
    assert not needs_reserve(state)
    assert not has_events(state)


def test_events_come_out_as_they_went_in_and_once(state: str) -> None:
    make_reserve(state)
    for _ in range(3):
        append_to_reserve(state, EVENT)

    assert has_events(state)
    assert (_take_out(state), _take_out(state)) == (EVENT * 3, b"")
    assert not has_events(state)
    assert Path(state, "journal/reserve").read_bytes() == bytes(SIZE_BYTES)


def test_making_it_again_keeps_what_waits(state: str) -> None:
    make_reserve(state)
    append_to_reserve(state, EVENT)

    make_reserve(state)

    assert _take_out(state) == EVENT


def test_what_cannot_be_kept_elsewhere_stays(state: str) -> None:
    make_reserve(state)
    append_to_reserve(state, EVENT)

    def fail(_: bytes) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        empty_reserve(state, fail)
    assert _take_out(state) == EVENT


def test_a_full_reserve_says_so(state: str) -> None:
    make_reserve(state)
    for _ in range(SIZE_BYTES // 4096):
        append_to_reserve(state, b"x" * 4096)

    with pytest.raises(OSError, match="No space left"):
        append_to_reserve(state, EVENT)
    assert len(_take_out(state)) == SIZE_BYTES


def test_without_one_there_is_no_room(state: str) -> None:
    with pytest.raises(OSError, match="No space left"):
        append_to_reserve(state, EVENT)
    assert not has_events(state)
