"""PROF-43, PROF-82: versions, found in what programs say and compared number by number."""

from __future__ import annotations

import pytest

from runner.launch.version import compare_versions, find_version, split_comparison


@pytest.mark.parametrize(
    ("said", "version"),
    [("restoreToCache 3.7.0\n", "3.7.0"), ("v6.5-2", "6.5"), ("Python 3.11.2+", "3.11.2"), ("none", ""), ("", "")],
)
def test_the_version_is_the_first_number_that_a_program_says(said: str, version: str) -> None:
    assert find_version(said) == version


@pytest.mark.parametrize(
    ("found", "wanted", "fits"),
    [
        ("3.7.0", ">=3.7.0", True),
        ("3.6.9", ">=3.7.0", False),
        ("3.10", ">=3.7", True),
        ("3.7", ">=3.7.0", True),
        ("3.7", "==3.7.0", True),
        ("3.7.1", "!=3.7", True),
        ("4", "<4.0.1", True),
        ("4", ">4.0", False),
    ],
)
def test_versions_compare_number_by_number(found: str, wanted: str, fits: bool) -> None:
    assert compare_versions(found, *split_comparison(wanted)) == fits
