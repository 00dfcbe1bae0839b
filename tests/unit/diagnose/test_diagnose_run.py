"""The engine: what becomes of checks that hang, crash, die, chatter, or leave something behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from doctor import run
from homes import Home
from lab import is_alive
from mailroom import serve_silence

from runner.diagnose import checks
from runner.diagnose.check import Check, Finding, Unanswered, list_checks
from runner.diagnose.context import Context, read_context
from runner.errors import TryLater

NEW_CHECK = """\
from runner.diagnose.check import Finding
ID, LEVEL, TITLE = "{id}", "{level}", "the dome is shut"
def find(context):
    yield Finding(ID, LEVEL, "the dome is open", "shut it", str(context.home))
"""


@pytest.fixture
def context(home: Home) -> Context:
    return read_context(home.path, time.time())


def make(find: Callable[[Context], Any], name: str = "LAB001", level: str = "note", timeout_s: float = 10.0) -> Check:
    return Check(name, level, "all is well", find, timeout_s)


def hang(_: Context) -> Iterator[Finding]:
    yield Finding("LAB001", "note", "found before it hung")
    while True:
        time.sleep(60)


def test_a_check_that_hangs_is_a_finding_and_what_it_found_before_counts(context: Context) -> None:
    found = run([make(hang, timeout_s=0.3)], context)
    assert [(one.level, one.message) for one in found] == [
        ("note", "found before it hung"),
        ("warning", '"all is well" cannot be told: no answer within 0.3 s'),
    ]


def test_a_server_that_accepts_and_never_answers_holds_no_other_check(context: Context) -> None:
    with serve_silence() as port:

        def ask(_: Context) -> list[Finding]:
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.recv(1)
            return []

        def answer(_: Context) -> list[Finding]:
            return [Finding("LAB002", "note", "here")]

        asked = [make(ask, f"LAB1{number:02d}", "error", timeout_s=0.3) for number in range(40)]
        found = run([*asked, make(answer, "LAB002")], context)
    assert sorted(one.id for one in found) == ["LAB002", *[check.id for check in asked]]
    assert {one.level for one in found if one.id != "LAB002"} == {"error"}


def test_a_check_that_crashes_is_a_finding_with_its_place(context: Context) -> None:
    (found,) = run([make(lambda _: [1 / 0], level="error")], context)
    assert (found.level, found.message) == ("error", "the check itself failed: ZeroDivisionError: division by zero")
    assert f"{Path(__file__).name}:" in found.evidence


def test_a_check_whose_process_dies_is_a_finding(context: Context) -> None:
    (found,) = run([make(lambda _: os.kill(os.getpid(), signal.SIGKILL))], context)
    assert (found.level, found.message) == ("warning", "the check itself ended with signal 9")


def test_trouble_of_the_site_is_no_bug_of_the_check(context: Context) -> None:
    def fail(_: Context) -> list[Finding]:
        raise TryLater("the database is away")

    (found,) = run([make(fail)], context)
    assert (found.level, found.message) == ("warning", '"all is well" cannot be told')
    assert found.evidence == "the database is away"


def test_a_check_that_waits_for_another_thing_to_be_mended_is_a_note(context: Context) -> None:
    def wait(_: Context) -> list[Finding]:
        raise Unanswered("the registry has mistakes")

    (found,) = run([make(wait, level="error")], context)
    assert (found.level, found.hint) == ("note", "runner check")


def test_what_a_check_started_goes_with_it(context: Context, tmp_path: Path) -> None:
    def start(_: Context) -> list[Finding]:
        pids = [subprocess.Popen(["setsid", "sleep", "600"]).pid for _ in range(2)]
        (tmp_path / "pids").write_text(" ".join(map(str, pids)))
        return []

    def start_and_hang(context: Context) -> Iterator[Finding]:
        start(context)
        yield from hang(context)

    for find in (start, start_and_hang):
        run([make(find, timeout_s=1.0)], context)
        assert [pid for pid in (tmp_path / "pids").read_text().split() if is_alive(int(pid))] == []


def test_what_a_check_prints_is_for_nobody(context: Context, capfd: pytest.CaptureFixture[str]) -> None:
    assert run([make(lambda _: (os.system("echo loud; echo louder >&2"), [])[1])], context) == []
    assert capfd.readouterr() == ("", "")


# Which checks there are


def test_a_new_check_is_one_file(home: Home, context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "dome.py").write_text(NEW_CHECK.format(id="DIAG999", level="warning"))
    monkeypatch.setattr(checks, "__path__", [*checks.__path__, str(tmp_path)])
    there, unusable = list_checks()
    assert unusable == []
    assert there[-1].id == "DIAG999"
    assert run(there[-1:], context) == [Finding("DIAG999", "warning", "the dome is open", "shut it", str(home.path))]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("import nothing_of_that_name\n", "ModuleNotFoundError"),
        ("ID = 'LAB001'\n", "AttributeError"),
        (NEW_CHECK.format(id="DIAG001", level="note"), "another check has the id DIAG001"),
        (NEW_CHECK.format(id="LAB001", level="bad"), "its level is 'bad'"),
        (NEW_CHECK.format(id="no id", level="note"), "no check can have the id 'no id'"),
        (NEW_CHECK.format(id="DIAG000", level="note"), "no check can have the id 'DIAG000'"),
    ],
)
def test_a_check_that_cannot_be_used_is_a_finding_and_the_others_are_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, why: str
) -> None:
    (tmp_path / f"zz_{abs(hash(text))}.py").write_text(text)
    monkeypatch.setattr(checks, "__path__", [*checks.__path__, str(tmp_path)])
    there, (found,) = list_checks()
    assert len(there) >= 30
    assert (found.id, found.level) == ("DIAG000", "error")
    assert why in found.message


def test_another_package_brings_a_check_by_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "domes.py").write_text(NEW_CHECK.format(id="dome-shut", level="error"))
    metadata = tmp_path / "domes-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: domes\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[runner.checks]\ndome = domes\n")
    monkeypatch.syspath_prepend(tmp_path)
    there, unusable = list_checks()
    assert unusable == []
    assert there[-1].id == "dome-shut"
