"""``jobs/*.yaml`` becomes jobs, or all that is wrong with it in one go."""

import gc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.errors import FaultsFound
from runner.registry.job import JOB, Log
from runner.registry.read import Registry, examine_registry, parse_registry, read_registry
from runner.registry.steps import Step

DATA = Path(__file__).parents[2] / "data" / "registry"
NOW = 1.77e9
ENTRY = 'when: "0 11 * * *", run: jobs/a, profile: p'


def parse(**texts: str) -> Registry:
    return parse_registry({f"jobs/{name}.yaml": text.encode() for name, text in texts.items()}, NOW)


def faults(text: str) -> list[str]:
    return [str(fault) for fault in parse(a=text).faults]


def job_faults(*lines: str) -> list[str]:
    """The faults of one entry, without their file; its own lines begin at line 3, column 3."""
    given = {line.partition(":")[0] for line in lines}
    rest = [line for line in ("run: jobs/a", "profile: p") if line.partition(":")[0] not in given]
    text = "jobs:\n a:\n" + "".join(f"  {line}\n" for line in (*lines, *rest))
    return [fault.removeprefix("jobs/a.yaml:") for fault in faults(text)]


def test_four_lines_are_a_job_with_every_default() -> None:
    [job] = parse(a=f"jobs:\n  download-wfc3: {{{ENTRY}}}\n").jobs
    assert (job.id, job.profiles, job.plan_names) == ("download-wfc3", ("p",), (("download-wfc3", "p"),))
    assert [when.text for when in job.when] == ["0 11 * * *"]
    assert job.steps == (Step("success", ("jobs/a",)),)
    assert (job.timeout_s, job.grace_s, job.spread_s, job.umask) == (21600, 10, 0, 0o027)
    assert (job.survivors, job.overlap, job.missed, job.stderr) == ("report", "skip", "skip", "warn")
    assert (job.env, job.secrets, job.hosts, job.mailto, job.cwd, job.timezone) == ((), (), (), (), "", "")
    assert job.log == Log(50 << 20, 14 * 86400)
    assert job.enabled


def test_values_read_naturally_without_quotes() -> None:
    text = f"jobs: {{a: {{{ENTRY}, timeout: 90s, enabled: false, umask: 077, tags: [1, 2], description: 007}}}}"
    [job] = parse(a=text).jobs
    assert (job.timeout_s, job.enabled, job.umask, job.tags, job.description) == (90, False, 0o077, ("1", "2"), "007")


def test_a_list_of_profiles_names_its_plans_by_profile() -> None:
    """CRON-11; running.md: a list even of one."""
    jobs = parse(a="jobs: {a: {run: x, profile: [p, q]}, b: {run: x, profile: [p]}}").jobs
    assert [job.plan_names for job in jobs] == [(("a@p", "p"), ("a@q", "q")), (("b@p", "p"),)]


def test_the_entry_wins_over_defaults_and_maps_replace_but_env_merges() -> None:
    text = """
defaults: {profile: p, timeout: 1h, log: {max_size: 1M, keep: 1d}, env: {A: 1, B: 1}, mailto: [x, y]}
jobs:
  a: {run: x, log: {keep: 2d}, env: {B: 2, C: 2}, mailto: z}
  b: {run: x}
"""
    first, second = parse(a=text).jobs
    assert first.log == Log(50 << 20, 2 * 86400)
    assert first.env == (("A", "1"), ("B", "2"), ("C", "2"))
    assert (first.timeout_s, first.mailto) == (3600, ("z",))
    assert (second.log, second.mailto) == (Log(1 << 20, 86400), ("x", "y"))


def test_jobs_of_all_files_are_sorted_by_id() -> None:
    registry = parse(b="jobs: {b: {run: x, profile: p}}", a="jobs: {c: {run: x, profile: p}, a: {run: x, profile: p}}")
    assert [job.id for job in registry.jobs] == ["a", "b", "c"]


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "jobs:\n", "jobs: {}\n", "defaults:\njobs:\n", "---\n"])
def test_a_registry_may_be_empty(text: str) -> None:
    assert parse(a=text) == Registry((), ())


