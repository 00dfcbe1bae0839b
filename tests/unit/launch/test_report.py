"""ALERT-13 to ALERT-15: the text of a mail, from its subject to what comes next."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.launch.incident import FIRST, RECOVERED, REMINDER, WORSE, Health
from runner.launch.instant import parse_instant
from runner.launch.report import clean, compose, decode_output, make_subject
from runner.launch.stream import Stream

_OPENED_AT = parse_instant("2026-11-21T11:00:00Z")


def _make_end(**fields: object) -> dict[str, object]:
    return {
        "plan": "download-wfc3", "job": "download-wfc3", "profile": "dsoc-prod", "slot": "2026-11-21T11:00:00Z",
        "host": "ops1", "release": "3f9c2ab", "run_id": "20261121T110000.412907Z-ops1-4242", "log": "/s/logs/x.log",
        "outcome": "failed", "reason": "exit 3", "duration_s": 12.4, **fields,
    }  # fmt: skip


def _make_health(**fields: object) -> Health:
    health = Health()
    health.opened_at = _OPENED_AT
    health.bad_runs = 1
    for key, value in fields.items():
        setattr(health, key, value)
    return health


def _make_stream(data: bytes, head_bytes: int = 8 << 10, tail_bytes: int = 24 << 10) -> Stream:
    stream = Stream(head_bytes, tail_bytes)
    stream.count_lines([])
    for start in range(0, len(data), 65536):
        stream.feed(data[start : start + 65536], 0.0)
    stream.finish()
    return stream


def _compose(
    err: bytes = b"", out: bytes = b"", health: Health | None = None, alert: str = FIRST, **end: object
) -> str:
    streams = _make_stream(err), _make_stream(out, 0, 8 << 10)
    return "\n\n".join(compose(_make_end(**end), health or _make_health(), alert, streams))


@pytest.mark.parametrize(
    ("end", "health", "alert", "subject"),
    [
        ({}, {}, FIRST, "FAILED download-wfc3 [dsoc-prod] exit 3"),
        ({"outcome": "warned", "reason": "1 line on stderr"}, {}, FIRST,
         "WARNED download-wfc3 [dsoc-prod] 1 line on stderr"),
        ({"outcome": "timed_out", "reason": "timeout after 1 s"}, {}, WORSE,
         "TIMED_OUT download-wfc3 [dsoc-prod] timeout after 1 s"),
        ({"outcome": "cannot_start", "reason": 'no file "/a"'}, {}, FIRST,
         'CANNOT_START download-wfc3 [dsoc-prod] no file "/a"'),
        ({"outcome": "lost", "reason": "host rebooted"}, {}, FIRST, "LOST download-wfc3 [dsoc-prod] host rebooted"),
        ({"outcome": "late", "reason": "slot 2026-11-21T11:00:00Z has no run"}, {}, FIRST,
         "LATE download-wfc3 [dsoc-prod] slot 2026-11-21T11:00:00Z has no run"),
        ({"outcome": "long", "reason": "runs for 612 s, expected at most 600 s"}, {}, FIRST,
         "LONG download-wfc3 [dsoc-prod] runs for 612 s, expected at most 600 s"),
        ({"outcome": "skipped", "reason": "overlap"}, {}, FIRST, "SKIPPED download-wfc3 [dsoc-prod] overlap"),
        ({}, {"bad_runs": 7}, REMINDER, "STILL FAILED download-wfc3 [dsoc-prod] 7 times since 11:00Z"),
        ({}, {"bad_runs": 7, "flapping": True}, REMINDER,
         "STILL FAILED download-wfc3 [dsoc-prod] 7 times since 11:00Z, flapping"),
        ({"outcome": "ok", "reason": ""}, {"bad_runs": 7, "recovered_at": _OPENED_AT + 6 * 3600 + 150}, RECOVERED,
         "RECOVERED download-wfc3 [dsoc-prod] after 7 failures in 6h02m"),
        ({"outcome": "ok", "reason": ""}, {"recovered_at": _OPENED_AT + 59}, RECOVERED,
         "RECOVERED download-wfc3 [dsoc-prod] after 1 failure in 0h00m"),
        ({"plan": "a@b", "profile": "b"}, {}, FIRST, "FAILED a@b [b] exit 3"),
    ],
)  # fmt: skip
def test_a_subject_has_the_form_that_people_filter_on(
    end: dict[str, object], health: dict[str, object], alert: str, subject: str
) -> None:
    """ALERT-13; the forms of the specification's examples."""
    assert make_subject(_make_end(**end), _make_health(**health), alert) == subject


