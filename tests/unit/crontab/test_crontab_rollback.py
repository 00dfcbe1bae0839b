"""Which block a rollback wants, and what it warns of (CRON-65)."""

from __future__ import annotations

import pytest
from fake_crontab import make_block, make_entry, make_removal

from runner.crontab.rollback import find_moved, plan_as_installed, want_block_of_then
from runner.errors import UserError
from runner.launch.plan import Plan
from runner.registry.schedule import parse_when

NOON = make_entry("noon", "0 12 * * *")


def make_plan(when: str, timezone: str = "") -> Plan:
    plan = Plan("noon", "noon", "prod")
    plan.schedules = [parse_when(when).schedule]
    plan.timezone = timezone
    return plan


def test_the_block_of_then_is_wanted_with_its_lines() -> None:
    wanted = want_block_of_then(b"A=1\n" + make_block(NOON) + b"B=2\n", make_removal(), "then")
    assert wanted.block.encode() == make_block(NOON)
    assert [(entry.plan, entry.fields) for entry in wanted.entries] == [("noon", ("0 12 * * *",))]


@pytest.mark.parametrize(
    ("then", "message"),
    [
        (b"A=1\n", "then has no block of ql@ops"),
        (make_block(NOON, home_name="other"), "then has no block of ql@ops"),
        (make_block(NOON).replace(b" 12 ", b" 13 "), "is not as we wrote it"),
        (make_block(NOON) * 2, "is not as we wrote it"),
    ],
)
def test_a_text_without_a_block_as_we_wrote_it_is_refused(then: bytes, message: str) -> None:
    with pytest.raises(UserError, match=message):
        want_block_of_then(then, make_removal(), "then")


def test_a_line_that_fires_otherwise_than_its_line_of_today_is_told() -> None:
    plans = {"noon": make_plan("0 13 * * *")}
    assert find_moved([NOON], [NOON], plans) == []
    (moved,) = find_moved([NOON], [make_entry("noon", "0 13 * * *")], plans)
    assert moved.startswith("noon: the line of then fires otherwise")
    assert len(find_moved([NOON], [], plans)) == 1


def test_a_line_from_before_its_plan_got_a_zone_is_told() -> None:
    """CRON-36: its gate would start nothing, whatever the schedules of both are."""
    gated = {"noon": make_plan("0 12 * * *", "Europe/Paris")}
    (moved,) = find_moved([NOON], [make_entry("noon", "0 * * * *")], gated)
    assert moved.endswith("only its slots in Europe/Paris start, and of those only the ones at which the line fires")


def test_the_installed_schedule_is_that_of_the_line_unless_a_zone_gates_it() -> None:
    assert plan_as_installed(NOON, make_plan("0 13 * * *")).schedules == list(NOON.schedules)
    gated = make_plan("0 13 * * *", "Europe/Paris")
    assert plan_as_installed(NOON, gated).schedules is gated.schedules
