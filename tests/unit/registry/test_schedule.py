"""``when`` is read as both crons read it, or refused (CRON-1 to CRON-10)."""

import contextlib
import datetime as dt
import re
import time

import pytest
from cronsim.cronsim import CronSim, CronSimError
from hypothesis import given
from hypothesis import strategies as st

from runner.document.faults import Faults, Wrong
from runner.document.parse import parse_document
from runner.launch.slot import Schedule
from runner.registry.schedule import explain_days, find_uneven_steps, parse_when, read_when, spread, window

NOW = dt.datetime(2026, 11, 21, 12, 30, tzinfo=dt.UTC).timestamp()


def numbers(mask: int) -> list[int]:
    return [value for value in range(mask.bit_length()) if mask >> value & 1]


def sets(schedule: Schedule) -> list[list[int]]:
    fields = (schedule.minutes, schedule.hours, schedule.days, schedule.months, schedule.weekdays)
    return [numbers(mask) for mask in fields]


def mistakes(text: str) -> list[str]:
    with pytest.raises(Wrong) as caught:
        parse_when(text)
    return [f"{one.message}; {one.hint}" if one.hint else one.message for one in (caught.value, *caught.value.others)]


@pytest.mark.parametrize(
    ("text", "compiled"),
    [
        ("0 11 * * *", "0 11 * * *"),
        ("  05   01 * *  * ", "5 1 * * *"),
        ("*/15 */06 * * *", "*/15 */6 * * *"),
        ("0-29/10,40,50-52 8-11 * * *", "0-29/10,40,50-52 8-11 * * *"),
        ("15 4 * * mon", "15 4 * * 1"),
        ("0 0 1 JAN-Mar,dec Sun,6-7", "0 0 1 1-3,12 0,6-7"),
        ("0 0 * * sun-tue", "0 0 * * 0-2"),
        ("@hourly", "0 * * * *"),
        ("@daily", "0 0 * * *"),
        ("@midnight", "0 0 * * *"),
        ("@weekly", "0 0 * * 0"),
        ("@monthly", "0 0 1 * *"),
        ("@yearly", "0 0 1 1 *"),
        ("@annually", "0 0 1 1 *"),
    ],
)
def test_what_is_accepted_compiles_to_numbers_and_keeps_its_stars(text: str, compiled: str) -> None:
    """CRON-1, CRON-2, CRON-7."""
    assert parse_when(text).text == compiled


def test_number_sets_and_stars() -> None:
    schedule = parse_when("*/20 8-10 1,15 * 5-7").schedule
    assert sets(schedule) == [[0, 20, 40], [8, 9, 10], [1, 15], list(range(1, 13)), [0, 5, 6]]
    assert (schedule.minute_star, schedule.hour_star, schedule.day_star, schedule.weekday_star) == (1, 0, 0, 0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0 0 * * fri-mon", 'weekday range runs backwards, never fires; did you mean "5-7,1"?'),
        ("0 0 * * thu-wed", 'weekday range runs backwards, never fires; did you mean "4-7,1-3"?'),
        ("0 0 * * 6-0", 'weekday range runs backwards, never fires; did you mean "6-7"?'),
        ("50-5 0 * * *", 'minute range runs backwards, never fires; did you mean "50-59,0-5"?'),
        ("0 23-0 * * *", 'hour range runs backwards, never fires; did you mean "23,0"?'),
        ("0 0 * * sat-sun", 'weekday range ends in sun, which Debian\'s cron takes for 0; did you mean "6-7"?'),
        ("0 0 * * mon-SUN", 'weekday range ends in sun, which Debian\'s cron takes for 0; did you mean "1-7"?'),
        ("0 0 * * sun-sun", 'weekday range ends in sun, which Debian\'s cron takes for 0; did you mean "0"?'),
        ("0, 0 * * *", 'minute "0," has nothing at one side of a comma; did you mean "0"?'),
        ("1, 2 0 * * *", 'a blank after a comma; did you mean "1,2 0 * * *"?'),
        ("1,,2 0 * * *", 'minute "1,,2" has nothing at one side of a comma; did you mean "1,2"?'),
        ("*,5 0 * * *", 'minute "*,5" has * beside other items; did you mean "*"?'),
        ("5/10 0 * * *", 'minute "5/10" is nothing that every cron reads alike; did you mean "5-59/10"?'),
        ("*/0 0 * * *", 'minute "*/0" has a step of 0'),
        ("0-9/0 0 * * *", 'minute "0-9/0" has a step of 0'),
        ("*/90 * * * *", 'minute "*/90" means 0 only, its step is more than 59'),
        ("0 0 */32 * *", 'day of month "*/32" means 1 only, its step is more than 31'),
        ("60 0 * * *", "minute 60 is not in 0-59"),
        ("0 24 * * *", "hour 24 is not in 0-23"),
        ("0 0 0 * *", "day of month 0 is not in 1-31"),
        ("0 0 * 13 *", "month 13 is not in 1-12"),
        ("0 0 * * 8", "weekday 8 is not in 0-7"),
        ("005 0 * * *", "minute 005 is not in 0-59"),
        ("60 24 * * *", "minute 60 is not in 0-59|hour 24 is not in 0-23"),
        (
            "0 0 * * monday-friday",
            'weekday "monday-friday" is nothing that every cron reads alike; did you mean "mon-fri"?',
        ),
        ("0 0 * January *", 'month "January" is nothing that every cron reads alike; did you mean "jan"?'),
        ("0 0 ? * *", 'day of month "?" is nothing that every cron reads alike; did you mean "*"?'),
        ("0 0 L * *", 'day of month "L" is nothing that every cron reads alike; let the script look at the date'),
        ("@Daily", 'no schedule is called "@Daily"; did you mean "@daily"?'),
        ("@reboot", "@reboot has no slot; did you mean five fields and missed: once?"),
        ("0 0 30 2 *", "no day of 28 years matches, it never fires"),
        ("0 0 31 4,6,9,11 *", "no day of 28 years matches, it never fires"),
        ("0 0 * * * *", "6 fields where five are needed; cron has no seconds and no years"),
    ],
)
def test_everything_else_is_an_error_with_the_way_out(text: str, message: str) -> None:
    """CRON-3, CRON-4, CRON-5."""
    assert mistakes(text) == message.split("|")


