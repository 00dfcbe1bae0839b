"""What must hold of a whole crontab, and what foreign settings mean for our lines."""

from __future__ import annotations

import pytest

from runner.crontab.dialects import CRONIE, DEBIAN, choose_dialect, find_refusal, lacks_check
from runner.crontab.lint import find_foreign_faults, find_foreign_warnings, find_line_faults, find_table_faults
from runner.crontab.lint import read_assignments as read


@pytest.mark.parametrize(
    "line",
    [
        "5 * * * * /q/wrappers/run-job a%b",
        "5 * * * * /q/wrappers/run-job a  b",
        "5 * * * * wrappers/run-job a",
        "5 * * * /q/wrappers/run-job a",
        "5\t* * * * /q/wrappers/run-job a",
        "mon * * * * /q/wrappers/run-job a",
        "@daily /q/wrappers/run-job a",
        "5 * * * * /q/wrappers/run-job a; id",
        "5 * * * * /q/wrappers/run-job a # why",
        "5 * * * * /q/wrappers/run-job a\r",
        "MAILTO=",
        'MAILTO=""',
        "MAILTO=a@example.org",
        'MAILTO=" a@example.org"',
        'MAILTO="a@example.org, b@example.org"',
        "TZ=UTC",
        "CRON_TZ=UTC",
        'PATH="/usr/local/bin"',
        "API_TOKEN=s3cr3t",
        "# " + "x" * 99,
        "# caf\u00e9",
        "",
    ],
)
def test_a_line_of_ours_that_cron_could_misread_is_a_fault(line: str):
    """CRON-12, 23, 24, 38; SEC-8."""
    assert len(find_line_faults([line])) == 1


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        (b"\n" * 10_001, "10001 lines"),
        (b"A=1\n" * 1_001, "1001 settings"),
        (b"#" * (1 << 20) + b"\n", "1048577 bytes"),
    ],
)
def test_a_giant_crontab_is_a_fault(table: bytes, complaint: str):
    """CRON-28, SEC-17."""
    (fault,) = find_table_faults(table, b"")
    assert complaint in fault


def test_more_than_5000_jobs_are_a_fault():
    """CRON-28."""
    body = b"0 1 * * * /q/wrappers/run-job a\n" * 5_001
    assert "5001 lines of jobs" in find_table_faults(body, body)[0]


ODD_SETTINGS = b"A=1\nB = 2 \n'G H'=3\n\t\"I\"\t= x\n0 0 * * * C=3 true\n@daily D=4\n# E=5\n*/5 * * * * F=6\nFOO bar\n"


def test_settings_are_told_from_entries_as_both_crons_do():
    """cases/cron.yaml, env_forms."""
    assert read(ODD_SETTINGS) == [(1, "A"), (2, "B"), (3, "G H"), (4, "I")]


@pytest.mark.parametrize("line", [b"CRON_TZ=Europe/Paris\n", b" 'CRON_TZ' = x\n", b"RANDOM_DELAY=30\n"])
def test_a_foreign_setting_that_moves_slots_is_a_fault_on_cronie_alone(line: bytes):
    """CRON-23."""
    (fault,) = find_foreign_faults(b"# first\n" + line, CRONIE)
    assert fault.startswith("line 2: ")
    assert find_foreign_faults(line, DEBIAN) == []


@pytest.mark.parametrize("name", ["LD_PRELOAD", "LD_LIBRARY_PATH", "PYTHONPATH", "BASH_ENV"])
def test_a_foreign_setting_that_changes_how_programs_start_is_a_warning(name: str):
    """CRON-23."""
    (warning,) = find_foreign_warnings(f"{name}=/tmp/s3cr3t\n".encode())
    assert warning.startswith(f"line 1: {name} ")
    assert "s3cr3t" not in warning


def test_cronie_names_itself_and_debian_knows_no_such_option():
    """CRON-45."""
    assert choose_dialect(b"cronie 1.7.2\n") is CRONIE
    assert choose_dialect(b"crontab: invalid option -- 'V'\n") is DEBIAN


def test_the_words_of_a_refusal_are_found_with_the_two_lines_they_can_mean():
    """cases/cron.yaml, bad_line_between: Debian counts from 0 where the fault is inside the line."""
    refusal = find_refusal(b'"/tmp/x":1: bad minute\nerrors in crontab file, can\'t install.\n')
    assert refusal is not None
    assert (refusal.words, refusal.near_lines) == ("bad minute", (1, 2))


def test_an_unknown_option_is_told_from_a_refusal():
    assert lacks_check(b"crontab: invalid option -- 'n'\ncrontab: usage error: unrecognized option\n")
    assert not lacks_check(b"You (al) are not allowed to use this program (crontab)\n")
