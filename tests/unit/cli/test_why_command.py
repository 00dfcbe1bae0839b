"""``runner why``: the command over real plans, crontab, journal and state (DESIGN section 7)."""

from __future__ import annotations

import os
import time

import pytest
from homes import Home
from journals import Journal, end_of, skip_of, start_of

from runner.home.here import read_host, read_user
from runner.launch.instant import format_instant, parse_instant
from runner.launch.lock import read_lock, try_lock, write_lock
from runner.launch.process import identify, read_boot_id
from runner.launch.state import make_state

DOWN = "sqlite:////nonexistent/directory/runner.db"
SLOT = "2026-11-24T09:30:00Z"
AT = parse_instant(SLOT)
FIELDS = [
    "plan", "slot", "answer", "reason", "run_id", "detail", "outcome", "started_at", "ended_at", "log", "before",
    "after",
]  # fmt: skip


def site(database: str = "") -> str:
    target = f"{{hosts: ['*'], user: {read_user()}, timezone: America/Denver}}"
    line = f'database: "{database}"\n' if database else ""
    return f"name: x\nmail: {{ops: a@b}}\n{line}targets: {{t: {target}}}\n"


@pytest.fixture(params=["ledger", "no ledger"])
def denver(home: Home, request: pytest.FixtureRequest) -> Home:
    """A home in Denver whose job has been installed since long, with a ledger and with one that does not answer."""
    home.write("envs/site.yaml", site("" if request.param == "ledger" else DOWN))
    home.compile()
    make_state(str(home.state))
    home.write("state/installed", _installed("2026-01-01T00:00:00Z"))
    return home


def _installed(since: str, *plans: str) -> str:
    rows = [f"plan {plan}\nsince {since}\nwhen 30 2 * * *\n" for plan in plans or ("nightly",)]
    return "".join(rows) + ".\n"


def tell(home: Home, *events: dict[str, object]) -> None:
    for event in events:
        Journal(home.state).append({**event, "host": read_host()}, day=str(event["at"])[:10])


def stay_up(home: Home, *hours: float) -> None:
    """Tell of another plan's runs in the present boot, hours from the slot; if none is after it, cron is off."""
    for hour in hours:
        start = start_of("other", AT + hour * 3600, boot_id=read_boot_id())
        tell(home, start, end_of(start))


def why(home: Home, *words: str) -> tuple[str, str | None]:
    """Return the answer and its reason."""
    (answer,) = home.runner("why", *words, "--json").objects
    assert list(answer) == FIELDS
    return answer["answer"], answer["reason"]


def test_a_slot_that_ran_is_told_with_its_run_and_log(denver: Home) -> None:
    start = start_of("nightly", AT + 1, slot=SLOT)
    tell(denver, start, end_of(start, "failed", reason="exit 3"))
    answer = denver.runner("why", "nightly", "2026-11-24 02:30")
    assert answer.code == 0
    assert answer.out.splitlines() == [
        "nightly at 2026-11-24 02:30:00: it ran: failed, exit 3",
        f"  run {start['run_id']}, started 2026-11-24 02:30:01, took 2.0 s",
        "  log /state/logs/nightly/x.log",
    ]


def test_a_skip_names_who_held_the_lock(denver: Home) -> None:
    tell(denver, skip_of("nightly", AT + 1, slot=SLOT, detail="run R since 2026-11-24T08:30:00Z, wrapper pid 7"))
    answer = denver.runner("why", "nightly", SLOT)
    assert answer.code == 1
    assert answer.out.splitlines()[1] == "  run R since 2026-11-24 01:30:00, wrapper pid 7"


def test_the_time_may_be_two_words(denver: Home) -> None:
    assert denver.runner("why", "nightly", "yesterday", "02:30", "--json").objects[0]["slot"].endswith("09:30:00Z")


def test_a_time_without_slot_is_told_with_the_slots_around_it(denver: Home) -> None:
    answer = denver.runner("why", "nightly", "2026-11-24 03:00")
    assert answer.code == 1
    assert answer.out.splitlines() == [
        "nightly at 2026-11-24 03:00:00: it was not due then",
        "  slots before and after: 2026-11-24 02:30:00, 2026-11-25 02:30:00",
    ]


def test_a_pause_that_is_over_is_found_in_the_journal(denver: Home) -> None:
    audit = {**start_of(at=AT - 9000), "event": "audit", "user": "al", "sudo_user": None, "detail": "disk full"}
    tell(denver, {**audit, "action": "pause", "job": "nightly"})
    resumed = {**audit, "at": format_instant(AT + 60), "run_id": start_of(at=AT + 60)["run_id"]}
    tell(denver, {**resumed, "action": "resume", "job": "nightly", "detail": ""})
    assert why(denver, "nightly", SLOT) == ("paused", None)
    assert "by al since 2026-11-24 00:00:00: disk full" in denver.runner("why", "nightly", SLOT).out