def test_ten_different_mistakes_are_ten_places() -> None:
    """Issue 2; the messages are those of the examples in crontab.md."""
    text = (DATA / "ten_mistakes.yaml").read_bytes()
    registry = parse_registry({"jobs/wfc3.yaml": text}, NOW)
    expected = (DATA / "ten_mistakes.txt").read_text().splitlines()
    assert [str(fault) for fault in registry.faults] == expected
    assert len({(fault.line, fault.column) for fault in registry.faults}) == 10


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("when: */5 * * * *", '3:9: a value beginning with * is an alias in YAML; quote it: "*/5 * * * *"'),
        ("timeot: 1h", '3:3: unknown key "timeot"; did you mean "timeout"?'),
        ("timeout: 0", '3:12: "0" is no time at all; write one like 90s, 30m, 6h, or none for no limit'),
        ("survivors: kil", '3:14: "kil" is not possible here; did you mean "kill"? (one of report, kill, allow)'),
        ("env: {RUNNER_HOME: x}", "3:9: RUNNER_HOME is set for every run, to what it is"),
        ("env: [A]", "3:8: keys with values are needed here; like KEY: VALUE"),
        ("profile: [p, p]", "3:12: a profile stands here twice"),
        ("profile: []", "3:12: a list of profiles without one"),
        ("profile: ../x", '3:12: "../x" is not a profile name; the stem of a file in envs/'),
        ("overlap: queue", '3:12: "queue" is not possible here; one of allow, replace, skip, wait'),
        ("retries: {times: 0}", '3:20: "0" is not a whole number from 1 to 100'),
        ("retries: {delay: 1m}", '3:12: "times" is missing; how many more attempts'),
        ("expect: {max_ago: 1d}", '3:12: unknown key "max_ago"; did you mean "max_age"?'),
        ("limits: {memory: [8G, 2G]}", "3:20: each rung of memory must be larger than the one before"),
        ("secrets: {A: hunter2}", '3:16: "hunter2" is not a secret; '
         "write file:/PATH: secrets stay in files of their own"),
        ("description: \"a\\nb\"", "3:16: control character U+000A in a value; "
         "write it on one line, or with >- over several"),
        ("run: [a, b | c]", "3:12: no shell will interpret |; "
         "write a script, or a list of steps; quote it to pass it as it is"),
        ("run:", "3:7: a value is missing"),
        ("when: [\"0 1 * * *\", \"61 1 * * *\"]", "3:23: minute 61 is not in 0-59"),
        ("when: \"*/45 * * * *\"", '3:9: warning: minute "*/45" is not every 45: it means 0,45'),
    ],
)  # fmt: skip
def test_each_mistake_is_told_where_it_is_and_what_to_do(line: str, fault: str) -> None:
    assert sorted(job_faults(line)) == sorted(fault.splitlines())


@pytest.mark.parametrize(
    "line",
    [
        "overlap: skip",
        "missed: skip",
        "rerun_lost: false",
        "retries: none",
        "expect: none",
        "limits: none",
        "secrets: {}",
    ],
)
def test_a_default_may_be_written_down(line: str) -> None:
    assert job_faults(line) == []


def test_spread_shifts_the_schedule_of_the_job() -> None:
    """CRON-10."""
    [job] = parse(a='jobs: {index-wfc3: {when: "0 12 * * *", run: x, profile: p, spread: 30m}}').jobs
    assert [when.text for when in job.when] == ["26 12 * * *"]


def test_a_schedule_that_cannot_be_spread_is_an_error_at_the_schedule() -> None:
    assert job_faults('when: ["0 1 * * *", "* 1 * * *"]', "spread: 30m") == [
        '3:23: spread needs one minute to start from, not "*"'
    ]


def test_required_keys_are_missed_at_the_id() -> None:
    assert faults('jobs:\n  a: {when: "0 1 * * *"}\n  b:\n') == [
        'jobs/a.yaml:2:3: job "a" has no "profile"; the environment it runs in, or a list',
        'jobs/a.yaml:2:3: job "a" has no "run"; a command line, or a list of steps',
        'jobs/a.yaml:3:3: job "b" has no "profile"; the environment it runs in, or a list',
        'jobs/a.yaml:3:3: job "b" has no "run"; a command line, or a list of steps',
    ]


def test_a_mistake_in_defaults_is_told_once() -> None:
    assert len(faults(f"defaults: {{timeout: 1x}}\njobs: {{a: {{{ENTRY}}}, b: {{{ENTRY}}}}}\n")) == 1


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("job: {}", '1:1: unknown key "job"; did you mean "jobs"?'),
        ("- a", "1:1: keys with values are needed here; like KEY: VALUE"),
        ("jobs: [a]", "1:7: keys with values are needed here; like KEY: VALUE"),
        ("jobs: {a: jobs/x.py}", "1:11: keys with values are needed here; like KEY: VALUE"),
        ("defaults: x", "1:11: keys with values are needed here; like KEY: VALUE"),
    ],
)
def test_what_is_not_a_registry_is_told_so(text: str, fault: str) -> None:
    assert faults(text) == [f"jobs/a.yaml:{fault}"]


