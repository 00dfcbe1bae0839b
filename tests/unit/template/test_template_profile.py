"""``activate_profile`` in bash and tcsh: what it needs, and what happens where it fails (PROF-70, PROF-74)."""

from __future__ import annotations

import pytest
from homes import Home
from lab import need_program
from people import ENVIRONMENT, SHELLS, play, run, type_in

SOFT = {**ENVIRONMENT, b"RUNNER_ACTIVATE_SOFT": b"1"}


@pytest.fixture(autouse=True)
def profile(home: Home) -> None:
    """A profile to be activated."""
    home.write("envs/good.yaml", "env: {AREA: /lustre}\n")


@pytest.mark.parametrize("shell", SHELLS)
def test_a_profile_is_in_the_shell_and_out_of_it(home: Home, shell: str) -> None:
    """PROF-70."""
    said = play(home, shell, "activate_profile good && printenv AREA\ndeactivate_profile && printenv AREA || echo gone")

    assert (said.code, said.out, said.err) == (0, "/lustre\ngone\n", "")


def test_bash_may_be_strict(home: Home) -> None:
    """PROF-70: also with the strictest options."""
    script = "set -euo pipefail; set -o noclobber; IFS=/\nactivate_profile good\nprintenv AREA\ndeactivate_profile"

    said = play(home, "bash", script, "-eu")

    assert (said.code, said.out, said.err) == (0, "/lustre\n", "")


def test_tcsh_may_be_strict(home: Home) -> None:
    """PROF-70: also with the strictest options."""
    said = play(home, "tcsh", "set noclobber\nactivate_profile good\nprintenv AREA\ndeactivate_profile", "-e")

    assert (said.code, said.out, said.err) == (0, "/lustre\n", "")


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("words", ["nope", "", "good more", "-x"])
def test_a_script_ends_with_2_where_the_profile_cannot_be_had(home: Home, shell: str, words: str) -> None:
    """PROF-74."""
    said = play(home, shell, f"activate_profile {words}; echo ingest\necho ran")

    assert (said.code, said.out) == (2, "")
    assert said.err


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_may_ask_for_a_mere_exit_code(home: Home, shell: str) -> None:
    """PROF-74."""
    script = "activate_profile nope && echo ran\nactivate_profile nope || echo not\nprintenv AREA || echo unchanged"

    said = play(home, shell, script, env=SOFT)

    assert (said.code, said.out) == (0, "not\nunchanged\n")


@pytest.mark.parametrize("shell", SHELLS)
def test_a_persons_own_shell_is_never_ended(home: Home, shell: str) -> None:
    """PROF-74."""
    said = type_in(home, shell, "activate_profile nope && echo ran\necho status $?\necho still here")

    assert "still here\n" in said.out
    assert "status 2\n" in said.out
    assert "ran\n" not in said.out
    assert 'no profile is called "nope"' in said.err


@pytest.mark.parametrize("shell", SHELLS)
def test_after_a_failure_the_profile_of_before_is_active(home: Home, shell: str) -> None:
    """PROF-74."""
    said = play(home, shell, "activate_profile good\nactivate_profile nope\nprintenv AREA", env=SOFT)

    assert said.out == "/lustre\n"


@pytest.mark.parametrize("shell", SHELLS)
def test_a_profile_that_breaks_other_pythons_can_be_left(home: Home, shell: str) -> None:
    home.write("envs/good.yaml", "env: {PYTHONPATH: /nowhere, PYTHONHOME: /nowhere, PYTHONUTF8: x}\n")

    said = play(home, shell, "activate_profile good\ndeactivate_profile\nprintenv PYTHONHOME || echo left")

    assert (said.code, said.out, said.err) == (0, "left\n", "")


@pytest.mark.parametrize("shell", SHELLS)
def test_no_temporary_file_stays(home: Home, shell: str) -> None:
    temporary = home.path.parent / "tmp"
    temporary.mkdir()
    env = {**SOFT, b"TMPDIR": bytes(temporary)}

    play(home, shell, "activate_profile good\ndeactivate_profile\nactivate_profile nope", env=env)

    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("shell", SHELLS)
def test_a_home_may_have_a_blank_in_its_name(home: Home, shell: str) -> None:
    home.path = home.path.rename(home.path.with_name("my home"))

    said = play(home, shell, "cd /\nactivate_profile good\nprintenv AREA")

    assert (said.code, said.out, said.err) == (0, "/lustre\n", "")


@pytest.mark.parametrize(("shell", "rc"), [("bash", "env.sh"), ("tcsh", ".tcshrc")])
def test_nothing_runs_behind_a_failed_activation_on_one_line(home: Home, shell: str, rc: str) -> None:
    """PROF-74, as in ``ssh HOST "activate_profile dsoc-prod; ingest"``."""
    need_program(shell)
    file = home.path.parent / rc
    file.write_text(SHELLS[shell][1].format(home=home.path) + "\n")
    env = {**ENVIRONMENT, b"HOME": bytes(file.parent), b"BASH_ENV": bytes(file)}

    good = run([shell, "-c", "activate_profile good; printenv AREA"], env=env)
    bad = run([shell, "-c", "activate_profile nope; echo ingest"], env=env)

    assert (good.code, good.out, good.err) == (0, "/lustre\n", "")
    assert (bad.code, bad.out) == (2, "")