def test_a_pause_that_ended_by_itself_or_was_of_another_job_is_none(denver: Home) -> None:
    audit = {**start_of(at=AT - 9000), "event": "audit", "user": "al", "action": "pause"}
    tell(denver, {**audit, "job": "hourly", "detail": ""})
    ended = {**audit, "run_id": start_of(at=AT - 8000)["run_id"], "detail": "until 2026-11-24T09:00:00Z: disk"}
    tell(denver, {**ended, "job": "nightly"})
    assert why(denver, "nightly", SLOT)[0] != "paused"


def test_a_pause_on_another_host_that_shares_the_ledger_is_none(denver: Home) -> None:
    audit = {
        **start_of(at=AT - 9000),
        "event": "audit",
        "action": "pause",
        "job": "nightly",
        "user": "al",
        "detail": "",
    }
    Journal(denver.state).append({**audit, "host": "elsewhere"}, day="2026-11-24")
    assert why(denver, "nightly", SLOT)[0] != "paused"


@pytest.mark.parametrize(
    ("until", "answer"), [("", "paused"), ("2026-11-24T10:00:00Z", "paused"), ("2026-11-24T09:00:00Z", "cron_off")]
)
def test_the_pause_file_counts_where_nobody_noted_it(denver: Home, until: str, answer: str) -> None:
    lines = f"author al\nsince 2026-11-20T10:00:00Z\nuntil {until}\nreason disk full\n.\n"
    denver.write("state/pauses/nightly", lines)
    stay_up(denver, -200)
    assert why(denver, "nightly", SLOT)[0] == answer
    assert why(denver, "nightly", "2026-11-19 02:30")[0] == "cron_off"


def test_a_pause_file_that_cannot_be_read_counts(denver: Home) -> None:
    denver.write("state/pauses/nightly", "nonsense")
    assert why(denver, "nightly", SLOT)[0] == "paused"


def test_records_of_other_plans_tell_whether_the_host_was_off(denver: Home) -> None:
    before, after = start_of("hourly", AT - 3600, boot_id="b1"), start_of("hourly", AT + 3600, boot_id="b2")
    tell(denver, before, end_of(before), after, end_of(after))
    assert why(denver, "nightly", SLOT) == ("host_off", "boot")
    assert "between 2026-11-24 01:30:02 and 2026-11-24 03:30:00" in denver.runner("why", "nightly", SLOT).out


def test_a_host_that_was_up_all_the_time_was_not_off(denver: Home) -> None:
    stay_up(denver, -1, 1)
    assert why(denver, "nightly", SLOT) == ("unknown", None)


def test_a_run_that_lasted_over_the_slot_shows_that_the_host_was_up(denver: Home) -> None:
    long = start_of("hourly", AT - 3600, boot_id="b1")
    tell(denver, long, {**end_of(long), "ended_at": format_instant(AT + 3600)})
    assert why(denver, "nightly", SLOT) == ("unknown", None)


def test_the_present_boot_is_taken_from_the_kernel(denver: Home) -> None:
    stay_up(denver, -1)
    (denver.state / "sweep.alive").touch()
    assert why(denver, "nightly", SLOT) == ("unknown", None)


def test_a_sweep_that_cron_calls_no_more_is_noticed(denver: Home) -> None:
    stay_up(denver, -1)
    alive = denver.write("state/sweep.alive", "")
    os.utime(alive, (AT - 3000, AT - 3000))
    assert why(denver, "nightly", SLOT) == ("cron_off", "sweep")


def test_a_job_that_is_in_no_crontab_is_told_so(denver: Home) -> None:
    assert why(denver, "hourly", SLOT[:14] + "00:00Z") == ("not_installed", "absent")


def test_a_slot_before_the_install_is_told_with_its_time(denver: Home) -> None:
    denver.write("state/installed", _installed("2026-11-24T10:00:00Z"))
    assert why(denver, "nightly", SLOT) == ("not_installed", "since")


def test_the_schedule_of_the_crontab_counts_and_a_newer_one_is_named(denver: Home) -> None:
    nightly = 'jobs: {nightly: {when: "45 2 * * *", run: jobs/hello.sh, profile: local}}\n'
    denver.write("jobs/all.yaml", nightly)
    stay_up(denver, -2)
    assert why(denver, "nightly", "2026-11-24 02:45") == ("not_compiled", "schedule")
    denver.compile()
    assert why(denver, "nightly", "2026-11-24 02:45") == ("not_installed", "schedule")
    assert why(denver, "nightly", "2026-11-24 02:30")[0] == "cron_off"


