"""What we write for a shell to evaluate, evaluated by that shell (CAPO-34)."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from missing import give_up

from runner.profiles.properties.pycapo import parse_pycapo
from runner.profiles.properties.shell import ASSIGN, find_dangers, is_unsafe_to_eval

VALUES = [
    *("", "plain", "a  b", " ", "*", "?", "[ab]", "{a,b}", "~", "#x", "!x", "a!b!", "^x^y", "%1", "-n", "=1", "<a>"),
    *(
        "(a)",
        "a;b",
        "a&b",
        "a|b",
        "'",
        "''",
        "a'b",
        '"',
        'a"b',
        "\\",
        "a\\",
        "\\\\n",
        "\\!",
        "$HOME",
        "${HOME}",
        "$(id)",
    ),
    *("`id`", "tab\there", "é", "a'b\"c$(id)`id`!\\"),
]
SHELLS = {"bash": "bash", "dash": "bash", "tcsh": "tcsh"}
EVALUATE = {"bash": 'eval "$(cat out)"\n', "tcsh": 'eval "`cat out`"\n'}


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_that_evaluates_our_lines_has_the_values_and_runs_nothing(shell: str, tmp_path: Path) -> None:
    program = shutil.which(shell) or give_up(shell)
    kind = SHELLS[shell]
    lines = [ASSIGN[kind](f"V{number}", value) for number, value in enumerate(VALUES)]
    (tmp_path / "out").write_text("\n".join(lines) + "\n")
    export = "export " + " ".join(f"V{number}" for number in range(len(VALUES))) if kind == "bash" else ""
    (tmp_path / "script").write_text(f"{EVALUATE[kind]}{export}\nenv -0\n")
    done = subprocess.run(
        [program, "script"], cwd=tmp_path, env={"PATH": "/usr/bin:/bin"}, capture_output=True, check=True
    )
    found = dict(entry.split("=", 1) for entry in done.stdout.decode().split("\0") if "=" in entry)
    assert [found[f"V{number}"] for number in range(len(VALUES))] == VALUES
    assert done.stderr == b""


@pytest.mark.parametrize("value", ['a"b', "`id`", "$(id)", "$HOME", "a\\"])
def test_what_pycapos_line_would_do_more_than_assign_is_unsafe(value: str) -> None:
    """CAPO-15."""
    assert is_unsafe_to_eval(value)


@pytest.mark.parametrize("value", ["", "'a'", "C:\\temp", "a b", "*", "${other.key}/x", "${env:FOO1}"])
def test_other_values_are_not(value: str) -> None:
    assert not is_unsafe_to_eval(value)


def test_dangers_are_told_of_what_is_shown_only_and_once() -> None:
    found = parse_pycapo("a=1\n b\nc=`id`\nd=1\n", "f", {}).properties
    assert find_dangers([found[2]], for_eval=True) == []
    shown = [str(one) for one in find_dangers([found[0], found[0], found[1]], for_eval=True)]
    assert [line.partition(": warning: ")[2][:13] for line in shown] == ["the value goe", "the value is "]
