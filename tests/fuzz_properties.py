"""Damaged property files, read as pycapo does, strictly, and as Java does."""

from __future__ import annotations

from contextlib import suppress

from fuzz_kind import Kind, check_faults, mutate, split_words

from runner.profiles.properties.java import BadEscape, parse_java
from runner.profiles.properties.pycapo import Unreadable, parse_pycapo
from runner.profiles.properties.shell import assign_in_csh, assign_in_sh
from runner.profiles.properties.source import decode
from runner.profiles.properties.strict import parse_strict

_FILE = "fuzz.properties"
_ENVIRON = {"HOME": "/home/x", "BACK": "a\\1\\n\\g<0>", "EMPTY": ""}
_SAMPLES = (
    b"# comment\nedu.nrao.x.hostname = hamal\nedu.nrao.x.port: 5432\n\n! other\n  continued\nPASSWORD=s3cret\n",
    b"a=1\nb = ${env:HOME}/x\n c d\ne\\ f = \\u00e4\\\n  more\n[DEFAULT]\ng: h\n[other]\ni=${env:X}\n",
    b"key = value with # no comment ; at all\nKEY2=\xc3\xa4\nlist = a, b, \\\n   c\n:empty\n=x\nalone\n",
)
_WORDS = split_words(
    "=¦:¦ ¦\\¦\\\n¦\\u00e4¦\\u12¦\\uD83D¦${env:HOME}¦${env:BACK}¦${env:}¦"
    "${a.b}¦[x]¦[DEFAULT]¦]¦#¦!¦;¦\f¦\t¦\u2028¦é¦\u0131¦ß"
)


def _read_properties(data: bytes) -> None:
    """Read it in the three ways; what the strict form takes without fault, pycapo reads alike."""
    with suppress(BadEscape):
        parse_java(data, _FILE)
    strict = parse_strict(data, _FILE, _ENVIRON)
    errors = [fault for fault in strict.faults if fault.level == "error"]
    check_faults(strict.faults, data.replace(b"\r", b"\n"))
    try:
        reading = parse_pycapo(decode(data, _FILE), _FILE, _ENVIRON)
    except (Unreadable, UnicodeDecodeError):
        assert errors, "pycapo ends here, and nobody says so"
        return
    for one in reading.properties:
        assign_in_sh(one.key, one.value)
        assign_in_csh(one.key, one.value)
    if not errors:
        assert {one.key: one.value for one in strict.properties} == {one.key: one.value for one in reading.properties}


KINDS = (Kind("properties", 15, lambda chance: mutate(chance, _SAMPLES, _WORDS), _read_properties),)