def test_a_disabled_job_and_one_without_schedule_are_told_apart(denver: Home) -> None:
    denver.write("state/installed", ".\n")
    denver.job('when: "@daily", enabled: false')
    assert why(denver, "job", "02:00")[0] == "disabled"
    denver.compile()
    assert why(denver, "job", "02:00")[0] == "disabled"
    denver.job("description: by hand")
    denver.compile()
    assert why(denver, "job", "02:00")[0] == "by_hand"


def test_a_job_of_another_host_is_told_so(denver: Home) -> None:
    denver.job('when: "30 2 * * *", hosts: [elsewhere]', name="nightly")
    denver.compile()
    assert why(denver, "nightly", SLOT) == ("other_host", "host")


def test_a_broken_registry_does_not_keep_the_answer_from_being_given(denver: Home) -> None:
    denver.write("jobs/all.yaml", "jobs: [")
    stay_up(denver, -2)
    assert why(denver, "nightly", SLOT)[0] == "cron_off"


def test_a_gap_of_the_clock_is_told(denver: Home) -> None:
    denver.write("state/installed", _installed("2026-01-01T00:00:00Z").replace("30 2 * * *", "*:0,30 * * * *"))
    assert why(denver, "nightly", "2026-03-08 02:30") == ("gap", "wildcard")
    denver.write("state/installed", _installed("2026-01-01T00:00:00Z"))
    moved = start_of("nightly", parse_instant("2026-03-08T09:00:01Z"), slot="2026-03-08T09:00:00Z")
    tell(denver, moved, end_of(moved))
    answer = denver.runner("why", "nightly", "2026-03-08 02:30")
    assert answer.out.splitlines()[0] == "nightly at 2026-03-08 03:00:00: it ran: ok"


def test_a_minute_that_came_twice_has_an_answer_for_each_slot(denver: Home) -> None:
    denver.write("state/installed", _installed("2026-01-01T00:00:00Z").replace("30 2 * * *", "*:0,30 * * * *"))
    answers = denver.runner("why", "nightly", "2026-11-01 01:30", "--json").objects
    assert [answer["slot"] for answer in answers] == ["2026-11-01T07:30:00Z", "2026-11-01T08:30:00Z"]


def test_a_job_of_several_plans_has_an_answer_for_each_and_ran_only_if_all_did(denver: Home) -> None:
    denver.write("envs/prod.yaml", "")
    denver.write("jobs/all.yaml", 'jobs: {nightly: {when: "30 2 * * *", run: jobs/hello.sh, profile: [local, prod]}}\n')
    denver.write("state/installed", _installed("2026-01-01T00:00:00Z", "nightly@local", "nightly@prod"))
    denver.compile()
    start = start_of("nightly@prod", AT + 1, slot=SLOT)
    tell(denver, start, end_of(start))
    answer = denver.runner("why", "nightly", SLOT, "--json")
    assert [(one["plan"], one["answer"]) for one in answer.objects] == [
        ("nightly@local", "unknown"),
        ("nightly@prod", "ran"),
    ]
    assert answer.code == 1
    assert denver.runner("why", "nightly@prod", SLOT).code == 0


def test_a_job_that_only_the_history_knows_has_an_answer(denver: Home) -> None:
    start = start_of("old", AT + 1, slot=SLOT)
    tell(denver, start, end_of(start))
    assert why(denver, "old", SLOT) == ("ran", None)
    assert why(denver, "old", "2026-11-24 09:00") == ("not_installed", "absent")


def test_an_unknown_job_is_a_mistake_with_the_nearest_name(denver: Home) -> None:
    answer = denver.runner("why", "nigthly", SLOT)
    assert answer.code == 2
    assert answer.err.splitlines()[-1] == 'no job or plan is called "nigthly"; did you mean "nightly"?'


def test_a_bad_time_is_a_mistake_with_examples(denver: Home) -> None:
    answer = denver.runner("why", "nightly", "noon")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith('"noon" is no time; write one like 2026-11-25T02:00, ')


def test_a_slot_to_come_is_not_due_yet(denver: Home) -> None:
    at = time.strftime("%Y-%m-%d", time.localtime(time.time() + 172_800))
    assert why(denver, "nightly", f"{at} 02:30")[0] == "not_yet"


def test_a_run_that_waits_for_its_turn_is_named(denver: Home) -> None:
    """RUN-11."""
    path = denver.state / "locks" / "nightly+wait"
    descriptor, _ = try_lock(str(path))
    record = read_lock(descriptor)
    record.run_id, record.boot_id, record.slots = "R", read_boot_id(), [SLOT]
    record.wrapper = identify(os.getpid())
    write_lock(descriptor, record)
    os.close(descriptor)
    assert why(denver, "nightly", SLOT)[0] == "waiting"
    assert "  run R" in denver.runner("why", "nightly", SLOT).out.splitlines()
    assert why(denver, "nightly", "2026-11-23 02:30")[0] != "waiting"
