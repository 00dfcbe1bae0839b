"""What a repair takes out of a crontab with damaged marks, and what it leaves (CRON-48)."""

from __future__ import annotations

import time

import pytest
from fake_crontab import make_block, make_entry
from hypothesis import given
from hypothesis import strategies as st

from runner.crontab.block import find_blocks, split_lines
from runner.crontab.repair import list_written, repair_table
from runner.errors import UserError

NAME = "ql@ops"
NOON = make_entry("noon", "0 12 * * *", mailto=("al@example.org",))
HALF = make_entry("half", "*/30 * * * *")
BLOCK = make_block(NOON, HALF)
LINES = split_lines(BLOCK)
OTHER = make_block(NOON, home_name="other")
WRITTEN = list_written([BLOCK], NAME)
ABOVE = b"PATH=/usr/bin:/bin\n# caf\xe9\n0 0 * * * true\n"


def repair(table: bytes, written: frozenset[bytes] = WRITTEN) -> bytes:
    return repair_table(table, NAME, written).text


def without(number: int) -> bytes:
    return b"".join(LINES[:number] + LINES[number + 1 :])


@pytest.mark.parametrize("number", [0, len(LINES) - 1])
def test_a_block_without_its_first_or_last_mark_goes_whole(number: int) -> None:
    assert repair(ABOVE + without(number) + b"B=2\n") == ABOVE + b"B=2\n"


@pytest.mark.parametrize(
    "damage", [(b"digest=", b"digest=x"), (b"# BEGIN", b"#BEGIN"), (b"# END runner", b"# end  runner")]
)
def test_a_block_with_a_damaged_mark_goes_whole(damage: tuple[bytes, bytes]) -> None:
    assert repair(ABOVE + BLOCK.replace(*damage) + b"B=2\n") == ABOVE + b"B=2\n"


def test_a_block_that_stands_there_twice_goes_twice() -> None:
    assert repair(ABOVE + BLOCK + b"B=2\n" + BLOCK) == ABOVE + b"B=2\n"


def test_a_block_within_itself_goes_whole() -> None:
    nested = b"".join([*LINES[:5], BLOCK, *LINES[5:]])
    assert repair(ABOVE + nested + b"B=2\n") == ABOVE + b"B=2\n"


def test_without_a_memory_the_digest_still_tells_which_lines_are_ours() -> None:
    assert repair(ABOVE + without(len(LINES) - 1) + b"B=2\n", frozenset()) == ABOVE + b"B=2\n"
    assert repair(BLOCK + BLOCK, frozenset()) == b""


def test_a_line_that_we_never_wrote_stays_and_is_named() -> None:
    table = ABOVE + b"".join([*LINES[:-3], b"5 5 * * * /by/hand\n", *LINES[-3:]]).replace(b"digest=", b"digest ")
    repaired = repair_table(table, NAME, WRITTEN)
    assert repaired.text == ABOVE + b"5 5 * * * /by/hand\n"
    assert [split_lines(table)[number - 1] for number in repaired.kept] == [b"5 5 * * * /by/hand\n"]


def test_a_setting_of_somebody_else_stays_though_we_write_the_same_one() -> None:
    below = b'SHELL=/bin/sh\nMAILTO="al@example.org"\n0 0 * * * true\n'
    assert repair(ABOVE + b"PATH=/usr/bin:/bin\n" + without(0) + below) == ABOVE + b"PATH=/usr/bin:/bin\n" + below


def test_the_block_of_another_home_stays_though_it_holds_the_same_lines() -> None:
    twin = make_block(NOON, HALF, home_name="other")
    assert repair(twin + BLOCK + OTHER + BLOCK) == twin + OTHER


def test_the_damaged_marks_of_another_home_are_not_ours_to_mend() -> None:
    with pytest.raises(UserError, match=r"not ours to mend; see line 1 \(other@ops\)$"):
        repair(OTHER.splitlines(keepends=True)[0] + BLOCK + BLOCK)


def test_only_unedited_blocks_tell_what_we_once_wrote() -> None:
    assert list_written([BLOCK.replace(b"0 12 ", b"0 13 ")], NAME) == frozenset()
    assert b"0 13 * * * true\n" not in list_written([b"0 13 * * * true\n" + BLOCK], NAME)


@given(st.lists(st.sampled_from([*LINES, OTHER, b"B=2\n", b"0 5 * * * \xff\n", b"PATH=/usr/bin:/bin\n"]), max_size=30))
def test_of_any_mixture_every_foreign_line_stays_in_its_order(parts: list[bytes]) -> None:
    left = repair(b"".join(parts))
    foreign = [part for part in parts if part not in LINES or part == b"PATH=/usr/bin:/bin\n"]
    for line in (OTHER, b"B=2\n", b"0 5 * * * \xff\n"):
        assert left.count(line) == parts.count(line)
    assert [line for line in foreign if not line.startswith(b"PATH")] == [
        part for part in split_blocks(left) if part in foreign and not part.startswith(b"PATH")
    ]
    assert [block.name for block in find_blocks(left)] == ["other@ops"] * parts.count(OTHER)


def split_blocks(text: bytes) -> list[bytes]:
    """Return the lines, a block of the other home as one."""
    return [part for half in text.split(OTHER) for part in (OTHER, *split_lines(half))][1:]


def test_ten_thousand_damaged_lines_take_no_time() -> None:
    """SEC-17."""
    table = BLOCK.replace(b"digest=", b"digest") * 900 + b"".join(LINES[:1]) * 4000 + b"B=2\n"
    started = time.monotonic()
    assert repair(table) == b"B=2\n"
    assert time.monotonic() - started < 5
