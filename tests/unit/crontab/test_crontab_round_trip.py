"""CRON-82, CRON-8: random registries come back from the crontab as exactly the jobs that went in.

What a job means is written down with its text, by sets of numbers, and never asked of our parser. The crontab is
read back by us, by the recorded grammars of both crons, and by python-crontab where it is right.
"""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from hashlib import sha256
from itertools import permutations
from pathlib import Path

import pytest
from clockwork import RANGES, Sample, read_sample
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.crontab.block import find_block, put_in
from runner.crontab.compile import compile_block
from runner.crontab.dialects import CRONIE, DEBIAN
from runner.crontab.entry import SWEEP, parse_entries
from runner.crontab.explain.describe import explain_table
from runner.crontab.explain.values import Table
from runner.crontab.lint import find_line_faults, find_table_faults
from runner.crontab.opinion import find_disagreement
from runner.crontab.output import select_entries
from runner.home.settings import Settings, read_settings
from runner.launch.plan import decode_plan
from runner.launch.plan_encode import encode_plan
from runner.launch.slot import Schedule
from runner.plans.make import Planned, make_plans
from runner.profiles.profile import Profile
from runner.profiles.read import read_profiles
from runner.registry.read import read_registry

EXAMPLES = 2_000
NOW = 1_772_953_200.0
OPS = "ops@example.org"
SITE = f"""\
name: ql
mail: {{via: cron, ops: {OPS}}}
targets: {{ops: {{hosts: [ql1.example.org], user: wfc3, home: /home/wfc3/ql, timezone: America/New_York}}}}
"""
WRAPPER = "/home/wfc3/ql/wrappers/run-job"
FOREIGN = (b"", b"# by hand\nMAILTO=root\n0 3 * * 0 /usr/local/sbin/backup\n", b'A = "b"\n5 4 * * sun true')
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
LONGEST_MONTHS = {1: 31, 2: 29, 3: 31, 4: 30, 5: 31, 6: 30, 7: 31, 8: 31, 9: 30, 10: 31, 11: 30, 12: 31}
NICKNAMES = {
    "@hourly": ("0", "*", "*", "*", "*"),
    "@daily": ("0", "0", "*", "*", "*"),
    "@weekly": ("0", "0", "*", "*", "0"),
    "@monthly": ("0", "0", "1", "*", "*"),
    "@yearly": ("0", "0", "1", "1", "*"),
}


@dataclass(frozen=True)
class Field:
    """A field as it is written, and the numbers that it means."""

    text: str
    numbers: frozenset[int]

    @property
    def star(self) -> bool:
        return self.text.startswith("*")


@dataclass(frozen=True)
class Wish:
    """A job as it goes in.

    ``hosts`` is a pattern and whether it fits the target, ``spread_m`` a window in minutes, 0 for none, ``text`` what
    its description and an argument of its command say.
    """

    whens: tuple[tuple[str, tuple[Field, ...]], ...]
    profiles: str | tuple[str, ...]
    mailto: tuple[str, ...]
    hosts: tuple[str, bool]
    zone: str
    enabled: bool
    spread_m: int
    text: str


# What people write into ``when``.


def name_values(low: int, high: int, names: tuple[str, ...]) -> st.SearchStrategy[tuple[str, int]]:
    """Return a value as it is written, with a leading zero or by its name perhaps, and what it is."""
    numbers = [(text, number) for number in range(low, high + 1) for text in {f"{number}", f"{number:02}"}]
    forms = (str.lower, str.upper, str.title)
    return st.sampled_from(
        sorted(numbers) + [(form(name), number) for number, name in enumerate(names, low) for form in forms]
    )


