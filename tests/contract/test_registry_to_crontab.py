"""CRON-82, CRON-8, SEC-3: what stands in ``jobs/`` is what each cron reads, whatever a registry holds.

A registry is made of parts whose meaning is known here, by other means than ours: sets of numbers. It is written
as YAML, read, compiled, and the block is read back by our own parser, by what was recorded of Debian's cron and of
cronie, and by python-crontab. Exactly the jobs that went in must come out of each.
"""

from __future__ import annotations

import json
import string
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.crontab.compile import compile_block
from runner.crontab.dialects import CRONIE, DEBIAN, Dialect
from runner.crontab.entry import parse_entries
from runner.crontab.explain.describe import explain_table
from runner.crontab.explain.values import Entry, Table
from runner.crontab.opinion import find_disagreement
from runner.crontab.output import select_entries
from runner.document.faults import Faults
from runner.home.settings import Settings, Target, find_main_target, parse_settings
from runner.launch.slot import Schedule
from runner.plans.make import make_plans
from runner.profiles.read import parse_profile
from runner.registry.read import parse_registry

HOME = Path("/home/wfc3ql/ql")
WRAPPER = f"{HOME}/wrappers/run-job"
SETTINGS = 'name: ql\nmail: {via: cron, ops: "ops@example.org"}\n'
PROFILES = ("dsoc-prod", "dsoc-test", "naasc-prod")
ADDRESSES = ("al@example.org", "bo@example.org", "ql-team@example.org")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
NICKNAMES = {
    "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
}  # fmt: skip

# What a schedule means: five sets of numbers, Sunday being 0, and whether a day must match both day fields.
Meaning = tuple[tuple[tuple[int, ...], ...], bool]
RANGES = (range(60), range(24), range(1, 32), range(1, 13), range(7))
ODD = string.printable[:95] + "é°"


@dataclass(frozen=True)
class Field:
    text: str
    numbers: frozenset[int]


@dataclass(frozen=True)
class When:
    text: str
    meaning: Meaning


@dataclass(frozen=True)
class Job:
    """An entry: its YAML, and what must come of it."""

    yaml: str
    whens: tuple[When, ...]
    plans: tuple[str, ...]
    mailto: tuple[str, ...]


