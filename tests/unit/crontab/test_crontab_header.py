"""The comment of a block that says for whom it is, written and read back (CRON-21, CRON-49)."""

from __future__ import annotations

import pytest
from fake_crontab import make_block, make_entry, make_target
from hypothesis import given
from hypothesis import strategies as st

from runner.crontab.block import find_blocks
from runner.crontab.header import Header, find_misplacement, format_header, parse_header

_NAMES = st.from_regex(r"[a-z][a-z0-9.-]{0,40}", fullmatch=True)
_PARTS = st.one_of(st.just(""), st.from_regex(r"[a-z0-9._-]{1,64}", fullmatch=True))


@given(_NAMES, st.lists(_NAMES, min_size=1, max_size=12), _PARTS, _PARTS)
def test_what_was_written_is_read_back(user: str, hosts: list[str], site: str, environment: str) -> None:
    lines = format_header(make_target(user=user, hosts=tuple(hosts), site=site, environment=environment))
    assert max(map(len, lines)) <= 100
    body = "\n".join([*lines, '# made by "runner compile"', "SHELL=/bin/sh", ""]).encode()
    assert parse_header(body) == Header(user, tuple(hosts), site, environment)


@pytest.mark.parametrize("body", [b"", b"SHELL=/bin/sh\n", b"# for\n", b"# for al\n", b"# for \xff on\n"])
def test_a_block_that_does_not_say_so_is_for_nobody_in_particular(body: bytes) -> None:
    assert parse_header(body) is None


def test_a_comment_by_hand_is_told_from_ours_in_no_time() -> None:
    """CRON-48: a pattern that tries every way to part its words would never end."""
    hosts = " ".join(f"ql-ops{number}.example.org" for number in range(40))
    assert parse_header(f"# for root on {hosts} (ask Bob, then)\n".encode()) is None


def test_all_that_is_wrong_is_told_at_once() -> None:
    ours, there = (
        find_blocks(make_block(make_entry("a", "0 1 * * *"), **changes))[0].body
        for changes in ({}, {"user": "al", "hosts": ("old",), "site": "", "environment": "test"})
    )
    wrong = "user al, not wfc3ql; site none, not dsoc; environment test, not prod; host old, not ql-ops1.example.org"
    assert find_misplacement(there, ours, "ql-ops1.example.org") == wrong
    assert find_misplacement(ours, ours, "ql-ops1.example.org") == ""
