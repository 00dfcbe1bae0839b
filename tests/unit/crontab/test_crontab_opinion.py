"""python-crontab as a second reader of our lines."""

from __future__ import annotations

import pytest
from fake_crontab import make_block, make_entry

from runner.crontab.block import find_blocks
from runner.crontab.opinion import find_disagreement


def read_body(block: bytes) -> str:
    return find_blocks(block)[0].body.decode()


@pytest.mark.parametrize(
    "fields",
    ["0 0 * * *", "*/15 */6 * * *", "0-29/10,40 8-11 1,15 2-12/5 1-5", "0 0 * * 6-7", "0 0 * * 7-7", "0 0 * * 0-0/8"],
)
def test_it_agrees_with_us(fields: str):
    """Also where it reads Sundays wrongly by itself (python-crontab 3.4: 7-7 is every day)."""
    assert find_disagreement(read_body(make_block(make_entry("a", fields, "5 4 * * *"), make_entry("b", fields)))) == ""


def test_a_line_that_it_does_not_take_for_a_job_is_a_disagreement():
    body = read_body(make_block(make_entry("a", "5 4 * * *")))
    assert "only one of us reads: a" in find_disagreement(body.replace("5 4 * * * ", "5 4 @ * * "))
