"""What is an event and what is a damaged line (RUN-16)."""

import json

import pytest
from journals import end_of, skip_of, start_of

from runner.launch.journal import MAX_BYTES, encode_event
from runner.ledger.record import parse_event

START = start_of()


def _line(event: dict[str, object]) -> bytes:
    return encode_event(event).strip()


@pytest.mark.parametrize("event", [START, end_of(START), skip_of()], ids=["start", "end", "skip"])
def test_what_the_wrapper_writes_is_read_as_it_was(event: dict[str, object]) -> None:
    assert parse_event(_line(event)) == event


def test_an_event_of_a_kind_yet_unknown_is_kept() -> None:
    event = {"event": "product", "at": START["at"], "run_id": START["run_id"], "seq": 7, "path": "/data/x.fits"}

    assert parse_event(_line(event)) == event


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", "Expecting value"),
        (b"\0\0\0\0", "Expecting value"),
        (b'{"event": "start", "at": "2026', "Unterminated string"),
        (b"\xff\xfe", "can't decode byte"),
        (b"[1, 2]", "no JSON object"),
        (b"{} {}", "no JSON object"),
        (b"[" * 4000, "nested too deeply"),
        (b" " * (MAX_BYTES + 1), "longer than 4096 bytes"),
        (b'{"event": "note"}', "it has no at"),
    ],
)
def test_a_line_that_is_no_event_is_refused_with_the_reason(line: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_event(line)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("run_id", "../../etc/passwd"),
        ("run_id", "20261121"),
        ("run_id", "20261321T000000.000000Z-ops1-1"),
        ("slot", "2026-11-21T25:00:00Z"),
        ("at", "yesterday"),
        ("seq", "1"),
        ("seq", True),
        ("plan", None),
        ("started_at", "2026-11-21 12:00"),
        ("outcome", 3),
        ("exit_code", "3"),
        ("exit_code", 2**63),
        ("duration_s", float("nan")),
        ("duration_s", float("inf")),
    ],
)
def test_a_value_that_no_database_would_take_is_refused(field: str, value: object) -> None:
    line = json.dumps({**end_of(START), field: value}).encode()

    with pytest.raises(ValueError, match=field):
        parse_event(line)


def test_a_missing_field_is_named() -> None:
    event = end_of(START)
    del event["outcome"]

    with pytest.raises(ValueError, match="it has no outcome"):
        parse_event(_line(event))


def test_characters_that_postgresql_refuses_are_shown() -> None:
    line = json.dumps({**end_of(START), "reason": "a\0b \udcff é"}).encode()

    assert parse_event(line)["reason"] == "a\\x00b \\udcff é"
    recipients = json.dumps({**start_of(), "mailto": ["\0@x", ["\ud800"], 1]}).encode()
    assert parse_event(recipients)["mailto"][0] == "\\x00@x"
