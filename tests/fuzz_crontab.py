"""Damaged crontabs: explained as both crons, our block put in and taken out, repaired, each line adopted."""

from __future__ import annotations

import json
from contextlib import suppress

from fuzz_kind import Kind, mutate, split_words

from runner.crontab.adopt import adopt_line
from runner.crontab.block import find_block, find_sound_blocks, has_block, make_block, put_in, take_out
from runner.crontab.dialects import CRONIE, DEBIAN
from runner.crontab.entry import parse_entries
from runner.crontab.explain.describe import describe_explanation, explain_table
from runner.crontab.explain.values import Table
from runner.crontab.header import parse_header
from runner.crontab.lint import find_foreign_faults, find_foreign_warnings
from runner.crontab.mask import show_lines
from runner.crontab.opinion import find_disagreement
from runner.crontab.repair import repair_table
from runner.errors import UserError

_NAME = "ql@main"
# Each takes the whole crontab above it into account.
_ADOPTED = 8
_BODY = """\
# for ql on ql1
SHELL=/bin/sh
PATH=/usr/bin:/bin
MAILTO="a@b.org,c@d.org"
*/5 * * * * /home/ql/wrappers/run-job index
0 3 1-7 * 1 /home/ql/wrappers/run-job night@prod
* * * * * /home/ql/wrappers/run-job --sweep
"""
_BLOCK = make_block(_NAME, _BODY).encode()
_TABLES = (
    b"# m h dom mon dow command\nMAILTO=root\n0 3 * * 0 /usr/local/sbin/backup --all > /dev/null 2>&1\n",
    b"PATH = /usr/bin:/bin\n'A B'=\"c d\"\n@daily cd /x && ./run.csh a; echo b | mail -s % me%line%two\n" + _BLOCK,
    b"CRON_TZ=UTC\nRANDOM_DELAY=5\n-*/10 0~6 1,15 jan-mar mon,WED root /x\n~ 3 * * * y\n1-59/2 * * * * * z\n",
    _BLOCK + b"@reboot sleep 1\n0\t4\t*\t*\t*\ttrue",
    _BLOCK + _BLOCK.replace(b"ql@main", b"ql@other") + b"\r\n* * * * * a\\%b\n",
)
_WORDS = split_words(
    "* ¦*/¦0-59/7¦7¦sun¦SUN-sat¦@midnight¦@every_minute¦~¦0~59¦60¦-1¦,¦-¦/0¦"
    "%¦\\%¦MAILTO=¦CRON_TZ=Mars/X¦root ¦-n ¦-q ¦-m ¦|¦"
    "&&¦;¦# BEGIN runner ql@main digest=0123456789abcdef\n¦"
    "# END runner ql@main\n¦# BEGIN runner ¦# END runner \n¦$(¦`¦<<"
)


def _read_crontab(data: bytes) -> None:
    for dialect in (DEBIAN, CRONIE):
        for table in (Table(data, is_user=_is_user), Table(data, system=True, owned_by_root=True, is_user=_is_user)):
            explanation = explain_table(dialect, table)
            json.dumps(describe_explanation(explanation, dialect))
            assert all(refusal.line <= data.count(b"\n") + 1 for refusal in explanation.refusals)
        find_foreign_faults(data, dialect)
        for line in data.decode("utf-8", "surrogateescape").split("\n")[-_ADOPTED:]:
            with suppress(UserError):
                adopt_line(line, data, dialect, {"run.csh": "old"}, _is_user)
    find_foreign_warnings(data)
    assert len(show_lines(data)) >= data.count(b"\n")
    _read_blocks(data)
    _mend(data)
    _put_in_and_take_out(data)


def _is_user(name: str) -> bool:
    return name == "root"


def _read_blocks(data: bytes) -> None:
    for block in find_sound_blocks(data):
        parse_header(block.body)
        parse_entries(block.body.decode("utf-8", "replace"))


def _mend(data: bytes) -> None:
    with suppress(UserError):
        repaired = repair_table(data, _NAME, frozenset([b"SHELL=/bin/sh\n"])).text
        assert not has_block(repaired, _NAME)


def _put_in_and_take_out(data: bytes) -> None:
    """Put our block in, if no mark is damaged: it is read back as written, and no byte of others is changed."""
    with suppress(UserError):
        foreign = take_out(data, find_block(data, _NAME))
        with_ours = put_in(data, _NAME, _BLOCK)
        found = find_block(with_ours, _NAME)
        assert found
        assert not found.is_edited
        assert take_out(with_ours, found) in (foreign, foreign + b"\n")
        assert find_disagreement(found.body.decode()) == ""


KINDS = (Kind("crontab", 15, lambda chance: mutate(chance, _TABLES, _WORDS), _read_crontab),)
