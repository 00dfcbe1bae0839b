"""Our block within foreign bytes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.crontab.block import find_block, find_blocks, make_block, put_in, read_below, take_out
from runner.errors import UserError

OURS = make_block("ql@ops", "0 1 * * * /q/w a\n").encode()
NEWER = make_block("ql@ops", "0 2 * * * /q/w a\n").encode()
OTHERS = make_block("hst@main", "0 3 * * * /h/w b\n").encode()

FOREIGN = st.binary(max_size=300).filter(lambda text: b"runner" not in text)
ODD_LINES = st.lists(
    st.sampled_from(
        [
            b"# a comment",
            b"\t0 5\t* * *  date +%Y%m%d%hello",
            b"FOO = bar",
            b"0 0 * * * true\r",
            b"",
            b"\xe9t\xe9=1",
            b"MAILTO=x",
        ]
    ),
    max_size=40,
).map(lambda lines: b"".join(line + b"\n" for line in lines))


def install(table: bytes, text: bytes = OURS) -> bytes:
    return put_in(table, "ql@ops", text)


def uninstall(table: bytes) -> bytes:
    return take_out(table, find_block(table, "ql@ops"))


@settings(deadline=None)
@given(FOREIGN | ODD_LINES, FOREIGN | ODD_LINES)
def test_foreign_bytes_survive_install_update_and_uninstall(above: bytes, below: bytes):
    """CRON-43; only a missing newline is added (CRON-44)."""
    edited = install(above) + below
    whole = above + (b"\n" if above and not above.endswith(b"\n") else b"") + below
    gone = uninstall(install(edited, NEWER))
    assert gone in (whole, whole + b"\n")
    assert gone == whole or not whole.endswith(b"\n")


@settings(deadline=None)
@given(ODD_LINES)
def test_an_install_is_idempotent_and_its_block_the_last_thing(foreign: bytes):
    """CRON-22, CRON-53."""
    assert install(install(foreign)) == install(foreign) == foreign + OURS


def test_a_missing_newline_is_added_before_our_block():
    """CRON-44."""
    assert install(b"0 0 * * * true") == b"0 0 * * * true\n" + OURS


def test_a_new_block_takes_the_place_of_the_old_one_above_the_blocks_of_other_homes():
    """CRON-22."""
    assert install(b"A=1\n" + OURS + OTHERS, NEWER) == b"A=1\n" + NEWER + OTHERS


def test_foreign_lines_below_our_block_move_above_it():
    """CRON-22: they ran under our settings, which cannot be undone."""
    table = b"A=1\n" + OURS + OTHERS + b"0 0 * * * true\n"
    assert install(table, NEWER) == b"A=1\n" + OTHERS + b"0 0 * * * true\n" + NEWER


def test_lines_between_two_other_blocks_count_as_below_and_the_blocks_do_not():
    table = b"A=1\n" + OURS + OTHERS + b"B=2\n" + OTHERS + b"C=3"
    block = find_block(table, "ql@ops")
    assert block is not None
    assert read_below(table, block) == b"B=2\nC=3"


def test_a_block_of_another_target_of_our_home_is_not_ours():
    """CRON-21."""
    table = make_block("ql@test", "").encode()
    assert find_block(table, "ql@ops") is None
    assert uninstall(table) == table


def test_a_block_at_the_end_of_a_file_without_newline_is_whole():
    assert uninstall(b"A=1\n" + OURS.rstrip(b"\n")) == b"A=1\n"


def test_an_edited_block_is_noticed():
    """CRON-48."""
    (block,) = find_blocks(OURS.replace(b"0 1 ", b"0 2 "))
    assert block.is_edited
    assert not find_blocks(OURS)[0].is_edited


BEGIN, LINE, END = OURS.splitlines(keepends=True)


@pytest.mark.parametrize(
    ("table", "places"),
    [
        (b"A=1\n" + BEGIN + LINE, ["line 2"]),
        (b"A=1\n" + LINE + END, ["line 3"]),
        (BEGIN + LINE, ["line 1"]),
        (OURS + BEGIN + OTHERS + END, ["line 5", "line 8"]),
        (BEGIN + OTHERS, ["line 2"]),
        (OURS + b"\n" + OURS, ["lines 1, 5"]),
        (BEGIN.replace(b"digest=", b"digest=x") + LINE + END, ["line 1", "line 3"]),
        (BEGIN.replace(b"\n", b"\r\n") + LINE + END, ["line 1", "line 3"]),
        (b"  " + BEGIN + LINE + END, ["line 1", "line 3"]),
        (BEGIN + LINE + END.replace(b"ops", b"ops (do not touch)"), ["line 3", "line 1"]),
        (BEGIN + LINE + END.replace(b"ops", b"opt"), ["line 3", "line 1"]),
    ],
)
def test_damaged_doubled_and_nested_markers_are_refused_with_their_lines(table: bytes, places: list[str]):
    """CRON-48, FAULT-48."""
    with pytest.raises(UserError) as refused:
        find_block(table, "ql@ops")
    assert [text.partition(":")[0] for text in str(refused.value).split("\n")[1:]] == places


def test_a_comment_that_only_speaks_of_the_runner_is_foreign():
    table = b"# BEGIN runner blocks must not be edited\n# runner ql@ops\n"
    assert find_blocks(table) == ()
