"""From what is known to one answer: the table of ``runner why``, no clock, no disk, no database."""

from __future__ import annotations

import dataclasses

import pytest
from journals import end_of, skip_of, start_of

from runner.launch.instant import parse_instant
from runner.ledger.asked import Meant
from runner.ledger.fold import fold_event, make_run
from runner.ledger.known import Crontab, Facts, Life
from runner.ledger.tables import Run
from runner.ledger.why import ANSWERS, RAN, Answer, explain

HOST = "ops1.example.org"
SLOT = int(parse_instant("2026-11-25T09:00:00Z"))
NOW = SLOT + 4 * 3600.0
DUE = Meant(SLOT, is_due=True)
NOT_DUE = Meant(SLOT, is_due=False)
# A host that was up before, at and after the slot, in one boot.
ALIVE = Life("2026-11-25T08:59:00Z", "2026-11-25T09:01:00Z", "b1", "b1", "b1", SLOT - 9e5, NOW)
OFF = Life("2026-11-25T04:00:00Z", "2026-11-25T11:00:05Z", "b1", "b2", "b2", SLOT + 7200.0, NOW)


def run_at(outcome: str | None = "ok", **fields: object) -> Run:
    """Return a run or a skip of the slot."""
    start = start_of("nightly", SLOT + 1, slot="2026-11-25T09:00:00Z", **fields)
    runs: dict[str, dict[str, object]] = {}
    if outcome == "skipped":
        fold_event(skip_of("nightly", SLOT + 1, slot="2026-11-25T09:00:00Z"), runs)
    elif outcome:
        fold_event(end_of(start, outcome, reason=fields.get("reason", "")), runs)
    fold_event(start, runs) if outcome != "skipped" else None
    return make_run(*runs.values())


def answer_to(meant: Meant = DUE, **facts: object) -> Answer:
    given = {"host": HOST, "life": ALIVE, **facts}
    return explain(Facts("nightly", meant, **{"now": NOW, **given}))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("outcome", "answer"),
    [
        ("ok", "ran"),
        ("warned", "ran"),
        ("failed", "ran"),
        ("timed_out", "ran"),
        ("stopped", "ran"),
        (None, "running"),
        ("cannot_start", "cannot_start"),
        ("lost", "lost"),
        ("skipped", "skipped"),
    ],
)
def test_a_record_of_the_slot_is_the_answer(outcome: str | None, answer: str) -> None:
    run = run_at(outcome)
    given = answer_to(runs=(run,), pause="by al", elsewhere="not here")
    assert (given.answer, given.run_id, given.outcome, given.log) == (answer, run.run_id, run.outcome, run.log)


def test_a_skip_says_by_what_and_who_held_the_lock() -> None:
    given = answer_to(runs=(run_at("skipped"),))
    assert (given.answer, given.reason, given.detail) == ("skipped", "overlap", "run X")


def test_a_run_comes_before_a_skip_of_the_same_slot() -> None:
    assert answer_to(runs=(run_at("skipped"), run_at("failed"))).answer == "ran"


def test_a_run_by_hand_is_no_answer_to_why_the_slot_did_not_run_but_it_is_told() -> None:
    given = answer_to(runs=(run_at(trigger="hand"),), pause="by al since then")
    assert (given.answer, given.run_id) == ("paused", None)
    assert (given.detail or "").startswith("by al since then; run by hand as 2026")
    assert answer_to(NOT_DUE, runs=(run_at(trigger="hand"),)).detail == "started by hand"


@pytest.mark.parametrize(("trigger", "said"), [("missed", "was missed"), ("rerun", "was lost"), ("chain", "by chain")])
def test_who_started_a_run_is_told_if_it_was_not_cron(trigger: str, said: str) -> None:
    assert said in (answer_to(runs=(run_at(trigger=trigger),)).detail or "")


def test_a_run_on_another_host_names_the_host() -> None:
    assert answer_to(runs=(run_at(host="ops2"),)).detail == "on ops2"


NONE = Crontab(has_plan=False, compiled=None, registered=None, has_schedule=False)


