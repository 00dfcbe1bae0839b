"""`runner show JOB` has every key, its value and its origin (DESIGN section 5)."""

from runner.registry.job import JOB
from runner.registry.read import parse_registry
from runner.registry.show import Row, show_job

TEXT = b"""\
defaults: {profile: p, env: {A: 1, B: 1}}
jobs:
  a:
    when: "0 11 * * *"
    run: [x, {run: b c, if: always}]
    timeout: 90m
    env:
      B: 2
"""


def rows() -> dict[str, Row]:
    [job] = parse_registry({"jobs/a.yaml": TEXT}, 0).jobs
    return {row.key: row for row in show_job(job)}


def test_every_key_has_a_row() -> None:
    assert {key.partition(".")[0] for key in rows()} == set(JOB.by_name)


def test_a_value_is_shown_as_written_with_its_place() -> None:
    assert rows()["when"] == Row("when", "0 11 * * *", "jobs/a.yaml:4:5")
    assert rows()["run"] == Row("run", "[x, {run: b c, if: always}]", "jobs/a.yaml:5:5")
    assert rows()["timeout"] == Row("timeout", "90m", "jobs/a.yaml:6:5")


def test_a_value_of_defaults_says_so() -> None:
    assert rows()["profile"] == Row("profile", "p", "jobs/a.yaml:1:12 (defaults)")


def test_a_default_is_shown_as_one_could_write_it() -> None:
    assert rows()["log"] == Row("log", "{max_size: 50M, keep: 14d}", "default")
    assert rows()["umask"] == Row("umask", "027", "default")
    assert rows()["hosts"] == Row("hosts", "all", "default")


def test_each_variable_of_a_merged_map_has_its_own_origin() -> None:
    assert rows()["env.A"] == Row("env.A", "1", "jobs/a.yaml:1:30 (defaults)")
    assert rows()["env.B"] == Row("env.B", "2", "jobs/a.yaml:8:7")
