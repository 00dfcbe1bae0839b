"""Which products are missing: rules, patterns and what is counted (ARCH-43)."""

from __future__ import annotations

import pytest

from runner.archive.find.missing import Found, Incomplete, Pattern, Rule, choose_rules
from runner.archive.settings import Expected
from runner.errors import UserError

RAW, FLT, DRZ = Pattern("", "_raw.fits"), Pattern("", "_flt.fits"), Pattern("hst_", "_drz.fits")
EXPECTED = (("calibrated", Expected("*_raw.fits", ("*_flt.fits", "hst_*_drz.fits"))), ("looked-at", Expected("*_drz.fits", ("*.jpg",))))  # fmt: skip  # noqa: E501


@pytest.mark.parametrize(
    ("pattern", "name", "exposure"),
    [
        (RAW, "ib1_raw.fits", "ib1"),
        (RAW, "_raw.fits", None),
        (RAW, "ib1_raw.fits.gz", None),
        (DRZ, "hst_ib1_drz.fits", "ib1"),
        (DRZ, "ib1_drz.fits", None),
        (Pattern("ab", "ba"), "aba", None),
        (Pattern("ab", "ba"), "abba", None),
        (Pattern("ab", "ba"), "ab*ba", "*"),
        (Pattern("", ""), "x", "x"),
    ],
)
def test_a_star_stands_for_at_least_one_character(pattern: Pattern, name: str, exposure: str | None) -> None:
    assert pattern.find_exposure(name) == exposure


def test_an_exposure_that_has_all_is_not_named() -> None:
    found = Found(Rule("r", RAW, (FLT, DRZ)))
    for name in ("ib2_raw.fits", "ib1_raw.fits", "ib3_raw.fits", "ib1_raw.fits", "other.fits"):
        found.add_exposure(name)
    for name in ("ib1_flt.fits", "hst_ib1_drz.fits", "hst_ib2_drz.fits", "ib9_flt.fits", "ib2_flt.fits.gz"):
        found.add_product(name)

    assert found.count == 3
    assert list(found.list_incomplete()) == [
        Incomplete("r", "ib2_raw.fits", ("hst_ib2_drz.fits",), ("ib2_flt.fits",)),
        Incomplete("r", "ib3_raw.fits", (), ("ib3_flt.fits", "hst_ib3_drz.fits")),
    ]


def test_rules_are_all_of_the_settings_or_those_that_are_named_or_written_out() -> None:
    assert [rule.name for rule in choose_rules([], EXPECTED)] == ["calibrated", "looked-at"]
    assert choose_rules(["calibrated"], EXPECTED) == [Rule("calibrated", RAW, (FLT, DRZ))]
    assert choose_rules([" *_raw.fits : *_flt.fits,  hst_*_drz.fits"], ()) == [Rule("*_raw.fits", RAW, (FLT, DRZ))]


@pytest.mark.parametrize(
    ("words", "expected", "message"),
    [
        ([], (), "there is no rule of what is expected; write one, as in --missing "),
        (["calibratd"], EXPECTED, 'no rule is called "calibratd"; did you mean "calibrated"?; one is written like'),
        (["exptime > 1"], EXPECTED, 'no rule is called "exptime > 1"; one of calibrated, looked-at; one is written'),
        (["*_raw.fits:"], (), 'rule "*_raw.fits": nothing is expected'),
        ([], (("bad", Expected("*_raw.fits", ())),), 'rule "bad": nothing is expected'),
        (["raw.fits: *_flt.fits"], (), '"raw.fits" is no name with one *'),
        (["*_raw.fits: *_*.fits"], (), '"*_*.fits" is no name with one *'),
        (["*_raw.fits: a/*.fits"], (), '"a/*.fits" is no name with one *'),
        ([], (("bad", Expected("*_raw.fits", ("flt.fits",))),), 'rule "bad": "flt.fits" is no name with one *'),
    ],
)
def test_what_is_no_rule_is_refused(words: list[str], expected: tuple[tuple[str, Expected], ...], message: str) -> None:
    with pytest.raises(UserError) as raised:
        choose_rules(words, expected)
    assert message in str(raised.value)
