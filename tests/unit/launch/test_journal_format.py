"""Journal records: one line of JSON, one write, never more than 4096 bytes (RUN-4, RUN-13, RUN-14)."""

import json
import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.launch.journal import (
    MAX_BYTES,
    Value,
    append_event,
    append_record,
    encode_event,
    make_end,
    make_run_id,
    short_host,
)

AT = "2026-03-08T07:00:00.412907Z"
START: dict[str, Value] = {
    "event": "start",
    "at": AT,
    "run_id": "20260308T070000.412907Z-ops1-4242",
    "seq": 0,
    "plan": "dark@p",
    "job": "dark",
    "profile": "p",
    "slot": "2026-03-08T07:00:00Z",
    "host": "ops1",
    "trigger": "cron",
    "release": "-",
    "log": "/state/logs/dark@p/x.log",
    "started_at": AT,
    "mailto": ["al@example.org"],
}

clean_texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
values = (
    st.none()
    | st.booleans()
    | st.integers(-(10**15), 10**15)
    | st.floats(0, 1e9).map(lambda value: round(value, 6))
    | clean_texts
    | st.lists(clean_texts, max_size=3)
)
events = st.dictionaries(st.text("abcdefgh_", min_size=1, max_size=8), values, max_size=8)


def decode(record: bytes) -> dict[str, Value]:
    assert record[:1] == record[-1:] == b"\n"
    assert record.count(b"\n") == 2
    decoded: dict[str, Value] = json.loads(record)
    return decoded


@given(events)
def test_an_event_is_what_json_reads_from_its_record(event: dict[str, Value]) -> None:
    assert decode(encode_event(event)) == event


@given(
    st.dictionaries(
        st.sampled_from(["detail", "reason", "mailto"]), st.text(min_size=500) | st.lists(st.text()), max_size=3
    )
)
def test_a_record_of_any_text_is_ascii_and_short(texts: dict[str, Value]) -> None:
    record = encode_event({"event": "skip", **{key: value * 20 for key, value in texts.items()}})  # type: ignore[operator]
    assert record.isascii()
    assert len(record) <= MAX_BYTES
    assert decode(record)["event"] == "skip"


def test_the_longest_text_is_cut_and_the_others_are_whole() -> None:
    event = decode(encode_event({"event": "audit", "action": "x" * 900, "detail": "\N{SNOWMAN}" * 5000, "user": "ana"}))
    assert (event["action"], event["user"]) == ("x" * 900, "ana")
    assert re.fullmatch("\N{SNOWMAN}{300,}\\.\\.\\.", str(event["detail"]))


def test_a_long_list_stays_a_list() -> None:
    event = decode(encode_event({"event": "start", "mailto": [f"user{n}@example.org" for n in range(500)]}))
    (cut,) = event["mailto"]  # type: ignore[misc]
    assert cut.startswith("user0@example.org user1@")
    assert cut.endswith("...")


def test_bytes_that_are_no_text_are_shown() -> None:
    """RUN-30; neither a lone surrogate nor NUL may reach a database."""
    event = decode(encode_event({"detail": b"caf\xe9 \x00.".decode("utf-8", "surrogateescape")}))
    assert event["detail"] == "caf\\udce9 \\x00."


def test_a_duration_is_written_to_the_microsecond() -> None:
    assert encode_event({"duration_s": 12.000000049}) == b'\n{"duration_s": 12.0}\n'


def test_an_event_is_appended_to_the_file_of_its_day(tmp_path: Path) -> None:
    append_event(str(tmp_path), START, sync=True)
    append_event(str(tmp_path), {**START, "event": "end", "at": "2026-03-09T00:00:01.000000Z"}, sync=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2026-03-08.jsonl", "2026-03-09.jsonl"]
    assert decode((tmp_path / "2026-03-08.jsonl").read_bytes()) == START


def test_a_journal_is_its_owners_alone(tmp_path: Path) -> None:
    append_event(str(tmp_path), START, sync=False)
    assert (tmp_path / "2026-03-08.jsonl").stat().st_mode & 0o777 == 0o600


def test_a_torn_record_spoils_only_itself(tmp_path: Path) -> None:
    journal = tmp_path / "2026-03-08.jsonl"
    journal.write_bytes(encode_event(START)[:40])
    append_event(str(tmp_path), {**START, "seq": 1}, sync=False)
    lines = [line for line in journal.read_bytes().split(b"\n") if line]
    assert len(lines) == 2
    assert json.loads(lines[1])["seq"] == 1


def test_a_journal_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    """SEC-6."""
    (tmp_path / "elsewhere").write_bytes(b"")
    (tmp_path / "2026-03-08.jsonl").symlink_to("elsewhere")
    with pytest.raises(OSError, match="symbolic link"):
        append_event(str(tmp_path), START, sync=False)
    assert (tmp_path / "elsewhere").read_bytes() == b""


def test_writers_at_once_lose_and_mix_nothing(tmp_path: Path) -> None:
    children = []
    for writer in range(4):
        if (pid := os.fork()) == 0:
            for number in range(100):
                append_record(str(tmp_path), "2026-03-08", encode_event({"w": writer, "n": number}), sync=False)
            os._exit(0)
        children.append(pid)
    assert [os.waitpid(pid, 0)[1] for pid in children] == [0, 0, 0, 0]
    lines = (tmp_path / "2026-03-08.jsonl").read_bytes().split(b"\n")
    seen = {(event["w"], event["n"]) for event in map(json.loads, filter(None, lines))}
    assert seen == {(writer, number) for writer in range(4) for number in range(100)}


def test_an_end_says_again_what_the_start_said_and_null_for_what_is_unknown() -> None:
    end = make_end(START, 7, "2026-03-08T07:00:09.000000Z", outcome="lost", reason="host rebooted")
    assert (end["plan"], end["log"], end["started_at"]) == (START["plan"], START["log"], AT)
    assert (end["event"], end["seq"], end["outcome"], end["reason"]) == ("end", 7, "lost", "host rebooted")
    assert end["exit_code"] is end["cpu_s"] is end["alerted"] is None


# Run ids.


def test_a_run_id_is_made_of_time_host_and_pid() -> None:
    assert make_run_id(1_772_953_200.412907, "ops1", 4242) == "20260308T070000.412907Z-ops1-4242"


@given(st.floats(0, 1e10), st.floats(0, 1e10))
def test_run_ids_sort_by_time(one: float, other: float) -> None:
    earlier, later = sorted((one, other))
    assert make_run_id(earlier, "a", 1) <= make_run_id(later, "a", 1)


@given(st.text())
def test_any_host_name_becomes_a_part_of_a_run_id(name: str) -> None:
    assert re.fullmatch("[a-z0-9-]{1,32}", short_host(name))


def test_a_host_goes_by_its_first_label() -> None:
    assert short_host("OPS1_b.example.org") == "ops1-b"
