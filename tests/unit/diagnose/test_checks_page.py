"""The page of the checks is held to the code, and each check to its two tests."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from doctor import ALL_CHECKS

from runner.diagnose.check import ENGINE_ID, Check

REPOSITORY = Path(__file__).parents[3]
ROWS = re.findall(
    r"^\| (\S+) \| (\S+) \| [^|]+ \| [^|]+ \|$", (REPOSITORY / "deploy/checks.md").read_text(), re.MULTILINE
)
TESTS = "\n".join(path.read_text() for path in sorted(Path(__file__).parent.glob("test_*.py")))


def test_every_check_has_its_row_in_order_and_no_row_is_without_check() -> None:
    own = [(check.id, check.level) for check in ALL_CHECKS if check.id.startswith("DIAG")]
    assert [row for row in ROWS if row[1] != "level" and "-" not in row[0]] == [(ENGINE_ID, "error"), *own]


@pytest.mark.parametrize("check", ALL_CHECKS, ids=lambda check: check.id)
def test_every_check_is_shown_silent_and_finding(check: Check) -> None:
    tested = check.id.lower()
    assert f"def test_{tested}_is_silent_" in TESTS
    assert f"def test_{tested}_finds_" in TESTS


@pytest.mark.parametrize("check", ALL_CHECKS, ids=lambda check: check.id)
def test_every_check_says_in_a_line_what_holds(check: Check) -> None:
    assert 0 < len(check.title) <= 70
    assert "\n" not in check.title
