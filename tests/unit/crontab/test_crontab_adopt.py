"""A hand-written line becomes an entry that does the same, or is refused by the name of what no entry can say."""

from __future__ import annotations

import pytest

from runner.crontab.adopt import Adopted, adopt_line, find_above
from runner.crontab.dialects import CRONIE, DEBIAN
from runner.errors import UserError

WRAPPERS = {"cron_setup.sh": "dsoc-prod", "/opt/test/setup": "dsoc-test"}
ABOVE = b"""\
# the old crontab
MAILTO=ql@example.org, ops@example.org
PIPE_AREA = "/lustre/pipe line"
SHELL=/bin/bash
PATH=/usr/local/bin:/bin
* * * * * true
"""


def adopt(line: str, above: bytes = b"") -> Adopted:
    return adopt_line(line, above, DEBIAN, WRAPPERS, is_user={"root", "mail", "ops"}.__contains__)


def run_of(command: str) -> object:
    return adopt(f"0 11 * * * {command}").run


def refusal(line: str, above: bytes = b"") -> str:
    with pytest.raises(UserError) as refused:
        adopt(line, above)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_the_line_of_the_front_page_becomes_four_lines() -> None:
    """CRON-70."""
    adopted = adopt("0 11 * * * /home/wfc3ql/cron_setup.sh download.py --instrument wfc3 > /dev/null")
    assert (adopted.when, adopted.run, adopted.profile) == ("0 11 * * *", "download.py --instrument wfc3", "dsoc-prod")
    assert adopted.more == {}
    assert adopted.notes == ("left out: > /dev/null, stdout is kept in the log and never mailed",)


@pytest.mark.parametrize(
    ("line", "when"),
    [
        ("00 11 * * * x", "00 11 * * *"),
        (" */5\t1-3  * jan mon-fri  x ", "*/5 1-3 * jan mon-fri"),
        ("@daily x", "@daily"),
    ],
)
def test_the_fields_stay_as_they_are_written(line: str, when: str) -> None:
    assert (adopt(line).when, adopt(line).run) == (when, "x")


@pytest.mark.parametrize(
    ("command", "run"),
    [
        ("a && b", ["a", "b"]),
        ("a; b", ["a", {"run": "b", "if": "always"}]),
        ("a && b 'c && d' ; e", ["a", "b 'c && d'", {"run": "e", "if": "always"}]),
        ("a;", "a"),
        ("a\t-x  'b\t;|$c' \\; > /dev/null", "a -x 'b\t;|$c' \\;"),
        ("a 1>/dev/null", "a"),
        ("a 2", "a 2"),
        ("a --n=5 x3 # every night", "a --n=5 x3"),
        ("a b#c", "a b#c"),
        ("date +\\%F", "date +%F"),
        ('a "b c"', 'a "b c"'),
        ("mail -s hello", "mail -s hello"),
        ("/opt/test/setup a && /opt/test/setup b", ["a", "b"]),
    ],
)
def test_a_command_becomes_steps(command: str, run: object) -> None:
    assert run_of(command) == run