@pytest.mark.parametrize(
    "field", ["L", "5L", "W", "15W", "5#2", "?", "~", "0~30", "H", "H/5", "+5", "-5", "5-", "5.5", "1-2-3", "*5", "**"]
)
@pytest.mark.parametrize("position", range(5))
def test_what_other_crons_add_is_an_error_in_every_field(field: str, position: int) -> None:
    """CRON-3."""
    fields = ["1"] * 5
    fields[position] = field
    assert mistakes(" ".join(fields))


@pytest.mark.parametrize(
    "text", ["", "*", "0 1 * *", "@every 5m", "@", "0\u00a011 * * * *", "٣ 0 * * *", "*/٣ 0 * * *"]
)
def test_what_is_no_schedule_is_an_error(text: str) -> None:
    assert mistakes(text)


@pytest.mark.parametrize("text", ["1-" * 200_000, "1," * 200_000, "*" * 400_000, "0 " * 200_000, "1/" * 200_000])
def test_a_very_long_schedule_is_refused_at_once(text: str) -> None:
    started = time.process_time()
    assert mistakes(f"{text} 0 * * *")
    assert time.process_time() - started < 1


def test_a_leap_day_is_a_schedule() -> None:
    assert parse_when("0 0 29 2 *").text == "0 0 29 2 *"


def test_a_step_that_does_not_divide_its_range_is_told_what_it_gives() -> None:
    """CRON-5."""
    assert find_uneven_steps(parse_when("*/45 */6 * * *")) == ['minute "*/45" is not every 45: it means 0,45']
    assert find_uneven_steps(parse_when("*/15 */8 * */3 *")) == []
    assert find_uneven_steps(parse_when("0-29/7 0 * * *")) == []


@pytest.mark.parametrize(
    ("text", "rule", "days"),
    [
        ("0 0 1,15 * 5", "either", ["11-27", "12-01", "12-04", "12-11", "12-15"]),
        ("0 0 */2 * 1", "both", ["11-23", "12-07", "12-21", "01-11", "01-25"]),
        ("0 0 1-31/2 * 1", "either", ["11-23", "11-25", "11-27", "11-29", "11-30"]),
    ],
)
def test_two_restricted_day_fields_are_explained_by_the_next_five_slots(text: str, rule: str, days: list[str]) -> None:
    """CRON-6."""
    sentence = explain_days(parse_when(text), NOW, "UTC")
    assert f"must match {rule};" in sentence
    assert re.findall(r"\d{4}-(\d\d-\d\d)T00:00:00Z", sentence) == days