@pytest.mark.parametrize(
    ("meant", "facts", "answer", "reason", "said"),
    [
        (DUE, {"waiting": "20261125T090000.000000Z-a-1"}, "waiting", None, ""),
        (Meant(SLOT, False, "gap"), {}, "gap", "wildcard", "no slot in a gap"),
        (Meant(SLOT, False, "repeated"), {}, "repeated", "fixed", ""),
        (NOT_DUE, {"crontab": NONE}, "not_installed", "absent", "no more"),
        (NOT_DUE, {"crontab": Crontab(registered=False, has_schedule=False, is_enabled=False)}, "disabled", None, ""),
        (NOT_DUE, {"crontab": Crontab(registered=False, has_schedule=False)}, "by_hand", None, ""),
        (DUE, {"elsewhere": "a is none of b*"}, "other_host", "host", "a is none of b*"),
        (NOT_DUE, {"crontab": Crontab(compiled=False, registered=False)}, "no_slot", None, ""),
        (NOT_DUE, {"crontab": Crontab(compiled=False)}, "not_compiled", "schedule", "runner compile"),
        (NOT_DUE, {"crontab": Crontab()}, "not_installed", "schedule", "crontab diff"),
        (DUE, {"crontab": Crontab(has_plan=False)}, "not_installed", "absent", "no install"),
        (
            DUE,
            {"crontab": Crontab(installed_since=SLOT + 60.0)},
            "not_installed",
            "since",
            "since 2026-11-25T09:01:00Z",
        ),
        (DUE, {"now": SLOT - 9.0}, "not_yet", None, ""),
        (DUE, {"now": SLOT + 9.0}, "not_yet", None, ""),
        (DUE, {"now": SLOT - 9.0, "pause": "by al"}, "not_yet", None, "it is paused by al"),
        (DUE, {"pause": "by al"}, "paused", None, "by al"),
        (DUE, {"pause": "by al", "crontab": Crontab(installed_since=NOW)}, "paused", None, "by al"),
        (DUE, {"owed": True, "missed": "once"}, "missed", "once", "still to start"),
        (DUE, {"life": OFF}, "host_off", "boot", "between 2026-11-25T04:00:00Z and 2026-11-25T11:00:05Z"),
        (DUE, {"life": OFF, "missed": "all"}, "host_off", "boot", "missed: all, so the newest 24"),
        (DUE, {"life": Life()}, "cron_off", "sweep", "cron has not called the sweep ever"),
        (DUE, {}, "unknown", None, "nearest at 2026-11-25T08:59:00Z and 2026-11-25T09:01:00Z; missed: skip"),
        (DUE, {"crontab": Crontab(note="the registry has errors")}, "unknown", None, "; the registry has errors"),
    ],
)
def test_without_a_record_the_surest_reason_is_the_answer(
    meant: Meant, facts: dict[str, object], answer: str, reason: str | None, said: str
) -> None:
    given = answer_to(meant, **facts)
    assert (given.answer, given.reason) == (answer, reason)
    assert said in (given.detail or "")


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({}, "host_off"),
        ({"boot_before": ""}, "host_off"),
        ({"seen_after": "", "boot_after": ""}, "host_off"),
        ({"boot_before": "b2"}, "unknown"),
        ({"booted_at": SLOT - 1.0}, "unknown"),
        ({"seen_before": "2026-11-25T08:59:30Z"}, "unknown"),
        # Two boots ago: only records on both sides tell.
        ({"boot_after": "b1x"}, "host_off"),
        ({"boot_after": "b1x", "seen_after": "2026-11-25T09:00:20Z"}, "unknown"),
    ],
)
def test_a_host_was_off_only_if_another_boot_followed_and_nobody_was_seen_near(
    changes: dict[str, object], answer: str
) -> None:
    assert answer_to(life=dataclasses.replace(OFF, **changes)).answer == answer  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("swept_at", "seen_after", "answer"),
    [(SLOT - 600.0, "", "cron_off"), (SLOT + 60.0, "", "unknown"), (SLOT - 600.0, ALIVE.seen_after, "unknown")],
)
def test_cron_is_blamed_only_if_nothing_was_swept_or_recorded_since(
    swept_at: float, seen_after: str, answer: str
) -> None:
    assert answer_to(life=dataclasses.replace(ALIVE, swept_at=swept_at, seen_after=seen_after)).answer == answer


def test_a_fixed_time_in_a_gap_is_answered_for_the_minute_after_it() -> None:
    given = answer_to(Meant(SLOT, True, "moved"), runs=(run_at(),))
    assert (given.answer, given.slot) == ("ran", "2026-11-25T09:00:00Z")
    assert "lies in a gap of the clock" in (given.detail or "")


def test_the_nearest_slots_are_told() -> None:
    given = answer_to(NOT_DUE, crontab=Crontab(compiled=False, registered=False), nearest=(SLOT - 60, None))
    assert (given.before, given.after) == ("2026-11-25T08:59:00Z", None)


def test_every_answer_is_a_word_that_is_explained_and_few_of_them_mean_that_it_ran() -> None:
    assert set(ANSWERS) > RAN
    assert all(word.replace("_", "").isalpha() and text for word, text in ANSWERS.items())
