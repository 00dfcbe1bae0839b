"""Which products of which exposures are missing, by the names of files (ARCH-43).

A rule says what there is for each exposure, ``*_raw.fits``, and what belongs to it, ``*_flt.fits``. The ``*`` stands
for the same text in all patterns, at least one character. Only the name of a file counts, in whatever directory.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from runner.archive.find.ask import Index, make_question
from runner.archive.find.patterns import make_plain
from runner.archive.find.tree import And, Condition, Field, Like, Or
from runner.archive.settings import Expected
from runner.document.faults import describe_unknown
from runner.errors import UserError


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern of names: what stands before its ``*``, and what behind."""

    before: str
    after: str

    def find_exposure(self, name: str) -> str | None:
        """Return what the ``*`` stands for in a name; None if it does not fit."""
        middle = name[len(self.before) : len(name) - len(self.after)]
        return middle if middle and name == self.make_name(middle) else None

    def make_name(self, exposure: str) -> str:
        """Return the name of an exposure's file."""
        return f"{self.before}{exposure}{self.after}"


@dataclass(frozen=True, slots=True)
class Rule:
    """What each exposure should have."""

    name: str
    each: Pattern
    needs: tuple[Pattern, ...]


@dataclass(frozen=True, slots=True)
class Incomplete:
    """An exposure that lacks something; all are names of files."""

    rule: str
    exposure: str
    there: tuple[str, ...]
    missing: tuple[str, ...]


class Found:
    """The exposures of one rule, and which of their products are there."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        # By exposure a bit for each product: a million exposures are to fit.
        self._products: dict[str, int] = {}

    @property
    def count(self) -> int:
        """How many exposures there are."""
        return len(self._products)

    def count_incomplete(self) -> int:
        """Return how many of them lack something."""
        whole = (1 << len(self.rule.needs)) - 1
        return sum(has != whole for has in self._products.values())

    def add_exposure(self, name: str) -> None:
        """Note a file that each exposure has, if it is one."""
        exposure = self.rule.each.find_exposure(name)
        if exposure is not None:
            self._products.setdefault(exposure, 0)

    def add_product(self, name: str) -> None:
        """Note a product, if it is one of an exposure that is known."""
        for bit, pattern in enumerate(self.rule.needs):
            exposure = pattern.find_exposure(name)
            if exposure in self._products:
                self._products[exposure] |= 1 << bit

    def list_incomplete(self) -> Iterator[Incomplete]:
        """Yield the exposures that lack something, by their names."""
        for exposure in sorted(self._products):
            has = self._products[exposure]
            names = [pattern.make_name(exposure) for pattern in self.rule.needs]
            missing = tuple(name for bit, name in enumerate(names) if not has >> bit & 1)
            if missing:
                there = tuple(name for name in names if name not in missing)
                yield Incomplete(self.rule.name, self.rule.each.make_name(exposure), there, missing)


def choose_rules(words: Sequence[str], expected: Sequence[tuple[str, Expected]]) -> list[Rule]:
    """Return the rules that are asked for: names of `expected`, or written out; without any all of `expected`.

    Raises
    ------
    UserError
        There is none, one has no such name, or is no rule.
    """
    named = dict(expected)
    if not words and not named:
        hint = "write one, as in --missing '*_raw.fits: *_flt.fits', or under expected in envs/archive.yaml"
        raise UserError(f"there is no rule of what is expected; {hint}")
    return [_choose_rule(word, named) for word in words or named]


def _choose_rule(word: str, named: dict[str, Expected]) -> Rule:
    if word in named:
        return _make_rule(word, named[word].each, named[word].needs)
    each, colon, needs = word.partition(":")
    if not colon:
        raise UserError(f"{describe_unknown('rule', word, named)}; one is written like '*_raw.fits: *_flt.fits'")
    return _make_rule(each.strip(), each.strip(), [need for need in re.split(r"[,\s]+", needs) if need])


def _make_rule(name: str, each: str, needs: Sequence[str]) -> Rule:
    if not needs:
        raise UserError(f"rule \"{name}\": nothing is expected; write one like '*_raw.fits: *_flt.fits'")
    return Rule(name, _parse_pattern(name, each), tuple(_parse_pattern(name, need) for need in needs))


def _parse_pattern(rule: str, text: str) -> Pattern:
    before, star, after = text.partition("*")
    if not star or "*" in after or "/" in text:
        raise UserError(f'rule "{rule}": "{text}" is no name with one * for what is the same, like *_raw.fits')
    return Pattern(before, after)


def find_missing(
    index: Index, rules: Iterable[Rule], expression: str = "", *, every_state: bool = False
) -> list[Found]:
    """Return the exposures of each rule, of those files that an expression finds, with all products there are."""
    found = [Found(rule) for rule in rules]
    for name in _read_names(index, [one.rule.each for one in found], expression, every_state=every_state):
        for one in found:
            one.add_exposure(name)
    needs = [pattern for one in found for pattern in one.rule.needs]
    for name in _read_names(index, needs, "", every_state=every_state):
        for one in found:
            one.add_product(name)
    return found


def _read_names(index: Index, patterns: Sequence[Pattern], expression: str, *, every_state: bool) -> Iterator[str]:
    """Yield the names of the files that may fit a pattern, and an expression."""
    question = make_question(index.fields, expression, "path", every_state=every_state)
    ends = _fit_ends(index.fields.by_name["path"], {pattern.after for pattern in patterns})
    condition = And((ends, question.condition)) if question.condition else ends
    for (path,) in index.read(replace(question, condition=condition)):
        yield path.rpartition("/")[2]


def _fit_ends(path: Field, ends: set[str]) -> Condition:
    return Or(tuple(Like(path, f"%{make_plain(end)}") for end in sorted(ends)))