@pytest.mark.parametrize(
    ("line", "construct"),
    [
        ("0 1 * * * a | b", "a pipe (|)"),
        ("0 1 * * * a |& b", "a pipe (|&)"),
        ("0 1 * * * a || b", "||"),
        ("0 1 * * * a &", "& (a command in the background)"),
        ("0 1 * * * (a)", "a subshell"),
        ("0 1 * * * a > x.log", "the redirection >"),
        ("0 1 * * * a >> x.log 2>&1", "the redirection >>"),
        ("0 1 * * * a > /dev/null 2>&1", "the redirection >"),
        ("0 1 * * * a 2> /dev/null", "the redirection 2>"),
        ("0 1 * * * a > /dev/null && b", "the redirection >"),
        ("0 1 * * * a < x", "the redirection <"),
        ("0 1 * * * a &> x", "the redirection &>"),
        ("0 1 * * * a $(date)", "a substitution ($(date))"),
        ("0 1 * * * a `date`", "a substitution (`date`)"),
        ("0 1 * * * a $HOME", "a substitution ($HOME)"),
        ('0 1 * * * a "x ${HOME}"', "a substitution (${HOME})"),
        ("0 1 * * * a%in", "data after %"),
        ("0 1 * * * a %", "data after %"),
        ("0 1 * * * root a b", 'a user column ("root")'),
        ("@reboot a", "@reboot"),
        ("-0 1 * * * a", 'a leading "-" (cronie: do not log)'),
        ("0 1 * * * -n a", 'the option "-n" before the command (cronie: -n mails on failure only)'),
        ("0 1 * * * cd /x && a", "cd, which only a shell knows,"),
        ("0 1 * * * . /x; a", "., which only a shell knows,"),
        ("0 1 * * * A=1 a", "the assignment A="),
        ("0 1 * * * a *.fits", "the pattern *.fits, which a shell expands,"),
        ("0 1 * * * ~/a", "the pattern ~/a, which a shell expands,"),
        ("0 1 * * * a {date}", "{date}, which an entry replaces,"),
        ("0 1 * * * a; b && c", "&& behind a ;"),
    ],
)
def test_what_no_entry_can_say_is_refused_by_name_and_a_script_is_offered(line: str, construct: str) -> None:
    """CRON-71."""
    offer = f"{construct} cannot be said in an entry: put the command into a script of its own, and that into run"
    assert refusal(line).startswith(offer)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("0 1 * * *", "this is no line of a crontab"),
        ("", "this is no line of a crontab"),
        ("MAILTO=x", "this is no line of a crontab"),
        ("0 25 * * * a", "when: "),
        ("0 0 * * fri-mon a", "when: "),
        ("@dayly a", "when: "),
        ("0 1 * * * && a", "there is no command before &&"),
        ("0 1 * * * a &&", "there is no command"),
        ("0 1 * * * > /dev/null", "there is no command"),
        ("0 1 * * * a 'b", "a ' without its end"),
        (
            "0 1 * * * cron_setup.sh",
            "cron_setup.sh stands for the profile dsoc-prod, but there is no command behind it",
        ),
        ("0 1 * * * cron_setup.sh a && b", "the steps need several profiles (dsoc-prod, none)"),
        ("0 1 * * * " + "a" * 999, "debian's cron would not run this line: line 1: command too long"),
    ],
)
def test_what_is_wrong_in_itself_is_said_in_one_line(line: str, said: str) -> None:
    assert refusal(line).startswith(said)


def test_assignments_in_force_become_mailto_and_env() -> None:
    adopted = adopt("0 11 * * * a", ABOVE)
    assert adopted.more == {
        "mailto": ["ql@example.org", "ops@example.org"],
        "env": {"PIPE_AREA": "/lustre/pipe line"},
    }
    assert [note.partition("=")[0] for note in adopted.notes] == ["left out: SHELL", "left out: PATH"]


def test_the_last_assignment_of_a_name_is_in_force() -> None:
    assert adopt("0 11 * * * a", b"MAILTO=x@y\nA=1\nMAILTO=z@y\nA=2\n").more == {"mailto": "z@y", "env": {"A": "2"}}


def test_an_empty_mailto_is_left_out_and_said() -> None:
    adopted = adopt("0 11 * * * a", b'MAILTO=""\n')
    assert adopted.more == {}
    assert adopted.notes == ("left out: the empty MAILTO; what goes wrong is mailed to mail.ops",)


@pytest.mark.parametrize(
    ("above", "said"),
    [
        (b"CRON_TZ=UTC\n", "CRON_TZ is in force there (line 1); write the entry by hand, with timezone:"),
        (b"RANDOM_DELAY=5\n", "RANDOM_DELAY is in force there"),
        (b"PGPASSWORD=x\n", "PGPASSWORD looks like a secret"),
        (b"nonsense\n", "debian's cron would not run this line: line 1: bad minute"),
    ],
)
def test_what_stands_above_can_refuse_the_line_and_shows_no_value(above: bytes, said: str) -> None:
    assert refusal("0 1 * * * a", above).startswith(said)


def test_each_cron_has_its_own_reading() -> None:
    assert adopt_line("0 1 * * * a", b"A=\n", CRONIE, {}).more == {"env": {"A": ""}}
    assert "would not run" in refusal("0 1 * * * a", b"A=\n")


def test_only_what_stands_above_the_line_counts() -> None:
    text = b"A=1\n 0 1 * * * a \nA=2\n0 1 * * * a\n"
    assert find_above(text, "0 1 * * * a\n") == b"A=1\n"
    with pytest.raises(UserError, match="does not have this line"):
        find_above(text, "0 2 * * * a")
