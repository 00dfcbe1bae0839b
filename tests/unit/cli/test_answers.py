"""What commands answer: for programs the fields of DESIGN sections 6 and 7, for people a table."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from datetime import datetime, timedelta, timezone

import pytest
from homes import REGISTRY, Home
from journals import NOW, make_journal, run_of
from lab import CALLER
from letters import make_entry

from runner.home.here import read_user
from runner.launch.outbox import write_entry
from runner.launch.state import make_state

RUN_FIELDS = {
    "run_id", "job", "profile", "slot", "started_at", "ended_at", "duration_s", "outcome", "reason", "exit_code",
    "signal", "attempts", "host", "release", "log", "cpu_s", "max_rss_bytes", "stdout_bytes", "stderr_bytes", "alerted",
}  # fmt: skip
JOB_OF_KOLKATA = 'jobs:\n  own: {when: "0 12 * * *", timezone: Asia/Kolkata, run: jobs/hello.sh, profile: local}\n'


def use_zone_of_target(home: Home, zone: str) -> None:
    target = f"{{hosts: ['*'], user: {read_user()}, timezone: {zone}}}"
    home.write("envs/site.yaml", f"name: x\nmail: {{ops: a@b}}\ntargets: {{t: {target}}}\n")


def run_job(home: Home, name: str, *words: str) -> int:
    command = [home.path / "wrappers" / "run-job", name, *words]
    return subprocess.run(command, env=CALLER, capture_output=True, check=False).returncode


@pytest.fixture
def used(home: Home) -> Home:
    """A home with a good and a bad run."""
    home.script("bad.sh", "echo no photons >&2; exit 3")
    home.write("jobs/bad.yaml", "jobs:\n  bad: {run: jobs/bad.sh, profile: [local]}\n")
    home.compile()
    assert run_job(home, "nightly", "--hand") == 0
    assert run_job(home, "bad@local") == 3
    return home


# next


def test_next_gives_a_line_for_each_slot_strictly_after_an_instant(home: Home) -> None:
    use_zone_of_target(home, "UTC")
    answer = home.runner("next", "nightly", "--from", "2026-03-08T02:30:00Z", "-n", "2", "--json")
    assert [(row["slot"], row["local"]) for row in answer.objects] == [
        ("2026-03-09T02:30:00Z", "2026-03-09T02:30:00+00:00"),
        ("2026-03-10T02:30:00Z", "2026-03-10T02:30:00+00:00"),
    ]


def test_next_of_all_jobs_is_in_order_of_time_and_names_the_plan(home: Home) -> None:
    use_zone_of_target(home, "UTC")
    lines = home.runner("next", "--from", "2026-03-08T01:30:00Z", "-n", "3").out.splitlines()
    assert [(line.split()[0], line.split()[-1]) for line in lines] == [
        ("2026-03-08T02:00:00Z", "hourly"),
        ("2026-03-08T02:30:00Z", "nightly"),
        ("2026-03-08T03:00:00Z", "hourly"),
    ]


def test_next_goes_by_the_zone_of_the_target(home: Home) -> None:
    """CRON-33: the slots of a day on which the clock changes."""
    use_zone_of_target(home, "America/New_York")
    (slot,) = home.runner("next", "nightly", "--from", "2026-03-08T00:00:00Z", "-n", "1", "--json").objects
    assert (slot["slot"], slot["local"]) == ("2026-03-08T07:00:00Z", "2026-03-08T03:00:00-04:00")


def test_next_and_status_go_by_a_jobs_own_clock(home: Home) -> None:
    """CRON-36; the others by that of their target."""
    use_zone_of_target(home, "America/New_York")
    home.write("jobs/own.yaml", JOB_OF_KOLKATA)
    home.compile()
    (slot,) = home.runner("next", "own", "--from", "2026-03-08T00:00:00Z", "-n", "1", "--json").objects
    assert (slot["slot"], slot["local"]) == ("2026-03-08T06:30:00Z", "2026-03-08T12:00:00+05:30")
    next_slots = {row["plan"]: row["next_slot"] for row in home.runner("status", "--json").objects}
    assert next_slots["own"].endswith("T06:30:00Z")
    assert next_slots["nightly"][11:] in ("06:30:00Z", "07:30:00Z", "07:00:00Z")


def test_show_gives_the_gated_lines_of_a_job_with_a_clock_of_its_own(home: Home) -> None:
    use_zone_of_target(home, "UTC")
    home.write("jobs/own.yaml", JOB_OF_KOLKATA)
    assert home.runner("show", "own", "--json").objects[0]["lines"] == [
        f"30 6 * * * {home.path}/wrappers/run-job own",
    ]


def test_a_job_that_is_never_due_has_no_next_slot(home: Home) -> None:
    home.job('when: "@daily", enabled: false')
    answer = home.runner("next", "job")
    assert (answer.code, answer.out) == (0, "")
    assert answer.err == "job is disabled (enabled: false): cron does not run it\n"


def test_a_job_without_schedule_has_no_next_slot_and_is_told_so(home: Home) -> None:
    home.job("description: by hand")
    answer = home.runner("next", "job")
    assert (answer.out, answer.err) == ("", "job has no when: it runs by hand only\n")


# check


def test_check_gives_an_object_for_each_mistake(home: Home) -> None:
    home.job("timout: 5m")
    answer = home.runner("check", "--json")
    assert answer.code == 2
    (fault,) = answer.objects
    assert fault == {
        "file": "jobs/all.yaml",
        "line": 2,
        "column": 45,
        "level": "error",
        "message": 'unknown key "timout"',
        "hint": 'did you mean "timeout"?',
    }


def test_check_of_a_good_home_answers_nothing_and_counts_on_stderr(home: Home) -> None:
    answer = home.runner("check")
    assert (answer.code, answer.out) == (0, "")
    assert answer.err.startswith("0 errors, 0 warnings\n")
    assert home.runner("check", "--json").out == ""


# show


def test_show_is_one_object_with_every_key_its_origin_and_the_lines(home: Home) -> None:
    (answer,) = home.runner("show", "nightly", "--json").objects
    assert answer["job"] == "nightly"
    assert answer["keys"]["when"] == {"key": "when", "value": "30 2 * * *", "origin": "jobs/all.yaml:3:13"}
    assert answer["keys"]["profile"]["origin"] == "jobs/all.yaml:1:12 (defaults)"
    assert answer["keys"]["timeout"] == {"key": "timeout", "value": "6h", "origin": "default"}
    assert answer["lines"] == [f"30 2 * * * {home.path}/wrappers/run-job nightly"]


def test_show_ends_with_the_lines_of_all_profiles(home: Home) -> None:
    home.write("envs/prod.yaml", "")
    home.write(
        "jobs/all.yaml", 'jobs:\n  job: {run: jobs/hello.sh, when: ["@daily", "@hourly"], profile: [local, prod]}\n'
    )
    lines = home.runner("show", "job").out.splitlines()[-4:]
    assert [line.rpartition("/")[2] for line in lines] == ["run-job job@local"] * 2 + ["run-job job@prod"] * 2


def test_show_says_so_where_a_job_has_no_line(home: Home) -> None:
    home.job('when: "@daily", enabled: false')
    assert home.runner("show", "job").out.splitlines()[-1] == "no line in the crontab"


# status, history, logs


def test_status_is_a_line_for_each_plan(used: Home) -> None:
    bad, hourly, nightly = used.runner("status", "--json").objects
    assert list(bad) == ["plan", "state", "outcome", "run_id", "last_slot", "next_slot", "paused", "incident"]
    assert (bad["plan"], bad["state"], bad["outcome"], bad["next_slot"]) == ("bad@local", "ended", "failed", None)
    assert bad["incident"] == bad["run_id"]
    assert (hourly["plan"], hourly["state"], hourly["run_id"]) == ("hourly", None, None)
    assert (nightly["outcome"], nightly["incident"], nightly["paused"]) == ("ok", None, None)
    assert nightly["next_slot"].endswith(":30:00Z")


def test_status_tells_people_who_is_in_trouble_since_when(used: Home) -> None:
    used.write("state/pauses/hourly", "author al\nsince 2026-03-08T07:00:00Z\nuntil \nreason maintenance\n")
    lines = {line.split()[0]: line for line in used.runner("status").out.splitlines()[1:]}
    assert " bad since " in lines["bad@local"]
    assert re.search(r"paused by al since 2026-03-0. \d\d:\d\d:00: maintenance$", lines["hourly"])
    assert "bad" not in lines["nightly"]


def test_status_shows_people_first_what_is_wrong_and_last_what_is_disabled(used: Home) -> None:
    used.write("state/pauses/nightly", "author al\nsince 2026-03-08T07:00:00Z\n")
    used.write("jobs/all.yaml", REGISTRY + '  aaa: {when: "@daily", run: jobs/hello.sh, enabled: false}\n')
    used.compile()
    rows = [line.split()[0] for line in used.runner("status").out.splitlines()[1:]]
    assert rows == ["bad@local", "nightly", "hourly", "aaa"]
    assert used.runner("status", "--json").objects[0]["state"] is None


def test_status_says_on_stderr_how_much_mail_does_not_get_through(used: Home) -> None:
    """ALERT-11."""
    make_state(str(used.state))
    write_entry(str(used.state), make_entry(1, tries=3))
    write_entry(str(used.state), make_entry(2, at=time.time()))
    (used.state / "outbox" / "dead").mkdir()
    write_entry(str(used.state), make_entry(3))
    (used.state / "outbox" / make_entry(3).name).rename(used.state / "outbox" / "dead" / make_entry(3).name)

    assert used.runner("status").err.splitlines() == [
        "runner: undelivered mail 1, oldest 2026-11-18T11:06:40Z",
        "runner: mail that nobody will get: 1, in outbox/dead of the state",
    ]


def test_status_and_history_show_the_time_of_the_target(home: Home) -> None:
    use_zone_of_target(home, "Asia/Kathmandu")
    home.compile()
    assert run_job(home, "nightly", "--hand") == 0
    (run,) = home.runner("history", "--json").objects
    with_offset = datetime.fromisoformat(run["started_at"]).astimezone(timezone(timedelta(hours=5, minutes=45)))
    assert with_offset.strftime("%H:%M:%S  nightly ") in home.runner("history").out
    assert with_offset.strftime("%H:%M, ") in home.runner("status").out.splitlines()[-1]


def test_status_of_a_home_without_output_says_what_to_do(home: Home) -> None:
    answer = home.runner("status")
    assert (answer.code, answer.err) == (0, 'nothing is compiled here; run "runner compile"\n')


def test_history_is_a_line_for_each_run_the_newest_first(used: Home) -> None:
    bad, nightly = used.runner("history", "--json").objects
    assert bad.keys() >= RUN_FIELDS
    assert (bad["job"], bad["profile"], bad["outcome"], bad["exit_code"]) == ("bad", "local", "failed", 3)
    assert (bad["alerted"], bad["stderr_bytes"], bad["attempts"]) == ("first", 11, 1)
    assert (nightly["job"], nightly["outcome"], nightly["stdout_bytes"]) == ("nightly", "ok", 6)
    assert nightly["slot"].endswith("Z")
    assert nightly["started_at"].endswith("Z")


@pytest.mark.parametrize(
    ("words", "jobs"),
    [
        (["bad"], ["bad"]),
        (["bad@local"], ["bad"]),
        (["hourly"], []),
        (["-n", "1"], ["bad"]),
        (["-n", "0"], ["bad", "nightly"]),
    ],
)
def test_history_can_be_asked_for_a_job_a_plan_and_a_number(used: Home, words: list[str], jobs: list[str]) -> None:
    assert [run["job"] for run in used.runner("history", *words, "--json").objects] == jobs


def test_history_shows_people_a_table(used: Home) -> None:
    header, bad, nightly = used.runner("history").out.splitlines()
    assert header.split() == ["STARTED", "PLAN", "OUTCOME", "TOOK", "REASON", "RUN"]
    assert " failed " in bad
    assert nightly.endswith(used.runner("history", "nightly", "--json").objects[0]["run_id"])


def test_history_of_a_job_that_never_was_is_answered_with_no_and_the_nearest_name(used: Home) -> None:
    answer = used.runner("history", "nigthly", "--json")
    assert (answer.code, answer.out) == (1, "")
    assert answer.err == 'no job or plan is called "nigthly"; did you mean "nightly"?\n'
    assert used.runner("history", "hourly").code == 0


def test_history_says_for_which_slot_a_late_run_was(home: Home) -> None:
    journal = make_journal(home.state)
    journal.append(*run_of("late", NOW, slot="2026-11-21T11:00:00Z", reason="exit 3"))
    (line,) = home.runner("history").out.splitlines()[1:]
    assert "exit 3, due " in line


def test_following_one_of_several_plans_names_the_others(used: Home) -> None:
    (used.state / "logs" / "nightly@prod").mkdir()
    command = [sys.executable, "-m", "runner.cli.main", "--home", str(used.path), "logs", "-f", "nightly"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as follower:
        assert follower.stderr
        assert follower.stderr.readline() == b"runner: of 2 plans nightly is followed; others: nightly@prod\n"
        follower.terminate()


def test_logs_are_those_of_a_job_a_run_or_the_newest(used: Home) -> None:
    _, nightly = used.runner("history", "--json").objects
    assert "no photons\n" in used.runner("logs").out
    assert "no photons\n" in used.runner("logs", "bad").out
    assert used.runner("logs", nightly["run_id"]).out == used.runner("logs", "nightly").out
    assert "\nhello\n" in used.runner("logs", "nightly").out


def test_what_a_job_wrote_cannot_forge_a_table(home: Home) -> None:
    """SEC-10."""
    home.write("state/pauses/nightly", "author \x1b[2J\nsince \x07now\n")
    home.compile()
    assert "paused by \\x1b[2J since \\x07now" in home.runner("status").out


# sweep


def test_the_sweep_says_of_each_chore_what_it_did(used: Home) -> None:
    answers = used.runner("sweep", "--json").objects
    assert [set(answer) >= {"chore", "did", "code"} for answer in answers] == [True] * len(answers)
    assert {"close", "drain"} <= {answer["chore"] for answer in answers}
    assert {answer["code"] for answer in answers} == {0}
