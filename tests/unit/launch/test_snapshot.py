"""PROF-60 to PROF-66: what a snapshot holds, and when it must not be used any more."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.launch.activation import Activation, Change
from runner.launch.plan import fingerprint
from runner.launch.snapshot import (
    FORMAT,
    Input,
    Snapshot,
    decode_snapshot,
    digest,
    encode_snapshot,
    find_snapshot,
    find_staleness,
    identify_activation,
    keep_snapshot,
    name_snapshot,
    observe,
)
from runner.launch.state import SNAPSHOTS

_NOW = 1_795_000_000.0
_texts = st.binary(max_size=20).map(lambda data: data.decode("utf-8", "surrogateescape"))
_names = st.text("ABC_", min_size=1, max_size=8)
_changes = st.builds(Change, st.sampled_from(["set", "unset", "prepend", "append"]), _names, _texts)


def _make(*paths: Path, sources: tuple[Path, ...] = ()) -> Snapshot:
    snapshot = Snapshot("dsoc-prod", "0123")
    snapshot.made_at, snapshot.max_age_s, snapshot.digest = _NOW, 3600.0, "abcd"
    snapshot.changes = [Change("set", "A", "b\nc")]
    for path in (*paths, *sources):
        one = Input(str(path), observe(str(path)), digest(str(path)), is_source=path in sources)
        snapshot.inputs.append(one)
    return snapshot


@given(st.lists(_changes, max_size=4), st.lists(_texts.filter(lambda text: "\0" not in text), max_size=3))
def test_a_snapshot_is_read_back_as_it_was(changes: list[Change], paths: list[str]) -> None:
    snapshot = _make()
    snapshot.changes = changes
    snapshot.inputs = [
        Input(f"/{path}", "1:2:3:4", "", is_source=bool(number % 2)) for number, path in enumerate(paths)
    ]

    again = decode_snapshot(encode_snapshot(snapshot))

    assert [(one.verb, one.name, one.value) for one in again.changes] == [(c.verb, c.name, c.value) for c in changes]
    assert [(i.path, i.facts, i.digest, i.is_source) for i in again.inputs] == [
        (i.path, i.facts, i.digest, i.is_source) for i in snapshot.inputs
    ]
    assert (again.profile, again.identity, again.made_at, again.max_age_s) == ("dsoc-prod", "0123", _NOW, 3600.0)


def test_a_snapshot_is_private_and_found_again(tmp_path: Path) -> None:
    """PROF-66."""
    (tmp_path / SNAPSHOTS).mkdir()
    keep_snapshot(str(tmp_path), _make(), "ops1")

    assert Path(name_snapshot(str(tmp_path), "dsoc-prod", "ops1")).stat().st_mode & 0o777 == 0o600
    found = find_snapshot(str(tmp_path), "dsoc-prod", "ops1")
    assert found is not None
    assert found.changes[0].value == "b\nc"
    assert find_snapshot(str(tmp_path), "dsoc-prod", "ops2") is None
    assert [path.name for path in (tmp_path / SNAPSHOTS).iterdir()] == ["dsoc-prod@ops1"]


def _add_line(data: bytes) -> bytes:
    body = data.partition(b"\n")[2] + b"inputs x\n"
    return f"{FORMAT} {fingerprint(body)}\n".encode() + body


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-3], lambda data: b"x" + data, lambda data: data.replace(b"A", b"B"), _add_line]
)
def test_a_damaged_snapshot_is_none(tmp_path: Path, damage: object) -> None:
    (tmp_path / SNAPSHOTS).mkdir()
    Path(name_snapshot(str(tmp_path), "p", "h")).write_bytes(damage(encode_snapshot(_make())))  # type: ignore[operator]

    assert find_snapshot(str(tmp_path), "p", "h") is None


def test_a_snapshot_whose_inputs_are_as_they_were_is_fresh_until_it_is_too_old(tmp_path: Path) -> None:
    setup = tmp_path / "setup"
    setup.write_text("export A=1\n")
    snapshot = _make(setup, tmp_path / "none", tmp_path)

    assert find_staleness(snapshot, _NOW) == ""
    assert find_staleness(snapshot, _NOW + 3599) == ""
    assert find_staleness(snapshot, _NOW + 3600) == "it is too old"
    assert find_staleness(snapshot, _NOW - 1) == "it is of a time to come"


def _rewrite(path: Path) -> None:
    path.write_text("export A=2\n")


def _put_back_older(path: Path) -> None:
    """As rsync and a restore do: another content of the same size, with an older time."""
    path.unlink()
    path.write_text("export A=3\n")
    os.utime(path, (1000, 1000))


@pytest.mark.parametrize(
    ("change", "why"),
    [(_rewrite, "has changed"), (_put_back_older, "has changed"), (Path.unlink, "has vanished")],
)
def test_a_changed_input_is_found_at_once(tmp_path: Path, change: object, why: str) -> None:
    """PROF-63."""
    setup = tmp_path / "setup"
    setup.write_text("export A=1\n")
    snapshot = _make(setup)

    change(setup)  # type: ignore[operator]

    assert find_staleness(snapshot, _NOW) == f"{setup} {why}"


def test_an_input_that_appears_is_a_change_and_so_is_a_new_file_in_a_directory(tmp_path: Path) -> None:
    late = tmp_path / "late"
    snapshot, of_directory = _make(late), _make(tmp_path)
    late.touch()

    assert find_staleness(snapshot, _NOW) == f"{late} is new"
    assert find_staleness(of_directory, _NOW) == f"{tmp_path} has changed"


def test_a_touched_or_copied_input_with_the_same_content_is_the_same(tmp_path: Path) -> None:
    setup = tmp_path / "setup"
    setup.write_text("export A=1\n")
    snapshot = _make(setup)
    setup.rename(tmp_path / "old")
    setup.write_text("export A=1\n")
    os.utime(setup, (1000, 1000))

    assert find_staleness(snapshot, _NOW) == ""


def test_the_files_of_the_profile_count_only_where_no_plan_speaks_for_them(tmp_path: Path) -> None:
    source = tmp_path / "p.yaml"
    source.write_text("env: {A: 1}\n")
    snapshot = _make(sources=(source,))
    source.write_text("env: {A: 2}\n")

    assert find_staleness(snapshot, _NOW) == ""
    assert find_staleness(snapshot, _NOW, with_sources=True) == f"{source} has changed"


def test_the_identity_hangs_on_all_that_is_asked_for() -> None:
    """PROF-62."""

    def identify(change: Change, user: str = "a", home: str = "/home", host: str = "h", mode: str = "snapshot") -> str:
        activation = Activation()
        activation.changes, activation.mode = [change], mode
        return identify_activation(activation, {"USER": user}, home, host)

    setup = Change("setup", details=[("shell", "sh"), ("source", "/x")])
    other = Change("setup", details=[("shell", "sh"), ("source", "/y")])
    found = {
        identify(setup), identify(other), identify(setup, user="b"), identify(setup, home="/other"),
        identify(setup, host="g"), identify(setup, mode="live"),
    }  # fmt: skip
    assert len(found) == 6
    assert identify(setup) == identify(setup)
