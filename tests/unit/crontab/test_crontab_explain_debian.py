"""Debian's own ``crontab -n`` and we refuse the same random crontabs, in the same words."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from missing import give_up

from runner.crontab.dialects import DEBIAN
from runner.crontab.explain.describe import explain_table
from runner.crontab.explain.values import Table
from runner.crontab.tables import find_crontab
from runner.home.here import read_user

Asked = Callable[[bytes], str]
# What follows a quote that ends a line is what the memory of the program happens to hold.
UNKNOWABLE = re.compile(rb"""(?:^|[=\n\0])[ \t\r\f\v]*["'](?:[\n\0]|$)""")


@pytest.fixture(scope="module")
def ask(debian_crontab: str, tmp_path_factory: pytest.TempPathFactory) -> Asked:
    """What ``crontab -n`` has against a text; nothing is installed."""
    crontab = find_crontab(read_user(), os.environ)
    if not crontab.check(DEBIAN, b"0 0 * * * true\n").asked:
        give_up("the crontab of Debian, with its option -n")
    file = tmp_path_factory.mktemp("crontabs") / "table"

    def ask(text: bytes) -> str:
        file.write_bytes(text)
        return read_objection(debian_crontab, file)

    return ask


def read_objection(program: str, file: Path) -> str:
    done = subprocess.run([program, "-n", file], capture_output=True, text=True, errors="replace", check=False)
    assert done.returncode in (0, 1)
    return done.stderr if done.returncode else ""


def join(*parts: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    return st.tuples(*parts).map(b"".join)


def pick(*words: bytes) -> st.SearchStrategy[bytes]:
    return st.sampled_from(words)


NUMBERS = pick(
    b"0", b"1", b"5", b"7", b"8", b"12", b"23", b"24", b"31", b"59", b"60", b"007", b"4294967301", b"2147483647"
)
NAMES = pick(b"mon", b"SUN", b"jan", b"Dec", b"monday", b"x", b"", b"*", b"-1", b"~", b"\xff", b"\0")
VALUES = NUMBERS | NUMBERS | NUMBERS | NAMES
ITEMS = st.one_of(
    pick(b"*", b"*", b"0", b"1-5", b"*/7"),
    VALUES,
    join(pick(b"*/"), VALUES),
    join(VALUES, pick(b"-"), VALUES),
    join(VALUES, pick(b"-"), VALUES, pick(b"/"), VALUES),
    join(VALUES, pick(b".", b"#", b"L", b"~", b"/", b"-", b"\xe9", b"\xff")),
)
PLAIN = pick(b"*", b"0", b"1-5", b"*/7", b"1,3")
FIELDS = PLAIN | PLAIN | st.lists(ITEMS, min_size=1, max_size=3).map(b",".join)
BLANKS = pick(b" ", b" ", b"\t", b" \t ")
NICKNAMES = pick(b"@daily", b"@reboot", b"@weekly", b"@Daily", b"@every", b"@")
COMMANDS = pick(b"true", b"", b"*", b"-n x", b"a%b", b"\xff", b"x\r", b"a\0 0 * * * * b", b"x" * 998, b"x" * 999)
ENTRIES = st.one_of(
    join(st.lists(join(FIELDS, BLANKS), min_size=5, max_size=5).map(b"".join), COMMANDS),
    join(st.lists(join(FIELDS, BLANKS), min_size=4, max_size=6).map(b"".join), COMMANDS),
    join(NICKNAMES, BLANKS | pick(b""), COMMANDS),
)
GOOD = join(st.lists(join(PLAIN, BLANKS), min_size=5, max_size=5).map(b"".join), COMMANDS)
QUOTED = st.sampled_from([b"%s", b'"%s"', b"'%s'", b'"%s', b"%s'"])
WORDS = pick(b"A", b"A B", b"", b"a=b", b"'", b"x y # z", b" x\t", b"x" * 990)
QUOTED_WORDS = st.builds(lambda form, word: form % word, QUOTED, WORDS)
ASSIGNMENTS = join(QUOTED_WORDS, pick(b"=", b" = ", b"\t\r=", b" x="), QUOTED_WORDS, pick(b"", b" ", b"\r", b" x"))
JUNK = st.text(alphabet="\0 \t#=*@-05~/,\"'\\%a\r", max_size=12).map(str.encode) | st.binary(max_size=12)
LINES = st.one_of(GOOD, GOOD, ENTRIES, ASSIGNMENTS, JUNK, pick(b"", b"  # x", b"\t"))
TEXTS = st.builds(
    lambda lines, end: b"\n".join(lines) + end, st.lists(LINES, max_size=3), pick(b"\n", b"\n", b"\n", b"")
)


@settings(max_examples=500)
@example(b"0 0 * * * true\n" * 10_000)
@example(b"0 0 * * * true\n" * 10_001)
@example(b"#\n" * 10_001)
@given(TEXTS)
def test_debians_crontab_refuses_what_we_say_it_does(ask: Asked, text: bytes):
    """CRON-46."""
    assume(not UNKNOWABLE.search(text))
    found = explain_table(DEBIAN, Table(text))
    objection = ask(text)
    assert found.ignored == bool(objection)
    assert all(refusal.words in objection for refusal in found.refusals)