@pytest.mark.parametrize("name", ["A", "_a", "a.b", "a@b", "--sweep", "x" * 65, "é"])
def test_job_ids_are_plain(name: str) -> None:
    assert f'"{name}" is not a job id' in faults(f'jobs: {{"{name}": {{run: x, profile: p}}}}')[0]


def test_a_job_id_in_two_files_names_both_places() -> None:
    """FAULT-21."""
    registry = parse(a=f"jobs:\n  x: {{{ENTRY}}}\n", b=f"jobs:\n\n  x: {{{ENTRY}}}\n")
    assert [str(fault) for fault in registry.faults] == [
        'jobs/b.yaml:3:3: job id "x" is given twice, first at jobs/a.yaml:2:3'
    ]


def test_a_job_id_twice_in_one_file_names_both_places() -> None:
    """FAULT-21."""
    assert faults(f"jobs:\n  x: {{{ENTRY}}}\n  x: {{{ENTRY}}}\n") == [
        'jobs/a.yaml:3:3: "x" is given twice, first at jobs/a.yaml:2:3'
    ]


def test_another_room_can_complain_at_the_value_of_a_key() -> None:
    [job] = parse(a="defaults: {profile: p}\njobs:\n  a:\n    run: x\n").jobs
    places = [
        (fault.line, fault.column) for fault in (job.fault("run", ""), job.fault("profile", ""), job.fault("cwd", ""))
    ]
    assert places == [(4, 10), (1, 21), (3, 3)]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "jobs").mkdir()
    return tmp_path


def test_all_files_of_a_home_are_read_and_warnings_kept(home: Path) -> None:
    (home / "jobs/a.yaml").write_text(f"jobs: {{a: {{{ENTRY}}}}}")
    (home / "jobs/b.yaml").write_text('jobs: {b: {when: "*/7 * * * *", run: x, profile: p}}')
    (home / "jobs/.b.yaml").write_text("not: read")
    (home / "jobs/c.yml").write_text("not: read")
    (home / "jobs/script.py").write_text("pass")
    registry = read_registry(home, NOW)
    assert [job.id for job in registry.jobs] == ["a", "b"]
    assert [str(fault) for fault in registry.faults][1:] == ["jobs/c.yml: warning: is not read; call it c.yaml"]


def test_mistakes_of_all_files_are_raised_in_one_go(home: Path) -> None:
    (home / "jobs/a.yaml").write_text("jobs: {a: {run: x}}")
    (home / "jobs/b.yaml").write_text("jobs: [")
    (home / "jobs/c.yaml").mkdir()
    with pytest.raises(FaultsFound) as caught:
        read_registry(home, NOW)
    assert {fault.file for fault in caught.value.faults} == {"jobs/a.yaml", "jobs/b.yaml", "jobs/c.yaml"}


def test_a_home_without_jobs_is_told_so(tmp_path: Path) -> None:
    assert [str(fault) for fault in examine_registry(tmp_path).faults] == [
        "jobs: cannot be read: No such file or directory"
    ]


def test_the_collector_is_on_again_afterwards() -> None:
    """PERF-6."""
    parse(a="jobs: {")
    assert gc.isenabled()


KEYS = st.sampled_from([*JOB.by_name, "defaults", "jobs", "if", "x", "times", "memory", "1A"])
TEXTS = st.sampled_from(["0 1 * * *", "*/7 1 1 * 1", "a | b", "1h", "none", "", "*x", "&x", "p", "[", "\x00", "- a"])
TREES = st.recursive(
    TEXTS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12
)


def _flow(tree: object) -> str:
    if isinstance(tree, dict):
        return "{" + ", ".join(f"{key}: {_flow(value)}" for key, value in tree.items()) + "}"
    if isinstance(tree, list):
        return "[" + ", ".join(_flow(item) for item in tree) + "]"
    return f'"{tree}"' if str(tree)[:1].isdigit() else str(tree)


@settings(max_examples=300)
@given(TREES, TREES, TREES)
def test_any_shape_of_yaml_gives_jobs_or_faults(top: object, defaults: object, entry: object) -> None:
    parse(a=_flow(top), b=f"defaults: {_flow(defaults)}\njobs: {{a: {_flow(entry)}}}")


@given(st.text(max_size=80))
def test_any_text_gives_jobs_or_faults(text: str) -> None:
    parse_registry({"jobs/a.yaml": text.encode("utf-8", "surrogatepass")}, NOW)