@given(st.text(max_size=300))
def test_a_subject_is_one_line_of_printable_ascii(reason: str) -> None:
    subject = make_subject(_make_end(reason=reason), _make_health(), FIRST)

    assert subject.isascii()
    assert subject.isprintable()
    assert len(subject) <= 120


def test_control_characters_are_shown() -> None:
    """SEC-10."""
    assert clean("a\n\r\t\x1b[31mb\x7f\x9b") == "a\\x0a\\x0d\\x09\\x1b[31mb\\x7f\\x9b"


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"", []),
        (b"a\nb\n", ["a", "b"]),
        (b"a\nb", ["a", "b"]),
        (b"a\n\nb\n", ["a", "", "b"]),
        (b"10%\r50%\r100%\n", ["100%"]),
        (b"10%\r50%\r", ["50%"]),
        (b"dos\r\n", ["dos"]),
        (b"caf\xe9\n", ["caf\\xe9"]),
        ("café\n".encode(), ["café"]),
        (b"a\tb\n", ["a    b"]),
        (b"\x1b[31mred\x00\n", ["\\x1b[31mred\\x00"]),
        (b"\n", [""]),
    ],
)
def test_output_is_shown_with_nothing_dropped_and_bars_in_their_last_state(data: bytes, lines: list[str]) -> None:
    """RUN-30."""
    assert decode_output(data) == lines


def test_a_body_has_the_sentence_stderr_facts_and_what_to_type() -> None:
    """ALERT-15, worked out."""
    health = _make_health(ok_at=_OPENED_AT - 86400 + 14)

    text = _compose(b"download.py: 404 Not Found\ndownload.py: 1 of 214 files missing\n", b"not shown\n", health)

    assert text == (
        "FAILED download-wfc3 [dsoc-prod] exit 3\n"
        "\n"
        "download-wfc3 failed after 12.4 s: exit 3.\n"
        "---- stderr, 2 lines ----\n"
        "download.py: 404 Not Found\n"
        "download.py: 1 of 214 files missing\n"
        "---- run ----\n"
        "slot 2026-11-21T11:00:00Z   profile dsoc-prod   release 3f9c2ab   host ops1\n"
        "log   /s/logs/x.log\n"
        "see   runner logs 20261121T110000.412907Z-ops1-4242        again   runner run download-wfc3\n"
        "First failure; last ok 2026-11-20T11:00:14Z. Next mail: reminder after 1 h, or recovery.\n"
    )


def test_without_stderr_the_body_shows_the_last_twenty_lines_of_stdout() -> None:
    text = _compose(out=b"".join([b"line %d\n" % number for number in range(50)]))

    assert "---- no stderr; stdout, last 20 lines ----\nline 30\n" in text
    assert text.count("\nline ") == 20


def test_a_body_is_never_empty() -> None:
    assert "(no output)\n" in _compose()