def test_one_restricted_day_field_needs_no_explanation() -> None:
    assert explain_days(parse_when("0 0 1 * *"), NOW, "UTC") == ""
    assert explain_days(parse_when("0 0 * * 1"), NOW, "UTC") == ""


@pytest.mark.parametrize(
    ("text", "kind"),
    [("5", "a number"), ("11:30", "a number"), ("1e3", "a number"), ("2026-01-01", "a date"), ("on", "a truth value")],
)
def test_what_yaml_reads_as_something_else_is_to_be_quoted(text: str, kind: str) -> None:
    """CRON-9."""
    faults = Faults("f")
    node = parse_document(f"when: {text}\n".encode(), faults)
    read_when(node.entries["when"][1], faults)  # type: ignore[union-attr]
    [fault] = faults.found
    assert fault.message == f"YAML reads {text} as {kind}"
    assert fault.hint.startswith("quote the five fields")
    assert fault.column == 7


@pytest.mark.parametrize(("job", "minute"), [("download-wfc3", 12), ("index-wfc3", 26)])
def test_spread_shifts_by_the_job_id(job: str, minute: int) -> None:
    """CRON-10, with the examples of crontab.md."""
    assert spread(parse_when("0 12 * * *"), job, 1800).text == f"{minute} 12 * * *"


def test_spread_carries_into_a_numeric_hour_only() -> None:
    """CRON-10."""
    assert spread(parse_when("50 12 * * *"), "download-wfc3", 1800).text == "2 13 * * *"
    assert spread(parse_when("10 * * * *"), "download-wfc3", 1800).text == "22 * * * *"
    for text in ("50 23 * * *", "50 * * * *", "50 1,2 * * *", "* 1 * * *", "1,2 1 * * *"):
        with pytest.raises(Wrong):
            spread(parse_when(text), "download-wfc3", 1800)


def test_a_window_is_whole_minutes() -> None:
    """CRON-10."""
    assert [window(text) for text in ("none", "2m", "60m", "1h", "120s")] == [0, 120, 3600, 3600, 120]
    for text in ("1m", "61m", "90s", "2h", "0"):
        with pytest.raises(Wrong):
            window(text)


def _items(low: int, high: int, names: tuple[str, ...] = ()) -> st.SearchStrategy[str]:
    value = st.integers(low, high).map(str) | st.integers(low, high).map("{:02d}".format)
    if names:
        value |= st.sampled_from(names)
    pair = st.tuples(value, value).map("-".join)
    step = st.integers(0, high + 2)
    return st.one_of(
        st.just("*"), st.builds("*/{}".format, step), value, pair, st.builds("{}/{}".format, pair, step),
        st.builds("{}/{}".format, value, step),
    )  # fmt: skip


WEEKDAYS = ("sun", "Mon", "TUE", "wed", "thu", "fri", "sat")
MONTHS = ("jan", "Feb", "MAR", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
SCHEDULES = st.tuples(
    *[
        st.lists(_items(*field), min_size=1, max_size=3).map(",".join)
        for field in ((0, 60), (0, 24), (1, 31), (1, 12, MONTHS), (0, 7, WEEKDAYS))
    ]
).map(" ".join)


@given(SCHEDULES)
def test_what_we_accept_means_to_cronsim_what_it_means_to_us(text: str) -> None:
    """CRON-8; cronsim 2.8 is wrong for ``56-56/2``, which no observatory writes."""
    try:
        when = parse_when(text)
        oracle = CronSim(text, dt.datetime(2026, 1, 1))
    except (Wrong, CronSimError):
        return
    if re.search(r"\b(\w+)-\1/", when.text):
        return
    expected = [oracle.minutes, oracle.hours, oracle.days, oracle.months, {day % 7 for day in oracle.weekdays}]
    assert sets(when.schedule) == [sorted(field) for field in expected]


@given(SCHEDULES)
def test_what_is_compiled_is_its_own_compiled_form(text: str) -> None:
    """CRON-7."""
    try:
        when = parse_when(text)
    except Wrong:
        return
    again = parse_when(when.text)
    assert (again.text, sets(again.schedule)) == (when.text, sets(when.schedule))
    stars = [
        ours.startswith("*") == theirs.startswith("*")
        for ours, theirs in zip(when.text.split(), text.split(), strict=True)
    ]
    assert all(stars)


@given(st.text(max_size=20))
def test_any_text_is_a_schedule_or_a_mistake(text: str) -> None:
    with contextlib.suppress(Wrong):
        parse_when(text)
