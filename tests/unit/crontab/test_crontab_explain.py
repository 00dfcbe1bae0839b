"""What the two crons make of a crontab: every recorded case, and what their sources and binaries showed besides."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.crontab.dialects import CRONIE, DEBIAN, Dialect
from runner.crontab.explain.describe import describe_explanation, explain_table
from runner.crontab.explain.percent import Executed, split_command
from runner.crontab.explain.values import Table

REPOSITORY = Path(__file__).parents[3]
COPY = REPOSITORY / "tests" / "data" / "cron.yaml"
RECORDED = REPOSITORY.parent / "shared" / "cases" / "cron.yaml"
DIALECTS = {"debian": DEBIAN, "cronie": CRONIE}
CASES = yaml.safe_load((RECORDED if RECORDED.exists() else COPY).read_text())["cases"]
ELIDED = re.compile(r"(.*)\.\.\.\((\d+) chars\)")


def explain(dialect: Dialect, text: bytes, *, system: bool = False, root: bool = True) -> dict[str, Any]:
    """Return what ``crontab explain --json`` answers where root is the only account."""
    table = Table(text, system=system, owned_by_root=root, is_user=lambda name: name == "root")
    return describe_explanation(explain_table(dialect, table), dialect)


def spell_out(text: str) -> bytes:
    """Return the text of a case, of which the file keeps only the length where it is long."""
    if match := ELIDED.fullmatch(text):
        text = match[1].ljust(int(match[2]) - 1, "x") + "\n"
    return text.encode()


def record(entry: dict[str, Any]) -> dict[str, Any]:
    """Return an entry as the cases write it: long commands cut, no empty flags, YAML's newline for a CR."""
    command = entry["command"].replace("\r", "\n")
    kept = {key: value for key, value in entry.items() if key not in ("line", "env", "user") and value != []}
    return kept | {"command": command if len(command) < 100 else f"{command[:10]}...({len(command)} chars)"}


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_a_recorded_case_is_read_as_it_was(case: dict[str, Any], dialect: str):
    """CRON-46 and the meaning of each field, flag, setting and ``%``."""
    found = explain(DIALECTS[dialect], spell_out(case["text"]), system=case.get("system", False))
    wanted = {"entries": [], "env": [], "errors": [], "file_ignored": False} | case[dialect]
    assert found | {"entries": [record(entry) for entry in found["entries"]]} == wanted


@pytest.mark.parametrize("case", [case for case in CASES if "debian_crontab_n" in case], ids=lambda case: case["id"])
def test_a_recorded_answer_of_debians_crontab_is_ours(case: dict[str, Any]):
    found = explain(DEBIAN, spell_out(case["text"]))
    said = case["debian_crontab_n"]
    assert (said["rc"] == 1) == found["file_ignored"]
    assert all(words in said["message"] for words in found["errors"])


@pytest.mark.skipif(not RECORDED.exists(), reason="the recorded cases are not beside the repository")
def test_our_copy_of_the_cases_is_the_recorded_file():
    assert COPY.read_bytes() == RECORDED.read_bytes()


# Text -> minutes, by dialect; an empty text where the line is refused. From the sources, tried on both parsers.
MINUTES = {
    "*-5": ("all", ""),
    "1-2-3": ("1,2", ""),
    "1-5/2/3": ("1,3,5", ""),
    "5#2": ("5", ""),
    "5x": ("", ""),
    "*/0": ("", ""),
    "*/90": ("0", "0"),
    "5-1": ("none", "none"),
    "5-0": ("none", "5,6,7"),
    "5-0/2": ("none", "none"),
    "10-0": ("none", "none"),
    "5-64/30": ("", "5,35"),
    "70-5": ("", "none"),
    "007": ("7", "7"),
    "4294967301": ("5", "5"),
    "99999999999999999999": ("", ""),
    "*/4294967295": ("", ""),
    "*/2147483647": ("0", "0"),
    "1-5/2147483647": ("", ""),
    "0" * 998 + "5": ("5", "5"),
    "0" * 999 + "5": ("", "5"),
    "*,~": ("", "all"),
    "*,": ("", ""),
    "5~5": ("5", "5"),
    "~7": ("", "<random>"),
    "7~": ("7", "<random>"),
    "9~5": ("9", ""),
    "0~60": ("0", "<random>"),
    "55~99": ("55", ""),
    "1~2,3": ("1", "<random>"),
    "1~2/3": ("1", ""),
    "1\0x": ("1", ""),
}


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("text", MINUTES)
def test_a_minute_is_read_as_the_cron_does(text: str, dialect: str):
    found = explain(DIALECTS[dialect], f"{text} 0 * * * true\n".encode())
    minutes = MINUTES[text][list(DIALECTS).index(dialect)]
    assert [entry["min"] for entry in found["entries"]] == ([minutes] if minutes else [])
    assert found["errors"] == ([] if minutes else ["bad minute"])