def test_long_stderr_is_cut_at_line_ends_and_says_how_many_lines_are_missing() -> None:
    text = _compose(b"".join([b"line %06d\n" % number for number in range(100_000)]))

    body = text.splitlines()
    place = next(index for index, line in enumerate(body) if "left out" in line)
    first, last = int(body[place - 1].split()[1]), int(body[place + 1].split()[1])
    assert body[3] == "---- stderr, 100000 lines ----"
    assert body[place] == f"... {last - first - 1} lines left out, see log /s/logs/x.log ..."
    assert (body[4], "line 099999" in body) == ("line 000000", True)
    assert first * 12 == pytest.approx(8 << 10, rel=0.01)
    assert (100_000 - last) * 12 == pytest.approx(24 << 10, rel=0.01)


def test_one_long_line_shows_its_beginning_and_its_end() -> None:
    text = _compose(b"the beginning " + b"x" * 1_000_000 + b" the end\n")

    assert "\nthe beginning xxx" in text
    assert "xxx the end\n" in text
    assert "\n... 1 line left out, see log /s/logs/x.log ...\n" in text


@pytest.mark.parametrize(
    "data", [b"\xff" * 200_000, b"\x1b[0m\n" * 50_000, b"\xff" * 32_000, "\u200b\n".encode() * 9000]
)
def test_a_body_stays_below_64_kib_however_its_characters_grow(data: bytes) -> None:
    """ALERT-14."""
    text = _compose(data)

    assert 20 << 10 < len(text.encode()) <= 64 << 10
    assert "left out" in text


@given(st.binary(max_size=100_000), st.binary(max_size=20_000))
def test_a_body_of_any_output_can_be_sent(err: bytes, out: bytes) -> None:
    text = _compose(err, out)

    assert len(text.encode()) <= 64 << 10
    assert all(line.isprintable() for line in text.splitlines())


@pytest.mark.parametrize(
    ("health", "alert", "sentence"),
    [
        ({}, FIRST, "First failure; no ok run is known. Next mail: reminder after 1 h, or recovery."),
        ({}, WORSE, "Worse than before; no ok run is known. Next mail: reminder, or recovery."),
        ({"bad_runs": 7}, REMINDER,
         "7 bad runs since 2026-11-21T11:00:00Z; no ok run is known. Next mail: reminder, or recovery."),
        ({"bad_runs": 2}, RECOVERED, "Bad since 2026-11-21T11:00:00Z, 2 bad runs. No mail while it stays well."),
    ],
)  # fmt: skip
def test_a_body_ends_with_the_state_of_the_incident(health: dict[str, object], alert: str, sentence: str) -> None:
    assert _compose(b"x\n", health=_make_health(**health), alert=alert).splitlines()[-1] == sentence


def test_a_plan_of_several_is_named_as_runner_run_wants_it() -> None:
    assert "again   runner run job -P other\n" in _compose(plan="job@other", job="job", profile="other")


def test_a_skip_names_who_holds_the_lock() -> None:
    end = _make_end(
        outcome="skipped", reason="overlap", detail="run X since then, job pid 4242", log="", duration_s=None
    )

    text = "\n\n".join(compose(end, _make_health(skips=3), FIRST, None))

    assert "download-wfc3 was skipped 3 times in a row: overlap.\n" in text
    assert "held by   run X since then, job pid 4242\n" in text


def test_a_late_slot_has_a_command_that_says_why_it_did_not_run() -> None:
    end = _make_end(outcome="late", reason="slot X has no run", log=None, duration_s=None, see="runner why job X")

    text = "\n\n".join(compose(end, _make_health(), FIRST, None))

    assert "download-wfc3 is late: slot X has no run.\n" in text
    assert "see   runner why job X        again   runner run download-wfc3\n" in text


def test_a_long_run_has_the_command_that_ends_it() -> None:
    end = _make_end(outcome="long", reason="runs for 612 s, expected at most 600 s", duration_s=None)

    text = "\n\n".join(compose(end, _make_health(), FIRST, None))

    assert "download-wfc3 takes long: runs for 612 s, expected at most 600 s.\n" in text
    assert "see   runner logs 20261121T110000.412907Z-ops1-4242        stop   runner stop download-wfc3\n" in text
