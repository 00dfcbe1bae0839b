"""The reading of pycapo, whose rules are those of Python's own configparser (CAPO-5, CAPO-6)."""

from __future__ import annotations

import configparser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.profiles.properties.pycapo import Unreadable, fill_variables, parse_pycapo
from runner.profiles.properties.values import Property

KEYS = st.sampled_from(
    ["a", "A", "b.c", "B-C", "é", "ß", "SS", "İ", "[s]", "[DEFAULT]", "[]", "!k", "k k", "#k", "", "\\"]
)
DELIMITERS = st.sampled_from(["=", " = ", ":", "=:", "\t:\t", " ", ""])
VALUES = st.text(alphabet=" \t=:#;[]!ab\\\"'%()s$\x0b\x85\u2028é", max_size=8)
INDENTS = st.sampled_from(["", "", "", " ", "   ", "\t"])
ENDS = st.sampled_from(["\n", "\n", "\n", "\r\n", "\r", "\n\n", "\n \n", "\n# c\n", "\n  ; c\n"])
TEXTS = st.lists(st.tuples(INDENTS, KEYS, DELIMITERS, VALUES, ENDS).map("".join), max_size=7).map("".join)


def read_with_configparser(text: str) -> list[tuple[str, str]] | str:
    """Return key and value of each property in a text, or the name of the exception."""
    parser = configparser.RawConfigParser()
    try:
        parser.read_string("[NOSECTION]\n" + text.replace("\r\n", "\n").replace("\r", "\n"))
    except configparser.Error as error:
        return type(error).__name__
    return parser.items("NOSECTION")


def read_with_ours(text: str) -> list[tuple[str, str]] | str:
    try:
        return [(one.key.lower(), one.raw) for one in parse_pycapo(text, "f", {}).properties]
    except Unreadable as error:
        return error.trouble.value


@given(TEXTS)
def test_a_text_is_read_as_configparser_reads_it(text: str) -> None:
    assert sorted(read_with_ours(text)) == sorted(read_with_configparser(text))


def test_a_property_knows_its_place() -> None:
    """For the faults that name it."""
    (one,) = parse_pycapo("# c\n\n  Key.a :  ${env:A}/x\n", "dir/p.properties", {"A": "v"}).properties
    assert one == Property("Key.a", "v/x", "dir/p.properties", 3, 12, "${env:A}/x")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a=1\nword\n", 'f:2: no "=" or ":"'),
        ("=1\n", "f:1: no key in front of the delimiter"),
        ("a=1\n\nA=2\n", "f:3: the key A once more (line 1 has a)"),
        ("[s]\n[t]\n[s]\n", "f:3: the section [s] once more"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line_and_without_its_value(text: str, said: str) -> None:
    """CAPO-13."""
    with pytest.raises(Unreadable) as caught:
        parse_pycapo(text, "f", {})
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("${env:A_b}/x", "1/x"),
        ("${env:A_b}${env:OTHER}", "11"),
        ("${env:UNSET}x", "x"),
        ("x${env:A_b}", "x${env:A_b}"),
        ("${env:A1}", "${env:A1}"),
        ("${ENV:A_b}", "${ENV:A_b}"),
    ],
)
def test_a_variable_counts_at_the_very_start_only(raw: str, value: str) -> None:
    """CAPO-6."""
    assert fill_variables(raw, {"A_b": "1", "A1": "2", "OTHER": "3"}) == value


def test_keys_below_a_section_are_lost_but_for_the_common_one() -> None:
    """CAPO-15."""
    reading = parse_pycapo("a=1\n[s]\nb=2\nc=${env:FOO}\n[DEFAULT]\nd=4\n", "f", {"FOO": "\\q"})
    assert [one.key for one in reading.properties] == ["a", "d"]
    assert [one.line for one in reading.lost] == [3, 4]
