"""What is new, changed, vanished, or left for later (ARCH-24, ARCH-25)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.archive.index.compare import Comparison, Difference, Known, Rule
from runner.archive.index.walk import Found

NOW = 1_790_000_000_000_000_000
RULE = Rule("layout", NOW)


def found(path: str, size: int = 1, mtime_ns: int = 2, inode: int = 3) -> Found:
    return (path, size, mtime_ns, inode, None)


def known(
    path: str, size: int = 1, mtime_ns: int = 2, inode: int = 3, layout: str = "layout", state: str = "ok"
) -> Known:
    return (path, size, mtime_ns, inode, layout, state, 7)


def compare(before: list[Known], now: list[Found], rule: Rule = RULE) -> tuple[list[Difference], Comparison]:
    comparison = Comparison(iter(before), now, rule)
    return list(comparison), comparison


def test_a_file_that_is_not_known_is_read() -> None:
    assert compare([known("a"), known("c")], [found("a"), found("b"), found("c")])[0] == [Difference(found("b"), None)]


@pytest.mark.parametrize(
    "now", [found("a", size=9), found("a", mtime_ns=9), found("a", mtime_ns=1), found("a", inode=9)]
)
def test_a_file_of_another_size_time_or_inode_is_read(now: Found) -> None:
    assert compare([known("a")], [now])[0] == [Difference(now, known("a"))]


def test_a_file_that_is_as_it_was_is_not_read() -> None:
    differences, comparison = compare([known("a"), known("b")], [found("a"), found("b")])
    assert (differences, comparison.unchanged, comparison.gone) == ([], 2, [])


def test_a_bad_file_that_is_as_it_was_is_not_read() -> None:
    differences, comparison = compare([known("a", state="bad")], [found("a")])
    assert (differences, comparison.unchanged, comparison.known_bad) == ([], 0, 1)


@pytest.mark.parametrize("before", [known("a", layout="older"), known("a", state="vanished")])
def test_a_file_read_for_other_columns_or_that_came_back_is_read(before: Known) -> None:
    assert compare([before], [found("a")])[0] == [Difference(found("a"), before)]


def test_all_is_read_where_that_is_asked_for() -> None:
    assert len(compare([known("a")], [found("a")], Rule("layout", NOW, reads_all=True))[0]) == 1


def test_a_file_that_is_not_found_is_gone_once() -> None:
    before = [known("a"), known("b", state="vanished"), known("c"), known("d")]
    differences, comparison = compare(before, [found("c")])
    assert (differences, comparison.gone) == ([], [known("a"), known("d")])


@pytest.mark.parametrize("age_s", [0, 59, -59])
def test_a_young_file_is_left_for_the_next_time(age_s: int) -> None:
    young = found("a", mtime_ns=NOW - age_s * 10**9)
    differences, comparison = compare([], [young], Rule("layout", NOW, settle_ns=60 * 10**9))
    assert (differences, comparison.young) == ([], 1)


@pytest.mark.parametrize("age_s", [60, -60, -86400 * 365])
def test_a_settled_file_and_one_of_a_clock_far_ahead_are_not(age_s: int) -> None:
    settled = found("a", mtime_ns=NOW - age_s * 10**9)
    assert len(compare([], [settled], Rule("layout", NOW, settle_ns=60 * 10**9))[0]) == 1


def test_a_young_file_that_is_as_it_was_is_unchanged() -> None:
    rule = Rule("layout", NOW, settle_ns=60 * 10**9)
    assert compare([known("a", mtime_ns=NOW)], [found("a", mtime_ns=NOW)], rule)[1].unchanged == 1


def test_of_two_names_that_are_shown_alike_the_first_counts() -> None:
    differences, _ = compare([], [found("a", inode=1), found("a", inode=2), found("b")])
    assert [one.found[3] for one in differences] == [1, 3]


@pytest.mark.parametrize(
    ("before", "is_known"),
    [(None, False), (known("a"), False), (known("a", state="bad"), True), (known("a", size=9, state="bad"), False)],
)
def test_known_bad_is_what_was_bad_and_is_the_same_file(before: Known | None, is_known: bool) -> None:
    assert Difference(found("a"), before).is_known_bad == is_known


_paths = st.sets(st.text("ab/", min_size=1, max_size=4), max_size=12)


@given(before=_paths, now=_paths)
def test_any_two_lists_differ_as_their_sets_do(before: set[str], now: set[str]) -> None:
    differences, comparison = compare([known(path) for path in sorted(before)], [found(path) for path in sorted(now)])

    assert {one.found[0] for one in differences} == now - before
    assert {one[0] for one in comparison.gone} == before - now
    assert comparison.unchanged == len(now & before)
