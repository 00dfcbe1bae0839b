"""Jobs and profiles to plans: their names, what is in them, and that nothing of a machine is."""

from __future__ import annotations

import pytest
from homes import SITE, Home

from runner.launch.plan import Plan, decode_home_plan, decode_plan
from runner.plans.load import load_home


def plan_names(home: Home) -> list[str]:
    return [one.plan.name for one in load_home(home.path).planned]


def read_plan(home: Home, name: str = "job") -> Plan:
    home.compile()
    return decode_plan(home.read(f"crontab.d/plans/{name}.plan"))


@pytest.mark.parametrize(
    ("profile", "names"),
    [
        ("local", ["job"]),
        ("[local]", ["job@local"]),
        ("[prod, local]", ["job@local", "job@prod"]),
    ],
)
def test_a_plan_is_named_by_its_job_and_where_profiles_are_listed_by_the_profile(
    home: Home, profile: str, names: list[str]
) -> None:
    """CRON-11: a list of one is a list."""
    home.write("envs/prod.yaml", "")
    home.write("jobs/all.yaml", f"jobs:\n  job: {{run: jobs/hello.sh, profile: {profile}}}\n")
    assert plan_names(home) == names


def test_plans_are_sorted_by_name_whatever_file_they_are_from(home: Home) -> None:
    home.write("jobs/zzz.yaml", "jobs:\n  a: {run: jobs/hello.sh, profile: local}\n")
    assert plan_names(home) == ["a", "hourly", "nightly"]


def test_every_key_that_a_run_obeys_is_in_its_plan(home: Home) -> None:
    home.job(
        'when: "5 4 * * mon", mailto: [b@x, a@x], hosts: ["*"], timeout: 90s, grace: 0s, survivors: kill, stderr: fail,'
        " stderr_allow: [^x], cwd: data, umask: 022, log: {max_size: 1M, keep: 2d}, env: {A: '{b} \"c\"'}"
    )
    plan = read_plan(home)
    assert (plan.name, plan.job, plan.profile) == ("job", "job", "local")
    assert (plan.mailto, plan.hosts) == (["b@x", "a@x"], ["*"])
    assert (plan.timeout_s, plan.grace_s, plan.log_keep_s, plan.log_max_bytes) == (90, 0, 172800, 1 << 20)
    assert (plan.survivors, plan.stderr, plan.stderr_allow, plan.cwd, plan.umask) == (
        "kill",
        "fail",
        ["^x"],
        "data",
        18,
    )
    assert [(step.condition, step.words) for step in plan.steps] == [("success", ["jobs/hello.sh"])]
    assert [schedule.hours for schedule in plan.schedules] == [1 << 4]
    assert plan.env == [("A", '{b} "c"')]


def test_what_a_job_expects_is_in_its_plan(home: Home) -> None:
    """ALERT-17, ALERT-18."""
    home.job('when: "@daily", expect: {max_duration: 2h, min_duration: 5s, max_age: 26h}')
    plan = read_plan(home)
    assert (plan.max_duration_s, plan.min_duration_s, plan.max_age_s) == (7200, 5, 93600)


def test_a_job_without_recipients_leaves_them_to_the_home(home: Home) -> None:
    """ALERT-6."""
    home.job('when: "@daily"')
    assert read_plan(home).mailto == []


@pytest.mark.parametrize("keys", ['when: "@daily", enabled: false', "tags: [x]"])
def test_a_job_without_a_line_has_a_plan_to_be_run_by_hand(home: Home, keys: str) -> None:
    """CRON-16."""
    home.job(keys)
    assert read_plan(home).schedules == []
    assert b"run-job job" not in home.read("crontab.d/main.crontab")


def test_the_minute_that_spread_chooses_is_the_plans_too(home: Home) -> None:
    """CRON-10: line and plan cannot differ."""
    home.job('when: "0 12 * * *", spread: 30m', name="download-wfc3")
    assert read_plan(home, "download-wfc3").schedules[0].minutes == 1 << 12
    assert b"\n12 12 * * * " in home.read("crontab.d/main.crontab")


def test_the_address_that_hears_of_a_job_names_it(home: Home) -> None:
    home.write(
        "jobs/all.yaml",
        """\
defaults: {profile: local, run: jobs/hello.sh, ping: "https://hc/key/{job}?create=1"}
jobs:
  a: {description: x}
  b: {ping: "https://hc/uuid"}
""",
    )
    home.compile()
    pings = [decode_plan(home.read(f"crontab.d/plans/{name}.plan")).ping for name in "ab"]
    assert pings == ["https://hc/key/a?create=1", "https://hc/uuid"]


def test_what_the_sweep_must_know_without_yaml_is_in_the_plan_of_the_home(home: Home) -> None:
    home.write("envs/site.yaml", f"{SITE}ping: https://hc/{{host}}\nmetrics: /x/runner.prom\n")
    home.compile()
    plan = decode_home_plan(home.read("crontab.d/home.plan"))
    assert (plan.ping, plan.metrics) == ("https://hc/{host}", "/x/runner.prom")


def test_why_a_plan_runs_in_its_profile_is_in_it(home: Home) -> None:
    home.write(
        "jobs/all.yaml", "defaults: {profile: local, run: jobs/hello.sh}\njobs:\n  a: {}\n  b: {profile: local}\n"
    )
    home.compile()
    rules = [decode_plan(home.read(f"crontab.d/plans/{name}.plan")).profile_rule for name in "ab"]
    assert rules == ["of the defaults in jobs/all.yaml", "of the job's entry"]
