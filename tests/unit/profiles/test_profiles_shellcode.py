"""The code that a person's shell evaluates: what comes out of it is what was meant, byte for byte (PROF-75)."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from activators import list_odd_words
from lab import need_program

from runner.errors import UserError
from runner.profiles.shellcode import SHELLS, write_code


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_reads_back_any_value(tmp_path: Path, shell: str) -> None:
    """PROF-75."""
    need_program(shell)
    wanted = {f"V{number}": word for number, word in enumerate(list_odd_words(500))}
    file = tmp_path / "code"
    file.write_bytes(os.fsencode(write_code({}, wanted, shell) + "/usr/bin/env -0\n"))
    options = ["-f"] if shell == "tcsh" else ["--norc"]

    done = subprocess.run([shell, *options, file], env={"PATH": "/usr/bin:/bin"}, capture_output=True, check=True)

    pairs = [entry.partition(b"=") for entry in done.stdout.split(b"\0")]
    found = {name: value for name, _, value in pairs if name.startswith(b"V") and name != b"VENDOR"}
    assert found == {os.fsencode(name): os.fsencode(value) for name, value in wanted.items()}


def test_only_what_differs_is_said() -> None:
    before, after = {"SAME": "1", "GONE": "1", "NEW": "1"}, {"SAME": "1", "NEW": "2"}

    assert write_code(before, after, "bash") == "unset GONE\nexport NEW='2'\n"
    assert write_code(before, after, "tcsh") == "unsetenv GONE\nsetenv NEW '2'\n"
    assert write_code(after, after, "bash") == ""


@pytest.mark.parametrize("name", ["", "1A", "A-B", "A;id", "BASH_FUNC_x%%", "é", "A\n"])
def test_a_name_that_no_shell_could_assign_to_is_refused(name: str) -> None:
    """PROF-75."""
    with pytest.raises(UserError, match="is no name of a variable in bash"):
        write_code({}, {name: "1"}, "bash")
