"""ARCH-22: what a value becomes in a column of a type."""

from __future__ import annotations

import math

import pytest

from runner.archive.headers.values import MISFIT, UNREADABLE, Value, fit


@pytest.mark.parametrize(
    ("type", "value", "typed"),
    [
        ("text", "M 31", "M 31"),
        ("text", 12345, "12345"),
        ("text", 0.5, "0.5"),
        ("text", True, "T"),
        ("text", False, "F"),
        ("int", 7, 7),
        ("int", 7.0, 7),
        ("int", 2**63 - 1, 2**63 - 1),
        ("float", 1.5, 1.5),
        ("float", 2, 2.0),
        ("bool", False, False),
    ],
)
def test_a_value_fits(type: str, value: Value, typed: object) -> None:
    found = fit(value, type)
    assert (found, found.__class__) == (typed, typed.__class__)


@pytest.mark.parametrize(
    ("type", "value"),
    [
        ("int", 7.5),
        ("int", 2**63),
        ("int", True),
        ("int", "7"),
        ("int", math.inf),
        ("float", "7.5"),
        ("float", True),
        ("float", 1j),
        ("float", math.inf),
        ("float", 10**400),
        ("bool", 1),
        ("bool", "T"),
        *((type, UNREADABLE) for type in ("text", "int", "float", "bool")),
    ],
)
def test_what_would_be_changed_does_not_fit(type: str, value: Value) -> None:
    assert fit(value, type) is MISFIT
