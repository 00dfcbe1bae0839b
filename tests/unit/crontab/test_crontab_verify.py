"""What is found where a crontab is no longer as it was installed (CRON-63)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fake_crontab import make_block, make_entry, make_system_wanted, make_wanted

from runner.crontab.dialects import CRONIE, DEBIAN, Dialect
from runner.crontab.verify import Seen, verify_block

NOON = make_entry("noon", "0 12 * * *")
HALF = make_entry("half", "*/30 * * * *")
BLOCK = make_block(NOON)


def find(text: bytes | None, dialect: Dialect = DEBIAN, **seen: tuple[object, ...]) -> list[tuple[str, str]]:
    found = verify_block(Seen("crontab", text, **seen), make_wanted(NOON), dialect)  # type: ignore[arg-type]
    return [(one.finding, one.message) for one in found]


@pytest.mark.parametrize(
    ("text", "findings"),
    [
        (b"A=1\n" + BLOCK, []),
        (None, ["absent"]),
        (b"A=1\n", ["absent"]),
        (make_block(NOON, home_name="other"), ["absent"]),
        (BLOCK.replace(b"\n0 12", b"\n0 13"), ["edited"]),
        (BLOCK.replace(b"digest=", b"digest"), ["edited"]),
        (make_block(HALF), ["stale"]),
        (BLOCK + b"B=2\n", ["foreign-below"]),
        (BLOCK + BLOCK, ["double"]),
        (b"61 0 * * * true\n" + BLOCK, ["ignored"]),
        (BLOCK + b"# no newline", ["foreign-below"]),
        (b"0 0 * * * true\n" + make_block(HALF) + b"B=2\n", ["stale", "foreign-below"]),
    ],
)
def test_each_finding_has_its_word(text: bytes | None, findings: list[str]) -> None:
    assert [finding for finding, _ in find(text)] == findings


def test_a_bad_line_makes_debian_drop_the_file_and_cronie_only_the_line() -> None:
    table = b"61 0 * * * MY_TOKEN=s3cr3t true\n" + BLOCK
    (found,) = find(table)
    assert found == ("ignored", "cron ignores this file because line 1: bad minute: 61 0 * * * MY_TOKEN=***")
    assert find(table, CRONIE) == []


def test_a_line_of_ours_that_cronie_drops_is_found() -> None:
    wanted = make_wanted(NOON)
    spoiled = replace(wanted, block=wanted.block.replace("\n0 12 ", "\n0 24 "))
    (found,) = verify_block(Seen("crontab", spoiled.block.encode()), spoiled, CRONIE)[:1]
    assert found.message.startswith("cron ignores line ")


def test_a_last_line_without_a_newline_makes_debian_drop_a_file_of_cron_d() -> None:
    wanted = make_system_wanted(NOON)
    text = b"0 0 * * * root true\n" + wanted.block.encode() + b"B=2"
    found = verify_block(Seen("file", text), wanted, DEBIAN)
    assert "cron ignores this file because line 12: missing newline before EOF: B=2" in [one.message for one in found]


def test_the_same_block_in_another_crontab_is_double() -> None:
    assert find(BLOCK, elsewhere=("/etc/cron.d/x",)) == [("double", "the same block stands in /etc/cron.d/x too")]


def test_where_the_file_is_gone_a_copy_that_cron_ignores_is_named() -> None:
    found = find(None, copies=(("/etc/cron.d/x.old", "its name is x.old"),))
    assert found[1] == ("ignored", "/etc/cron.d/x.old: cron ignores this file because its name is x.old")