def make_items(low: int, high: int, names: tuple[str, ...] = ()) -> st.SearchStrategy[Field]:
    """Return ``v``, ``a-b`` or ``a-b/n``."""
    values = name_values(low, high, names)

    def join(first: tuple[str, int], last: tuple[str, int], step: int) -> Field:
        first, last = sorted((first, last), key=lambda value: value[1])
        if step and not last[0].lower().startswith("sun"):
            suffix = f"/{step}" if step > 1 else ""
            return Field(f"{first[0]}-{last[0]}{suffix}", frozenset(range(first[1], last[1] + 1, step)))
        return Field(first[0], frozenset({first[1]}))

    return st.builds(join, values, values, st.integers(0, 6))


def make_fields(low: int, high: int, names: tuple[str, ...] = (), top: int = 0) -> st.SearchStrategy[Field]:
    """Return any field of the grammar (CRON-2); `top` is the highest value where that is another name of the lowest."""
    every = frozenset(range(low, high + 1))
    steps = st.integers(1, high).map(lambda step: Field(f"*/{step}", frozenset(range(low, high + 1, step))))
    items = st.lists(make_items(low, top or high, names), min_size=1, max_size=3)
    lists = items.map(
        lambda found: Field(",".join(one.text for one in found), frozenset().union(*(one.numbers for one in found)))
    )
    return st.one_of(st.just(Field("*", every)), steps, lists)


STAR = {index: Field("*", frozenset(range(low, high + 1))) for index, (low, high) in enumerate(RANGES)}
ALL_FIELDS = (
    make_fields(0, 59),
    make_fields(0, 23),
    st.just(STAR[2]) | make_fields(1, 31),
    st.just(STAR[3]) | make_fields(1, 12, MONTHS),
    st.just(STAR[4]) | make_fields(0, 6, WEEKDAYS, top=7),
)


def settle(fields: tuple[Field, ...]) -> tuple[str, tuple[Field, ...]]:
    """Return text and meaning of five fields; days that no month has are left out."""
    days, months = fields[2:4]
    if not any(day <= LONGEST_MONTHS[month] for day in days.numbers for month in months.numbers):
        fields = (*fields[:2], STAR[2], *fields[3:])
    return " ".join(field.text for field in fields), fields


def expand(nickname: str) -> tuple[str, tuple[Field, ...]]:
    texts = NICKNAMES[nickname]
    return nickname, tuple(
        STAR[index] if text == "*" else Field(text, frozenset({int(text)})) for index, text in enumerate(texts)
    )


WHENS = st.one_of(st.tuples(*ALL_FIELDS).map(settle), st.sampled_from(list(NICKNAMES)).map(expand))
ADDRESSES = ("al@example.org", "ql-team@example.org", "b.c+d@x.org", "eva")
WISHES = st.builds(
    Wish,
    whens=st.lists(WHENS, min_size=0, max_size=3).map(tuple),
    profiles=st.sampled_from(["local", ("local",), ("dsoc-prod", "local"), ("dsoc-test", "dsoc-prod", "local")]),
    mailto=st.sampled_from([some for count in range(4) for some in permutations(ADDRESSES, count)]),
    hosts=st.sampled_from(
        [("", True), ("ql1.example.org", True), ("ql*.example.org", True), ("ql2.example.org", False)]
    ),
    zone=st.sampled_from(["", "", "", "US/Eastern", "Europe/Paris", "UTC"]),
    enabled=st.sampled_from([True, True, True, False]),
    spread_m=st.sampled_from([0, 0, 0, 2, 30, 60]),
    text=st.text("%$`\\#;|&<>~*\"' !@=:-,0aé", max_size=12),
)
IDS = st.builds("{}{}".format, st.sampled_from("az09"), st.text("az09_-", max_size=63))
REGISTRIES = st.dictionaries(IDS, WISHES, min_size=1, max_size=4)


def can_spread(wish: Wish) -> bool:
    """Whether each element has one minute and one hour that no window carries past midnight (CRON-10)."""
    return all(
        fields[0].text.isdigit() and fields[1].text.isdigit() and 23 not in fields[1].numbers
        for _, fields in wish.whens
    )