class Maker:
    """Makes registries of a seed: drawing each part from hypothesis would take most of the time."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def registry(self) -> list[Job]:
        return [self._job(number) for number in range(self._random.randint(1, 4))]

    def _job(self, number: int) -> Job:
        pick = self._random
        name = pick.choice("az09") + "".join(pick.choices("abz019_-", k=pick.randint(0, 12))) + str(number)
        elements = [self._when() for _ in range(pick.randint(1, 3))]
        profiles = pick.sample(PROFILES, pick.randint(1, 3))
        is_listed = len(profiles) > 1 or pick.random() < 0.3
        mailto = pick.sample(ADDRESSES, pick.randint(0, 3))
        odd = "".join(pick.choices(ODD, k=pick.randint(0, 20)))
        texts = [element.text for element in elements]
        entry = {
            "when": texts[0] if len(texts) == 1 and pick.random() < 0.5 else texts,
            "run": "jobs/x.sh '" + odd.replace("'", "").replace("{", "") + "'",
            "profile": profiles if is_listed else profiles[0],
            "description": odd,
            "env": {"ODD": odd.replace("{", "").replace("}", "")},
            "enabled": pick.choices(["true", "false"], [9, 1])[0],
            **({"mailto": mailto} if mailto else {}),
        }
        plans = tuple(f"{name}@{one}" for one in profiles) if is_listed else (name,)
        return Job(
            f"  {json.dumps(name)}: {json.dumps(entry)}\n",
            tuple(elements),
            plans if entry["enabled"] == "true" else (),
            tuple(sorted(mailto)) or ("ops@example.org",),
        )

    def _when(self) -> When:
        """Make a schedule that fires."""
        if self._random.random() < 0.1:
            nickname = self._random.choice(sorted(NICKNAMES))
            return When(nickname, _mean([_read_plain(field) for field in NICKNAMES[nickname].split()]))
        parts = [self._field(0, 59), self._field(0, 23), self._field(1, 31, last=28), self._field(1, 12, MONTHS)]
        parts.append(self._field(0, 7, WEEKDAYS))
        return When(" ".join(part.text for part in parts), _mean(parts))

    def _field(self, low: int, high: int, names: tuple[str, ...] = (), *, last: int = 0) -> Field:
        """Make a field; a value or range ends by `last`: each month has the days up to 28."""
        if self._random.random() < 0.4:
            return Field("*", frozenset(range(low, high + 1)))
        found = [self._item(low, high, last or high, names) for _ in range(self._random.choice([1, 1, 2, 3]))]
        return Field(",".join(one.text for one in found), frozenset().union(*(one.numbers for one in found)))

    def _item(self, low: int, high: int, last: int, names: tuple[str, ...]) -> Field:
        """Make one item but a star: ``*/n``, a value, a range, a range with a step."""
        pick = self._random
        kind = pick.choice(["every", "value", "range", "steps"])
        step = pick.randint(1, high if kind == "every" else 30)
        if kind == "every":
            return Field(f"*/{step}", frozenset(range(low, high + 1, step)))
        first = pick.randint(low, last)
        if kind == "value":
            return Field(self._write(first, low, names), frozenset({first}))
        until = pick.randint(first, last)
        # A range may not end in the name of Sunday, which Debian's cron takes for 0.
        text = f"{self._write(first, low, names)}-{self._write(until, low, names if until else ())}"
        if kind == "range":
            return Field(text, frozenset(range(first, until + 1)))
        return Field(f"{text}/{step}", frozenset(range(first, until + 1, step)))

    def _write(self, number: int, low: int, names: tuple[str, ...]) -> str:
        """Write a number as people do: with a leading zero, by a name in any case."""
        forms = [str(number), f"{number:02d}"]
        if number - low < len(names):
            name = names[number - low]
            forms += [name, name.upper(), name.capitalize()]
        return self._random.choice(forms)


def _read_plain(text: str) -> Field:
    return Field(text, frozenset(range(100)) if text == "*" else frozenset({int(text)}))


def _mean(parts: list[Field]) -> Meaning:
    numbers = [part.numbers for part in parts]
    numbers[4] = frozenset(number % 7 for number in numbers[4])
    return _sort(numbers), parts[2].text[0] == "*" or parts[4].text[0] == "*"


def _sort(numbers: Iterable[Iterable[int]]) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(sorted({*found} & {*whole})) for found, whole in zip(numbers, RANGES, strict=True))


def _settings() -> tuple[Settings, Target]:
    target = find_main_target()
    found = parse_settings(SETTINGS.encode(), HOME, target, Faults("envs/site.yaml"))
    assert found
    return found, target


SITE, TARGET = _settings()
BY_NAME = {name: parse_profile(name, b"description: x\n", SITE, Faults(name)) for name in PROFILES}


def _compile(entries: list[Job]) -> str:
    registry = parse_registry({"jobs/all.yaml": b"jobs:\n" + b"".join(job.yaml.encode() for job in entries)}, 1.8e9)
    assert [str(fault) for fault in registry.faults if fault.level == "error"] == []
    planned = make_plans(registry.jobs, {name: one for name, one in BY_NAME.items() if one}, SITE)
    selected = select_entries(planned, SITE, TARGET)
    return compile_block("ql", str(HOME), TARGET, selected, SITE.mail, housekeeping="cron")


def _expect(entries: list[Job]) -> list[tuple[str, Meaning, tuple[str, ...]]]:
    """Return plan, meaning and recipients of each line that must be there."""
    lines = [(plan, when.meaning, job.mailto) for job in entries for plan in job.plans for when in job.whens]
    return sorted(lines)


def _of_ours(schedule: Schedule) -> Meaning:
    masks = (schedule.minutes, schedule.hours, schedule.days, schedule.months, schedule.weekdays)
    return _sort([n for n in range(60) if mask >> n & 1] for mask in masks), schedule.day_star or schedule.weekday_star


def _of_cron(entry: Entry) -> Meaning:
    numbers = [
        range(100) if text == "all" else [n for part in text.split(",") for n in _spread(part)]
        for text in entry.schedule.numbers
    ]
    numbers[4] = {number % 7 for number in numbers[4]}
    return _sort(numbers), bool({"DOM_STAR", "DOW_STAR"} & entry.schedule.flags)


def _spread(part: str) -> range:
    first, _, last = part.partition("-")
    return range(int(first), int(last or first) + 1)


def _read_by(dialect: Dialect, block: str) -> list[tuple[str, Meaning, tuple[str, ...]]]:
    explained = explain_table(dialect, Table(block.encode(), is_user=lambda _: True))
    assert (explained.refusals, explained.ignored) == ((), False)
    lines = []
    for entry in explained.entries:
        wrapper, _, plan = entry.command.decode().rpartition(" ")
        assert wrapper == WRAPPER
        in_force = {setting.name: setting.value.decode() for setting in entry.settings}
        if plan != "--sweep":
            lines.append((plan, _of_cron(entry), tuple(in_force[b"MAILTO"].split(","))))
    assert len(lines) == len(explained.entries) - 1
    return sorted(lines)


@pytest.mark.timeout(900)
@settings(max_examples=2000)
@given(st.integers(0, 2**64))
def test_random_registries_parse_back_to_exactly_the_same_jobs(seed: int) -> None:
    entries = Maker(seed).registry()
    block = _compile(entries)

    expected = _expect(entries)
    body = block.split("\n", 1)[1]
    ours = [
        (entry.plan, _of_ours(schedule), entry.mailto) for entry in parse_entries(body) for schedule in entry.schedules
    ]
    assert sorted(ours) == expected
    assert _read_by(DEBIAN, block) == expected
    assert _read_by(CRONIE, block) == expected
    assert find_disagreement(body) == "", body
    assert block.isascii()
    assert not set(block) & set("%\\$~'`")
