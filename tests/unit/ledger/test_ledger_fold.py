"""Events become the same run in whatever order and however often they come (RUN-16)."""

from itertools import permutations

import pytest
from journals import NOW, end_of, skip_of, start_of

from runner.launch.journal import LOST_SEQ, encode_event
from runner.ledger.fold import Batch, Facts, fold_event, fold_lines, make_run
from runner.ledger.tables import Run

START = start_of()
END = end_of(START, "failed", exit_code=3, reason="exit 3")
LOST = end_of(START, "lost", seq=LOST_SEQ, exit_code=None, reason="its wrapper was killed")


def _fold(*events: dict[str, object]) -> Run:
    runs: dict[str, Facts] = {}
    for event in events:
        fold_event(dict(event), runs)
    (facts,) = runs.values()
    return make_run(facts)


def test_a_start_alone_is_a_running_run() -> None:
    run = _fold(START)

    assert (run.state, run.outcome, run.ended_at) == ("running", None, None)


def test_start_and_end_are_one_run_that_keeps_what_only_the_start_says() -> None:
    run = _fold(START, END)

    assert (run.state, run.outcome, run.exit_code, run.reason) == ("ended", "failed", 3, "exit 3")
    assert (run.pid, run.mailto, run.timeout_s) == (4242, "ql@example.org ops@example.org", 21600.0)


@pytest.mark.parametrize("events", list(permutations([START, END, LOST])))
def test_the_wrappers_own_end_counts_before_the_sweeps_in_any_order(events: tuple[dict[str, object], ...]) -> None:
    assert _fold(*events) == _fold(START, END)


def test_an_event_that_comes_again_changes_nothing() -> None:
    assert _fold(START, END, START, END) == _fold(START, END)


def test_an_end_without_start_is_a_run_all_the_same() -> None:
    run = _fold(END)

    assert (run.plan, run.started_at, run.outcome, run.pid) == ("download", START["started_at"], "failed", None)


def test_a_skipped_slot_is_a_run_of_no_length() -> None:
    run = _fold(skip_of(at=NOW + 0.25, reason="paused"))

    assert (run.outcome, run.reason, run.detail, run.duration_s, run.attempts) == ("skipped", "paused", "run X", 0.0, 0)
    assert run.started_at == run.ended_at == "2026-11-21T12:00:00.250000Z"


def test_a_history_line_has_exactly_the_promised_fields() -> None:
    promised = (
        "run_id job profile slot started_at ended_at duration_s outcome reason exit_code signal attempts host release"
        " log cpu_s max_rss_bytes stdout_bytes stderr_bytes alerted"
    )

    more = "plan state trigger detail account command profile_rule plan_digest environment_digest packages_digest"
    assert " ".join(_fold(START, END).describe()) == f"{promised} {more}"


def test_bad_lines_are_set_apart_and_the_others_counted() -> None:
    batch = Batch()

    fold_lines("2026-11-21.jsonl", [(1, encode_event(START).strip()), (900, b'{"torn'), (910, b"no")], batch)

    assert batch.count == 1
    assert [(one.name, one.position, one.line) for one in batch.rejected] == [
        ("2026-11-21.jsonl", 900, '{"torn'),
        ("2026-11-21.jsonl", 910, "no"),
    ]


def test_events_beside_a_run_are_kept_with_their_line() -> None:
    batch = Batch()
    line = encode_event({"event": "attempt", "at": START["at"], "run_id": START["run_id"], "seq": 2, "pid": 7}).strip()

    fold_lines("2026-11-21.jsonl", [(1, line)], batch)

    assert batch.others == [(START["run_id"], 2, "attempt", START["at"], line.decode())]


def test_what_nobody_knows_of_an_event_spoils_no_field_of_its_run() -> None:
    """An event of a newer wrapper: what it adds may be of any type, what it leaves out is unknown."""
    start = {name: value for name, value in START.items() if name != "mailto"}

    run = _fold(start, {**END, "mailto": [["x"]], "pid": "y", "later": {}})

    assert (run.mailto, run.pid, run.outcome) == (None, 4242, "failed")
