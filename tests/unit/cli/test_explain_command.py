"""``runner crontab explain``: exit codes, the JSON object, the table for people, which cron is meant."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runner.cli.main import run

MIXED = b"""\
MAILTO="al@example.org"
GH_TOKEN=s3cr3t
0 11 * * * date +%Y%m
61 * * * * GH_TOKEN=s3cr3t true
"""
Explain = Callable[..., tuple[int, str]]


@pytest.fixture
def explain(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Explain:
    def explain(text: bytes, *options: str) -> tuple[int, str]:
        file = tmp_path / "table"
        file.write_bytes(text)
        code = run(["crontab", "explain", str(file), *options])
        return code, capsys.readouterr().out.replace(str(file), "table")

    return explain


def decode(answer: tuple[int, str]) -> dict[str, Any]:
    (line,) = answer[1].splitlines()
    decoded: dict[str, Any] = json.loads(line)
    return decoded


def test_json_is_one_object_with_the_fields_of_the_design(explain: Explain):
    """DESIGN section 7."""
    answer = explain(MIXED, "--json", "--dialect", "cronie")
    found = decode(answer)
    (entry,) = found.pop("entries")
    assert found == {
        "env": ["MAILTO=al@example.org", "GH_TOKEN=***"],
        "errors": ["bad minute"],
        "file_ignored": False,
    }
    assert entry == {
        "min": "0",
        "hr": "11",
        "dom": "all",
        "mon": "all",
        "dow": "all",
        "flags": ["DOM_STAR", "DOW_STAR"],
        "command": "date +%Y%m",
        "executed": {"shell": "date +", "stdin": "Y\nm\n"},
        "env": ["MAILTO=al@example.org", "GH_TOKEN=***"],
        "line": 3,
    }


@pytest.mark.parametrize("dialect", ["debian", "cronie"])
def test_the_exit_code_says_whether_anything_is_refused(explain: Explain, dialect: str):
    """DESIGN section 7."""
    assert explain(b"0 11 * * * true\n", "--dialect", dialect)[0] == 0
    assert explain(MIXED, "--dialect", dialect)[0] == 1
    assert explain(b"0 11 * * * true", "--dialect", dialect)[0] == 1


def test_people_get_a_table_the_settings_and_each_refusal_with_its_line(explain: Explain):
    assert explain(MIXED, "--dialect", "cronie")[1].splitlines() == [
        "LINE  MINUTE  HOUR  DAY  MONTH  WEEKDAY  FLAGS              SH -C   STDIN",
        r"3     0       11    all  all    all      DOM_STAR DOW_STAR  date +  Y\nm\n",
        "LINE  SETTING",
        "1     MAILTO=al@example.org",
        "2     GH_TOKEN=***",
        "table:4: bad minute: 61 * * * * GH_TOKEN=***",
        "cronie: entries 1, settings 2, refused 1",
    ]


def test_people_are_told_that_debian_drops_the_whole_file(explain: Explain):
    assert explain(MIXED, "--dialect", "debian")[1].splitlines() == [
        "table:4: bad minute: 61 * * * * GH_TOKEN=***",
        "debian: the whole file is ignored",
    ]
    assert explain(b"#\n" * 10_001, "--dialect", "debian")[1].splitlines()[0] == (
        "table: crontab is too long; maximum number of lines is 10000"
    )


def test_control_characters_are_shown_and_long_commands_cut(explain: Explain):
    """SEC-10."""
    out = explain(b"0 0 * * * \x1b[31m\r\n0 0 * * * " + b"x" * 900 + b"\n", "--dialect", "debian")[1]
    assert r"\x1b[31m\x0d" in out
    assert "\x1b" not in out
    assert "x" * 120 + "... (900 characters)" in out


def test_a_system_crontab_has_a_user_column(explain: Explain):
    code, out = explain(b"0 0 * * * root true\n", "--system", "--dialect", "debian")
    assert (code, out.splitlines()[0].split()[-4:], out.splitlines()[1].split()[-2:]) == (
        0,
        ["USER", "SH", "-C", "STDIN"],
        ["root", "true"],
    )
    assert explain(b"0 0 * * * no-such-user true\n", "--system", "--dialect", "debian")[0] == 1


@pytest.mark.parametrize(
    ("version", "name"), [("cronie 1.7.2", "cronie"), ("crontab: invalid option -- 'V'", "debian")]
)
def test_the_cron_of_the_host_is_meant(
    explain: Explain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, name: str
):
    """CRON-45."""
    program = tmp_path / "crontab"
    program.write_text(f'#!/bin/sh\necho "{version}" >&2\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert explain(b"")[1] == f"{name}: entries 0, settings 0, refused 0\n"


def test_without_a_crontab_program_debians_cron_is_meant(
    explain: Explain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert explain(b"")[1].startswith("debian: ")


def test_a_dash_is_stdin():
    command = [sys.executable, "-m", "runner.cli.main", "crontab", "explain", "-", "--json", "--dialect", "debian"]
    done = subprocess.run(command, input=b"0 0 * * * caf\xe9\0\n", capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout)["entries"][0]["command"] == "caf\\xe9"


@pytest.mark.parametrize("arguments", [["/no/such/file"], ["/"], []])
def test_a_file_that_is_none_is_the_users_mistake(arguments: list[str]):
    assert run(["crontab", "explain", *arguments]) == 2