@pytest.mark.parametrize(
    ("weekday", "debian", "cronie"),
    [
        ("sat-sun", "none", "0,6,7"),
        ("SUN", "0,7", "0,7"),
        ("0-6", "all", "all"),
        ("1-7", "all", "all"),
        ("7-7", "0,7", "0,7"),
    ],
)
def test_sunday_is_0_and_7(weekday: str, debian: str, cronie: str):
    """CRON-4."""
    for dialect, days in ((DEBIAN, debian), (CRONIE, cronie)):
        assert explain(dialect, f"0 0 * * {weekday} true\n".encode())["entries"][0]["dow"] == days


def test_a_schedule_that_cronie_gives_up_behind_the_newline_costs_the_next_line_too():
    found = explain(CRONIE, b"70~\n0 0 * * * lost\n0 1 * * * found\n")
    assert ([entry["command"] for entry in found["entries"]], found["errors"]) == (["found"], ["bad minute"])


# Line -> NAME=value as Debian and as cronie keep it; None where the line is taken for an entry, and so refused.
ASSIGNMENTS = {
    "A=b": ("A=b", "A=b"),
    "A =\t b c \r": ("A=b c", "A=b c"),
    "=b": ("=b", "=b"),
    "\"A B\"='c'": ("A B=c", "A B=c"),
    "'A=B'=c": (None, None),
    "A B=c": (None, None),
    "A=": (None, "A="),
    "A= \t": (None, "A="),
    "A=''": ("A=", "A="),
    "A='b": (None, None),
    "A='b' c": (None, None),
    "A='b'c'": (None, None),
    "A=b'c' ": ("A=b'c'", "A=b'c'"),
    "A=\"'b'\"": ("A=b", "A='b'"),
    "A=' b '": ("A= b", "A= b "),
    "A=b=c": ("A=b=c", "A=b=c"),
    "A=b\\": ("A=b\\", "A=b\\"),
    "A=" + "x" * 1000: ("A=" + "x" * 996, "A=" + "x" * 1000),
}


@pytest.mark.parametrize("line", ASSIGNMENTS)
def test_an_assignment_is_read_as_the_cron_does(line: str):
    """CRON-24."""
    for dialect, kept in zip((DEBIAN, CRONIE), ASSIGNMENTS[line], strict=True):
        found = explain(dialect, line.encode() + b"\n")
        assert found["env"] == ([] if kept is None else [kept])
        assert bool(found["errors"]) == (kept is None)


def test_an_entry_runs_under_the_assignments_above_it():
    found = explain(DEBIAN, b"A=1\nB=2\n0 0 * * * x\nA=3\n0 0 * * * y\n")
    assert [entry["env"] for entry in found["entries"]] == [["A=1", "B=2"], ["A=3", "B=2"]]
    assert found["env"] == ["A=1", "B=2", "A=3"]


def test_a_setting_with_a_name_like_a_secrets_is_masked():
    """CRON-66."""
    found = explain(DEBIAN, b"DB_PASSWORD=s3cr3t\n0 0 * * * x\n")
    assert found["env"] == found["entries"][0]["env"] == ["DB_PASSWORD=***"]


