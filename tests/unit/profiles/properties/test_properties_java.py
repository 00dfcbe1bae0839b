"""The reading of ``java.util.Properties`` (CAPO-33); all values here were given by Java 17 itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.profiles.properties.java import BadEscape, parse_java

READ: dict[bytes, dict[str, str]] = {
    b"a=1\nb:2\nc 3\nd\n": {"a": "1", "b": "2", "c": "3", "d": ""},
    b"  a \t= : b \n": {"a": ": b "},
    b"! c\n# c\\\n; c\na=1 # one\n": {";": "c", "a": "1 # one"},
    b"a=1,\\\n   2\\\r\n3\n": {"a": "1,23"},
    b"a=1\\\\\nb=2\\": {"a": "1\\", "b": "2"},
    b"a\\ b\\=c\\:d=1\n": {"a b=c:d": "1"},
    b'k=\\t\\n\\r\\f\\q\\"\\u00e9\\ud83d\\ude00\n': {"k": '\t\n\r\fq"é😀'},
    b"a=1\nA=2\na=3\n": {"a": "3", "A": "2"},
    b"a=caf\xe9\nb=caf\xc3\xa9\n": {"a": "café", "b": "cafÃ©"},
    b"k=${env:HOME}\n": {"k": "${env:HOME}"},
    b"\\\n! c\na=1\n": {"a": "1"},
    b"\\\n": {"": ""},
    b"\\\r\n": {},
    b"=1\n": {"": "1"},
}


@pytest.mark.parametrize(("data", "found"), READ.items(), ids=range(len(READ)))
def test_a_file_is_read_as_java_reads_it(data: bytes, found: dict[str, str]) -> None:
    assert {one.key: one.value for one in parse_java(data, "f")} == found


@pytest.mark.parametrize("data", [b"a=1\nk=\\u12\n", b"a=1\nk\\u=1\n", b"a=1\nk=x\\\ny\\uu0041\n"])
def test_an_escape_that_java_throws_an_exception_on_is_named_with_its_line(data: bytes) -> None:
    with pytest.raises(BadEscape) as caught:
        parse_java(data, "f")
    assert caught.value.line == 2


@given(st.binary(max_size=40))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        keys = [one.key for one in parse_java(data, "f")]
    except BadEscape:
        return
    assert len(keys) == len(set(keys))
