"""What a snapshot is said to depend on (PROF-62), and what of an activation a run may have (PROF-64)."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.home.here import read_host
from runner.launch.activation import Activation, Change
from runner.launch.gates import Place
from runner.launch.log import Log
from runner.launch.outcome import CannotStart
from runner.launch.plan import HomePlan
from runner.launch.snapshot import find_staleness
from runner.profiles.capture import Capture, activate, list_watched
from runner.profiles.snapshots import Captured, capture_snapshot

_BEFORE = {"PATH": "/usr/bin:/bin", "HOME": "/"}
_NOW = 1_795_000_000.0


def _activation(*changes: Change, **fields: object) -> Activation:
    activation = Activation()
    activation.changes = list(changes)
    for name, value in fields.items():
        setattr(activation, name, value)
    return activation


def _setup(form: str, text: str) -> Change:
    return Change("setup", details=[("shell", "bash"), (form, text)])


def _activate(*changes: Change, **fields: object) -> Capture:
    return activate(_activation(*changes, **fields), "p", _BEFORE, "/", Log("", -1, 0))


def _capture(*changes: Change, **fields: object) -> Captured:
    place = Place("/", read_host(), "root", HomePlan("lab"))
    place.user_home = "/"
    return capture_snapshot(_activation(*changes, **fields), "p", place, [], Log("", -1, 0), _NOW)


@pytest.mark.parametrize("name", ["setup.sh", "none.sh"])
def test_a_watched_file_is_an_input_also_where_it_is_not_there_yet(tmp_path: Path, name: str) -> None:
    assert list_watched(f"{tmp_path}/{name}") == [f"{tmp_path}/{name}"]


def test_of_a_pattern_the_directory_is_watched_too_since_another_file_may_appear(tmp_path: Path) -> None:
    for name in ("b.sh", "a.sh", "c.txt"):
        (tmp_path / name).touch()
    assert list_watched(f"{tmp_path}/*.sh") == [str(tmp_path), f"{tmp_path}/a.sh", f"{tmp_path}/b.sh"]


def test_also_where_the_directories_of_a_pattern_vary(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    (tmp_path / "a/x.conf").touch()
    assert list_watched(f"{tmp_path}/*/x.conf") == [
        str(tmp_path), f"{tmp_path}/a", f"{tmp_path}/b", f"{tmp_path}/a/x.conf",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("form", "text"), [("run", ". {0}/setup.sh"), ("eval", "/bin/cat {0}/setup.sh"), ("run", ". '{0}/setup.sh'")]
)
def test_the_files_that_a_command_names_are_inputs(tmp_path: Path, form: str, text: str) -> None:
    (tmp_path / "setup.sh").write_text("export A=1\n")
    assert f"{tmp_path}/setup.sh" in _activate(_setup(form, text.format(tmp_path))).inputs


def test_what_changes_while_it_is_captured_is_seen_to_have_changed(tmp_path: Path) -> None:
    """PROF-63: the second activation has read what the file was before."""
    value, count = tmp_path / "value", tmp_path / "count"
    value.write_text("old")
    (tmp_path / "setup.sh").write_text(
        f"export V=$(cat {value})\nif [ -e {count} ]; then echo newer >{value}; fi; touch {count}\n"
    )

    snapshot = _capture(_setup("source", f"{tmp_path}/setup.sh"), watch=[str(value)]).snapshot

    assert find_staleness(snapshot, _NOW) == f"{value} has changed"


def test_what_a_program_sets_for_one_login_is_not_kept_but_what_the_profile_says_is(tmp_path: Path) -> None:
    """PROF-64."""
    (tmp_path / "setup.sh").write_text("export SSH_AUTH_SOCK=/tmp/agent A=1\n")

    changes = _capture(_setup("source", f"{tmp_path}/setup.sh"), Change("set", "DISPLAY", ":99")).snapshot.changes

    assert [(change.name, change.value) for change in changes] == [("A", "1"), ("DISPLAY", ":99")]


def test_what_one_setup_leaves_for_shells_to_read_is_not_read_by_the_next(tmp_path: Path) -> None:
    """PROF-26."""
    (tmp_path / "rc").write_text("export FROM_RC=1\n")
    (tmp_path / "one.sh").write_text(f"export BASH_ENV={tmp_path}/rc\n")
    (tmp_path / "two.sh").write_text("export TWO=1\n")

    found = _activate(*[_setup("source", f"{tmp_path}/{name}.sh") for name in ("one", "two")]).environment

    assert (found["BASH_ENV"], found["TWO"], "FROM_RC" in found) == (f"{tmp_path}/rc", "1", False)


def test_harmless_lines_by_the_thousand_hide_no_failure(tmp_path: Path) -> None:
    """PROF-41: all of stderr counts, not only what is kept of it."""
    (tmp_path / "setup.sh").write_text("for n in {1..2000}; do echo note: harmless >&2; done\nnosuchcommand\n:\n")
    with pytest.raises(CannotStart, match="it said more than is allowed on stderr"):
        _activate(_setup("source", f"{tmp_path}/setup.sh"), stderr_allow=["^note: harmless$", "^note"])


def test_the_version_that_a_failing_command_tells_is_none(tmp_path: Path) -> None:
    """PROF-43."""
    (tmp_path / "casa").write_text("#!/bin/sh\necho libcasa.so.6.8.1: cannot open\nexit 127\n")
    (tmp_path / "casa").chmod(0o755)
    with pytest.raises(CannotStart, match="casa does not tell its version"):
        _activate(Change("prepend", "PATH", str(tmp_path)), requires=[("version", "casa >= 6.5")])