# Command -> shell and stdin with Debian, and with cronie where it differs.
COMMANDS = {
    rb"true": (Executed(b"true", None),),
    rb"a%": (Executed(b"a", None),),
    rb"a%b%c": (Executed(b"a", b"b\nc\n"),),
    rb"a%b%": (Executed(b"a", b"b\n"),),
    rb"a%%": (Executed(b"a", b"\n"),),
    rb"a\%b%c\%d": (Executed(b"a%b", b"c%d\n"),),
    rb"a\\b": (Executed(rb"a\b", None), Executed(rb"a\\b", None)),
    rb"a\\%b": (Executed(b"a\\", b"b\n"), Executed(rb"a\\", b"b\n")),
    rb"a\x\ ": (Executed(rb"a\x\ ", None),),
    b"a\\": (Executed(b"a\\", None),),
    rb"a%b\\%c\d": (Executed(b"a", rb"b\%c\d" + b"\n"),),
    b"a%\\": (Executed(b"a", b"\\"),),
    b"a%b\\": (Executed(b"a", b"b\\\n"),),
    b"a%%\\\\": (Executed(b"a", b"\n\\\\"),),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_the_shell_gets_what_stands_before_the_percent_sign(command: bytes):
    assert split_command(command, rb"%\\") == COMMANDS[command][0]
    assert split_command(command, b"%") == COMMANDS[command][-1]


# Text of a system crontab -> commands (None: refused) with Debian and with cronie.
SYSTEM = {
    b"0 0 * * * root   true\n": (["  true"], ["true"]),
    b"0 0 * * * root\ttrue\n": (["true"], ["true"]),
    b"@daily root true\n": (["true"], ["true"]),
    b"0 0 * * * root \n": ([""], None),
    b"0 0 * * * root\n": (None, None),
    b"0 0 * * * root -n true\n": (["-n true"], ["true"]),
    b"0 0 * * * *\n": (None, None),
    b"0 0 * * * nobody true\n": (None, ["true"]),
    b"0 0 * * *\n": (None, None),
}


@pytest.mark.parametrize("text", SYSTEM)
def test_a_user_column_is_read_as_the_cron_does(text: bytes):
    for dialect, commands in zip((DEBIAN, CRONIE), SYSTEM[text], strict=True):
        found = explain(dialect, text, system=True)
        assert [entry["command"] for entry in found["entries"]] == (commands or [])
        assert bool(found["errors"]) == (commands is None)


def test_the_user_is_named_with_the_entry():
    assert explain(DEBIAN, b"0 0 * * * root true\n", system=True)["entries"][0]["user"] == "root"
    assert "user" not in explain(DEBIAN, b"0 0 * * * root true\n")["entries"][0]


# Text of a user crontab -> commands and errors, with Debian and with cronie.
TEXTS: dict[str, tuple[bytes, tuple[list[str], list[str]], tuple[list[str], list[str]]]] = {
    "empty": (b"", ([], []), ([], [])),
    "no newline": (b"0 0 * * * x", ([], ["missing newline before EOF"]), ([], ["missing newline before EOF"])),
    "no newline after a comment": (b"0 0 * * * x\n# y", (["x"], []), (["x"], [])),
    "no newline after blanks": (b"0 0 * * * x\n \t", (["x"], []), (["x"], [])),
    "NUL": (b"0 0 * * * x\0 0 0 * * * y\n", (["x", "y"], []), (["x", "y"], [])),
    "NUL at the start": (b"\x000 0 * * * x\n", ([], ["bad minute"]), ([], ["bad minute"])),
    "0xFF": (b"0 0 * * * \xff\n", ([], ["bad day-of-week"]), (["\\xff"], [])),
    "0xFF after a nickname": (b"@daily \xff\n", (["\\xff"], []), (["\\xff"], [])),
    "0xFF in a field": (b"5\xff 0 * * * x\n", ([], ["bad minute"]), ([], ["bad minute"])),
    "Latin-1 and UTF-8": (b"0 0 * * * \xe9 \xc3\xa9\n", (["\\xe9 é"], []), (["\\xe9 é"], [])),
    "blanks around": (b" \t0\t0  * * *  x \t\n", (["x \t"], []), (["x \t"], [])),
    "comment behind": (b"0 0 * * * x # y\n", (["x # y"], []), (["x # y"], [])),
    "a star too many": (b"0 0 * * * * x\n", ([], ["bad command"]), ([], ["bad command"])),
    "nickname without a command": (b"@daily\n", ([""], []), ([], ["bad command"])),
    "nickname with a tab": (b"@reboot\tx\n", (["x"], []), (["x"], [])),
    "two bad lines": (b"a\nb\n", ([], ["bad minute"]), ([], ["bad minute", "bad minute"])),
    "no logging": (b"-* * * * * x\n", ([], ["bad minute"]), (["x"], [])),
    "an option twice": (b"0 0 * * * -n -n x\n", (["-n -n x"], []), ([], ["bad option"])),
    "an option alone": (b"0 0 * * * -n\n", (["-n"], []), ([], ["bad option"])),
    "998 bytes": (b"0 0 * * * " + b"x" * 998 + b"\n", (["x" * 998], []), (["x" * 998], [])),
    "131072 bytes": (b"@daily " + b"x" * 131_072 + b"\n", ([], ["command too long"]), (["x" * 131_071], [])),
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_is_read_as_the_cron_does(name: str):
    text, *wanted = TEXTS[name]
    for dialect, answer in zip((DEBIAN, CRONIE), wanted, strict=True):
        found = explain(dialect, text)
        assert ([entry["command"] for entry in found["entries"]], found["errors"]) == answer
        assert found["file_ignored"] == (dialect is DEBIAN and bool(answer[1]))


def test_only_root_may_keep_a_line_out_of_cronies_log():
    assert explain(CRONIE, b"-* * * * * x\n", root=False)["errors"] == ["bad option"]
    assert explain(CRONIE, b"-* * * * * x\n")["entries"][0]["flags"].count("DONT_LOG") == 1


LINE = b"0 0 * * * root true\n"
TOO_LONG = "crontab is too long; maximum number of lines is 10000"


@pytest.mark.parametrize(
    ("text", "system", "error"),
    [
        (LINE * 10_000, False, None),
        (LINE * 10_001, False, TOO_LONG),
        (LINE + b"#\n" * 10_000, False, TOO_LONG),
        (LINE * 10_003, True, None),
        (LINE * 10_004, True, TOO_LONG),
        (LINE + b"#\n" * 20_000, True, None),
    ],
    ids=["10000", "10001", "comments", "system 10003", "system 10004", "system comments"],
)
def test_debian_counts_lines(text: bytes, system: bool, error: str | None):
    found = explain(DEBIAN, text, system=system)
    assert (found["errors"], found["file_ignored"]) == ([error] if error else [], error is not None)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (LINE * 10_001, "too many entries"),
        (b"".join(b"A%d=1\n" % number for number in range(1001)), "too many environment variables"),
        (b"#" * 32_768 + b"\n" + LINE, "too many garbage characters"),
    ],
    ids=["entries", "settings", "garbage"],
)
def test_cronie_drops_a_users_crontab_of_too_much(text: bytes, error: str):
    found = explain(CRONIE, text)
    assert (found["errors"], found["entries"], found["file_ignored"]) == ([error], [], True)
    assert not explain(CRONIE, text, system=True)["file_ignored"]


@settings(max_examples=300)
@given(st.binary(max_size=200) | st.text(alphabet="\0\n \t#=*@-019~/,\"'\\%a\r\xff", max_size=60).map(str.encode))
def test_no_bytes_make_a_traceback(text: bytes):
    for dialect in DIALECTS.values():
        for system in (False, True):
            json.dumps(explain(dialect, text, system=system), ensure_ascii=False).encode()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_20000_different_lines_take_seconds(dialect: str):
    lines = (f"{n % 60} {n % 24} * * {n % 7},{n % 5} root echo {n}%x\n" for n in range(20_000))
    started = time.perf_counter()
    explain(DIALECTS[dialect], "".join(lines).encode(), system=True)
    assert time.perf_counter() - started < 10
