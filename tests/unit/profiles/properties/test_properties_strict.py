"""The strict reading: what pycapo gives, or a fault at its place; what Java reads otherwise is a warning."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.profiles.properties.java import parse_java
from runner.profiles.properties.pycapo import parse_pycapo
from runner.profiles.properties.strict import parse_strict

ENVIRON = {"FOO": "/data", "EMPTY": "", "BLANK": " x", "ESCAPE": "a\\tb", "LINES": "a\nb", "ODD": "\udce9"}


def judge(text: str | bytes) -> list[str]:
    """Return the faults and warnings of a file, without their hints."""
    data = text.encode() if isinstance(text, str) else text
    found = parse_strict(data, "f", ENVIRON).faults
    return [f"{one.line}:{one.column} {one.level[0]} {one.message}" for one in found]


FAULTS = {
    b"a=caf\xe9\n# \xe9\n": "1:6 e not UTF-8|2:3 e not UTF-8",
    "\ufeffa=1\n": "1:1 e a byte order mark",
    "a=1\n [s] \n": "2:1 e an indented line|2:2 e a [section]",
    "a=1\n[s]\nb=2\n": "2:1 e a [section]",
    "  a=1\n": "1:1 e an indented line",
    "a=1\n\tb=2\n": "2:1 e an indented line",
    "a=1,\\\n2\n": '1:5 e a backslash|2:1 e no "=" or ":"',
    "k=C:\\temp\n": "1:5 e a backslash",
    "k\\=x=1\n": "1:2 e a backslash",
    "! java\n": '1:1 e a comment for Java only, with "!"',
    "!k=1\n": '1:1 e a comment for Java only, with "!"',
    "word\n": '1:1 e no "=" or ":"',
    "=1\n": "1:1 e no key in front of the delimiter",
    "a=1\nb=2\nA=3\n": "3:1 e the key A once more",
    "my key=1\n": "1:3 e a blank in a key",
    "k=x${env:FOO}\n": "1:4 e ${env:...} that is not the only one, at the very start",
    "k=${env:FOO}-${env:FOO}\n": "1:14 e ${env:...} that is not the only one, at the very start",
    "k=${env:FOO1}\n": "1:3 e ${env:...} with a name that pycapo does not know",
    "k=${env:NOPE}/tmp\n": "1:3 e NOPE is not set",
    "k=${env:BLANK}\n": "1:3 e BLANK has a backslash, odd bytes, or blanks at its ends",
    "k=${env:ESCAPE}\n": "1:3 e ESCAPE has a backslash, odd bytes, or blanks at its ends",
    "k=${env:LINES}\n": "1:3 e LINES has a backslash, odd bytes, or blanks at its ends",
    "k=${env:ODD}\n": "1:3 e ODD has a backslash, odd bytes, or blanks at its ends",
}


@pytest.mark.parametrize(("text", "found"), FAULTS.items(), ids=range(len(FAULTS)))
def test_what_programs_would_read_in_different_ways_is_a_fault(text: str | bytes, found: str) -> None:
    """CAPO-31."""
    assert judge(text) == found.split("|")


WARNINGS = {
    "; c\n": "1:1 w Java takes this comment for a key",
    "a=1 \t\n": "1:4 w blanks behind the value: Java keeps them",
    "a= \n": "1:4 w blanks behind the value: Java keeps them",
    "a=café\n": "1:6 w Java reads this as ISO-8859-1",
    "é=1\n": "1:1 w Java reads this as ISO-8859-1",
    "a=x/${b}\n": "1:5 w Apache Commons Configuration replaces ${...}; pycapo does not",
    "a=${env:FOO}/${b}\n": "1:14 w Apache Commons Configuration replaces ${...}; pycapo does not",
    "a=1,2\n": "1:4 w Apache Commons Configuration splits at commas",
    "a=\x0b1\n": "1:4 w Java reads another value",
}


@pytest.mark.parametrize(("text", "found"), WARNINGS.items(), ids=range(len(WARNINGS)))
def test_what_java_alone_reads_otherwise_is_a_warning(text: str, found: str) -> None:
    """CAPO-32."""
    assert judge(text) == found.split("|")


@pytest.mark.parametrize(
    "text", ["", "\n \n", "# a\\\n  # b é\n", "a=1\r\nb.c-d : x  y=z\n", "k='\"$(id)`!\n", "k=${env:FOO}/x"]
)
def test_what_all_read_alike_is_right(text: str) -> None:
    assert judge(text) == []


LINES = st.tuples(
    st.sampled_from(["", "", "", "", " ", "#", ";", "!"]),
    st.sampled_from(["a", "A", "b.c", "d-e", "é", "x y", "[s]", "\ufeff", ""]),
    st.sampled_from(["=", ":", " = ", " ", "\t=\t", ""]),
    st.text(alphabet="ab =:#!;,$\\\"'\t\x0b\x1c\x85é", max_size=6),
    st.sampled_from(["\n", "\r\n", "\r", "\n\n"]),
).map("".join)


@given(st.lists(LINES, max_size=5).map("".join))
def test_without_fault_the_values_are_pycapos_and_without_warning_javas_too(text: str) -> None:
    """The rule of the strict form: never a third reading."""
    found = parse_strict(text.encode(), "f", {})
    if all(one.level == "warning" for one in found.faults):
        assert found.properties == parse_pycapo(text, "f", {}).properties
    if not [one for one in found.faults if "Commons" not in one.message]:
        assert [(one.key, one.value) for one in found.properties] == [
            (one.key, one.value) for one in parse_java(text.encode(), "f")
        ]


def test_a_fault_never_has_a_value_in_it() -> None:
    """CAPO-36."""
    lines = [
        "CANARY",
        "k=CANARY\\",
        " l=CANARY",
        "k=CANARY",
        "m=CANARY ${env:FOO}",
        "n=${env:NOPE}CANARY",
        "o=CANARY,$\t",
    ]
    found = parse_strict("\n".join(lines).encode(), "f", ENVIRON).faults
    assert {one.line for one in found} == {1, 2, 3, 4, 5, 6, 7}
    assert not [one for one in found if "CANARY" in str(one)]