def write_registry(wishes: dict[str, Wish]) -> str:
    return "jobs:\n" + "".join(write_job(name, wish) for name, wish in wishes.items())


def write_job(name: str, wish: Wish) -> str:
    profile = wish.profiles if isinstance(wish.profiles, str) else f"[{', '.join(wish.profiles)}]"
    command = json.dumps(f"jobs/x.sh {shlex.quote(wish.text)}", ensure_ascii=False)
    keys = [f'"{name}":', f"  run: {command}", f"  description: {json.dumps(wish.text)}", f"  profile: {profile}"]
    keys += [f"  when: {json.dumps([text for text, _ in wish.whens])}"] if wish.whens else []
    keys += [f"  mailto: [{', '.join(wish.mailto)}]"] if wish.mailto else []
    keys += [f'  hosts: ["{wish.hosts[0]}"]'] if wish.hosts[0] else []
    keys += [f"  timezone: {wish.zone}"] if wish.zone else []
    keys += [f"  spread: {wish.spread_m}m"] if wish.spread_m and can_spread(wish) else []
    keys += [] if wish.enabled else ["  enabled: false"]
    return "".join(f"  {key}\n" for key in keys)


# What must come back.


@dataclass(frozen=True)
class Line:
    """One line of a crontab: what it starts, whom cron tells, when it fires."""

    plan: str
    mailto: tuple[str, ...]
    schedule: Sample


def mean(name: str, wish: Wish) -> list[Sample]:
    """Return what each element of ``when`` means."""
    samples = []
    for _, fields in wish.whens:
        sets = [field.numbers for field in fields]
        sets[4] = frozenset(number % 7 for number in sets[4])
        if wish.spread_m and can_spread(wish):
            (minute,), (hour,) = sets[:2]
            shift = int.from_bytes(sha256(name.encode()).digest()[:8], "big") % wish.spread_m
            hour, minute = divmod(hour * 60 + minute + shift, 60)
            sets[:2] = frozenset({minute}), frozenset({hour})
        stars = tuple(field.star for field in fields)
        samples.append(Sample("", (*stars[:3], False, stars[4]), tuple(sets)))
    return samples


def name_plans(name: str, wish: Wish) -> list[str]:
    return [name] if isinstance(wish.profiles, str) else [f"{name}@{profile}" for profile in wish.profiles]


def is_in(wish: Wish) -> bool:
    return bool(wish.whens) and wish.enabled and wish.hosts[1]


def is_gated(wish: Wish) -> bool:
    return wish.zone in ("Europe/Paris", "UTC")


def expect_lines(wishes: dict[str, Wish]) -> list[Line]:
    """Return the lines of all jobs that go by the target's clock, in any order."""
    return [
        Line(plan, tuple(sorted(wish.mailto)) or (OPS,), sample)
        for name, wish in wishes.items()
        if is_in(wish) and not is_gated(wish)
        for plan in name_plans(name, wish)
        for sample in mean(name, wish)
    ]


def list_recipients(wishes: dict[str, Wish]) -> dict[str, tuple[str, ...]]:
    return {
        plan: tuple(sorted(wish.mailto)) or (OPS,)
        for name, wish in wishes.items()
        if is_in(wish)
        for plan in name_plans(name, wish)
    }


def sort_lines(lines: list[Line]) -> list[str]:
    return sorted(
        f"{line.plan} {line.mailto} {line.schedule.stars} {[sorted(one) for one in line.schedule.sets]}"
        for line in lines
    )


def read_back(table: bytes, name: str) -> list[Line]:
    """Return what one cron reads of ours in a whole crontab."""
    explanation = explain_table(DEBIAN if name == "debian" else CRONIE, Table(table))
    assert not explanation.refusals
    found = []
    for entry in explanation.entries:
        wrapper, _, plan = entry.command.decode().partition(" ")
        if wrapper == WRAPPER and plan != SWEEP:
            mailto = {one.name: one.value for one in entry.settings}[b"MAILTO"].decode()
            found.append(Line(plan, tuple(mailto.split(",")), read_sample(entry)))
    return found


