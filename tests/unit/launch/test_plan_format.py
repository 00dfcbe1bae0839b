"""Plan files: all of a plan survives, what is in one by default is not written, an edited one is refused (CRON-17)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.launch import lines
from runner.launch.activation import Activation, Change
from runner.launch.plan import (
    FORMAT,
    HomePlan,
    Plan,
    PlanTarget,
    Step,
    decode_home_plan,
    decode_plan,
    decode_schedule,
    fill_steps,
    fingerprint,
)
from runner.launch.plan_encode import encode_home_plan, encode_plan, encode_schedule
from runner.launch.slot import Schedule
from runner.registry.schedule import parse_when

texts = st.binary(max_size=30).map(lambda data: data.decode("utf-8", "surrogateescape"))
words = st.lists(texts, max_size=4)
names = st.text("ABCXYZ_abc019", min_size=1, max_size=12)
seconds = st.floats(0, 1e9) | st.integers(0, 10**9).map(float)


def masks(low: int, high: int) -> st.SearchStrategy[int]:
    every = (2 << high) - (1 << low)
    return st.just(every) | st.sets(st.integers(low, high), min_size=1).map(lambda found: sum(1 << n for n in found))


def fill(slotted: object, **values: object) -> object:
    for name, value in values.items():
        setattr(slotted, name, value)
    return slotted


schedules = st.builds(
    lambda **values: fill(Schedule(), **values),
    minutes=masks(0, 59),
    hours=masks(0, 23),
    days=masks(1, 31),
    months=masks(1, 12),
    weekdays=masks(0, 6),
    minute_star=st.booleans(),
    hour_star=st.booleans(),
    day_star=st.booleans(),
    weekday_star=st.booleans(),
)
details = st.lists(st.tuples(names, texts), max_size=2)
changes = st.builds(Change, st.sampled_from(["set", "unset", "append"]), names, texts, details)
activations = st.builds(
    lambda **values: fill(Activation(), **values),
    changes=st.lists(changes, max_size=3),
    mode=texts,
    timeout_s=seconds,
    max_age_s=seconds,
    stderr=texts,
    stderr_allow=words,
    watch=words,
    requires=st.lists(st.tuples(names, texts), max_size=2),
)
plans = st.builds(
    lambda name, job, profile, **values: fill(Plan(name, job, profile), **values),
    texts,
    texts,
    texts,
    mailto=words,
    schedules=st.lists(schedules, max_size=2),
    timezone=texts,
    hosts=words,
    timeout_s=seconds,
    grace_s=seconds,
    survivors=texts,
    overlap=texts,
    missed=texts,
    ping=texts,
    rerun_lost=st.booleans(),
    retry_times=st.integers(0, 100),
    retry_delay_s=seconds,
    retry_backoff=seconds,
    retry_on=words,
    limit_memory_bytes=st.lists(st.integers(1, 1 << 50), max_size=3),
    limit_cpu_s=seconds,
    limit_files=st.integers(0, 1 << 20),
    limit_processes=st.integers(0, 1 << 20),
    limit_nice=st.integers(-20, 19),
    secrets=st.lists(st.tuples(names, texts), max_size=2),
    stderr=texts,
    stderr_allow=words,
    max_duration_s=seconds,
    min_duration_s=seconds,
    max_age_s=seconds,
    cwd=texts,
    umask=st.integers(0, 0o777),
    log_max_bytes=st.integers(0, 1 << 50),
    log_keep_s=seconds,
    activation=activations,
    env=st.lists(st.tuples(names, texts), max_size=2),
    steps=st.lists(st.builds(Step, st.sampled_from(["success", "always", "failure"]), words), max_size=3),
)


def values_of(thing: object) -> object:
    """Return what the slots of a value hold, down to plain Python."""
    if isinstance(thing, list):
        return [values_of(item) for item in thing]
    if hasattr(type(thing), "__slots__"):
        return {name: values_of(getattr(thing, name)) for name in sorted(type(thing).__slots__)}
    return thing


def seal(body: bytes) -> bytes:
    """Return a plan file that the compiler could have written, whatever is in it."""
    return f"{FORMAT} {fingerprint(body)}\n".encode() + body


# Plans.


@given(plans)
def test_a_plan_is_read_back_as_it_was(plan: Plan) -> None:
    again = decode_plan(encode_plan(plan))
    plan.digest = again.digest
    assert values_of(again) == values_of(plan)


@given(plans)
def test_equal_plans_give_equal_bytes(plan: Plan) -> None:
    """CRON-19."""
    assert encode_plan(decode_plan(encode_plan(plan))) == encode_plan(plan)


def test_only_what_differs_from_the_defaults_is_written() -> None:
    body = encode_plan(Plan("dark@p", "dark", "p")).partition(b"\n")[2]
    assert body == b"name dark@p\njob dark\nprofile p\n"


def test_a_plan_reads_like_the_registry() -> None:
    plan = Plan("dark", "dark", "p")
    plan.schedules = [parse_when("*/30 4 * 2 mon").schedule]
    plan.timeout_s = 1_234_567.0
    plan.steps = [Step("success", ["jobs/dark.py", "two words", ""])]
    body = encode_plan(plan).partition(b"\n")[2]
    assert body.splitlines()[3:] == [
        b"timeout_s 1234567",
        b"when *:0,30 4 * 2 1",
        b"step success",
        b"word jobs/dark.py",
        b"word two words",
        b"word ",
    ]


def test_a_change_keeps_the_blanks_of_its_value() -> None:
    plan = Plan("dark", "dark", "p")
    changes = [Change("set", "PS1", " $  "), Change("unset", "LESS"), Change("venv", "", "/opt/venv ")]
    plan.activation.changes = [*changes, Change("setup", details=[("shell", "tcsh"), ("run", " ur_setup  ")])]
    again = decode_plan(encode_plan(plan)).activation.changes
    assert values_of(again) == values_of(plan.activation.changes)


@given(plans, st.data())
def test_a_plan_with_any_byte_changed_is_refused(plan: Plan, data: st.DataObject) -> None:
    whole = encode_plan(plan)
    place = data.draw(st.integers(0, len(whole) - 1))
    changed = whole[:place] + bytes([whole[place] ^ data.draw(st.integers(1, 255))]) + whole[place + 1 :]
    with pytest.raises(ValueError, match=r"it was changed|its first line"):
        decode_plan(changed)


@given(plans, st.data())
def test_a_plan_cut_anywhere_is_refused(plan: Plan, data: st.DataObject) -> None:
    whole = encode_plan(plan)
    with pytest.raises(ValueError, match=r"it was changed|its first line"):
        decode_plan(whole[: data.draw(st.integers(0, len(whole) - 1))])


def test_a_plan_of_another_format_is_refused() -> None:
    body = b"name dark\n"
    with pytest.raises(ValueError, match="'runner-plan 1 DIGEST'"):
        decode_plan(f"runner-plan 2 {fingerprint(body)}\n".encode() + body)


def test_a_line_that_nobody_knows_is_refused() -> None:
    """A newer compiler may have meant something that must not be left out."""
    with pytest.raises(ValueError, match="'retries'"):
        decode_plan(seal(b"name dark\nretries 2\n"))


def test_a_word_before_the_first_step_is_refused() -> None:
    with pytest.raises(ValueError, match="'word'"):
        decode_plan(seal(b"name dark\nword /bin/true\n"))


# Schedules.


@given(schedules)
def test_a_schedule_is_read_back_as_it_was(schedule: Schedule) -> None:
    assert values_of(decode_schedule(encode_schedule(schedule))) == values_of(schedule)


@pytest.mark.parametrize(
    ("when", "encoded"),
    [
        ("* * * * *", "* * * * *"),
        ("0 11 * * *", "0 11 * * *"),
        ("0-59 0-23 1-31 1-12 0-6", "all all all * all"),
        ("*/20 */12 */16 */6 */7", "*:0,20,40 *:0,12 *:1,17 1,7 *:0"),
        ("5-7 0 1 jan sun", "5,6,7 0 1 1 0"),
    ],
)
def test_sets_are_numbers_and_a_star_stays_a_star(when: str, encoded: str) -> None:
    """CRON-7, CRON-17; whether a month field begins with a star decides nothing."""
    assert encode_schedule(parse_when(when).schedule) == encoded


@pytest.mark.parametrize("text", ["* * * *", "* * * * * *", "a * * * *", "*/5 * * * *", "60 * * * *", "* -1 * * *"])
def test_what_is_no_schedule_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"int\(\)|zip\(\)|a schedule has "):
        decode_schedule(text)


# Steps.


def test_placeholders_are_replaced_wherever_they_stand_in_a_word() -> None:
    steps = [Step("success", ["cp", "{work}/a_{date}.fits", "{slot}", "{other}", "{work}{work}"])]
    filled = fill_steps(steps, {"{slot}": "S", "{date}": "D", "{work}": "W"})
    assert filled[0].words == ["cp", "W/a_D.fits", "S", "{other}", "WW"]
    assert steps[0].words[2] == "{slot}"


# The home's plan.

targets = st.builds(PlanTarget, texts, words, texts, texts, texts)
homes = st.builds(
    lambda name, **values: fill(HomePlan(name), **values),
    texts,
    group=texts,
    mail_via=texts,
    mail_ops=words,
    ping=texts,
    metrics=texts,
    targets=st.lists(targets, max_size=3),
)


@given(homes)
def test_a_home_plan_is_read_back_as_it_was(home: HomePlan) -> None:
    assert values_of(decode_home_plan(encode_home_plan(home))) == values_of(home)


@pytest.mark.parametrize("line", ["host a", "state /s", "colour blue"])
def test_a_line_that_means_nothing_in_a_home_plan_is_refused(line: str) -> None:
    key, _, value = line.partition(" ")
    with pytest.raises(ValueError, match=f"'{key}'"):
        decode_home_plan(lines.encode([("name", "lab"), (key, value)]))