def convert(schedule: Schedule) -> Sample:
    masks = (schedule.minutes, schedule.hours, schedule.days, schedule.months, schedule.weekdays)
    sets = tuple(frozenset(number for number in range(60) if mask >> number & 1) for mask in masks)
    stars = (schedule.minute_star, schedule.hour_star, schedule.day_star, False, schedule.weekday_star)
    return Sample("", stars, sets)


@dataclass(frozen=True)
class Observatory:
    settings: Settings
    profiles: dict[str, Profile]

    def plan(self, wishes: dict[str, Wish]) -> tuple[Planned, ...]:
        home = self.settings.home
        (home / "jobs" / "all.yaml").write_text(write_registry(wishes))
        return make_plans(read_registry(home, NOW).jobs, self.profiles, self.settings)

    def install(self, planned: tuple[Planned, ...], foreign: bytes) -> bytes:
        (target,) = self.settings.targets
        entries = select_entries(planned, self.settings, target)
        mail = self.settings.mail
        block = compile_block("ql", str(self.settings.home), target, entries, mail, housekeeping="cron").encode()
        return put_in(foreign, "ql@ops", block)


@pytest.fixture(scope="module")
def observatory(tmp_path_factory: pytest.TempPathFactory) -> Observatory:
    home: Path = tmp_path_factory.mktemp("ql")
    for folder in ("envs", "jobs"):
        (home / folder).mkdir()
    for profile in ("local", "dsoc-prod", "dsoc-test"):
        (home / "envs" / f"{profile}.yaml").write_text("description: none\n")
    (home / "envs" / "site.yaml").write_text(SITE + "sites: {dsoc: {}}\nenvironments: [prod, test]\n")
    found = read_settings(home)
    return Observatory(found, read_profiles(found).by_name)


@pytest.mark.timeout(600)  # 25 s of work, on a machine that may have other work
@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow])
@given(REGISTRIES, st.sampled_from(FOREIGN))
def test_the_jobs_that_went_in_come_back(observatory: Observatory, wishes: dict[str, Wish], foreign: bytes) -> None:
    """Each line by its plan, its recipients, its five sets of numbers and its stars, the day rule with them (CRON-6).

    SEC-3: whatever stands in the other keys.
    """
    planned = observatory.plan(wishes)
    table = observatory.install(planned, foreign)
    block = find_block(table, "ql@ops")
    assert block
    body = block.body.decode()

    expected = sort_lines(expect_lines(wishes))
    gated = {plan for name, wish in wishes.items() if is_gated(wish) for plan in name_plans(name, wish)}
    ours = parse_entries(body)
    assert {entry.plan: entry.mailto for entry in ours} == list_recipients(wishes)
    lines = [Line(entry.plan, entry.mailto, convert(schedule)) for entry in ours for schedule in entry.schedules]
    for found in (lines, read_back(table, "debian"), read_back(table, "cronie")):
        assert sort_lines(found) == sort_lines(lines)
        assert sort_lines([line for line in found if line.plan not in gated]) == expected
    assert find_disagreement(body) == ""
    assert find_line_faults(body.splitlines()) == find_table_faults(table, block.body) == []
    # A gated job's own schedule is in its plan, as everybody's is (CRON-17).
    plans = {one.plan.name: decode_plan(encode_plan(one.plan)) for one in planned}
    assert plans.keys() == {plan for name, wish in wishes.items() for plan in name_plans(name, wish)}
    for name, wish in wishes.items():
        due = mean(name, wish) if wish.enabled else []
        for plan in name_plans(name, wish):
            assert [convert(schedule) for schedule in plans[plan].schedules] == due
            assert (plans[plan].job, plans[plan].timezone) == (name, wish.zone)
