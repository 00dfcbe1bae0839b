"""One suite for every activator: live, from the snapshot, and in any order they give the same environment and words."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from activators import KINDS, list_odd_words
from lab import Lab, need_program

from runner.launch.activation import Change
from runner.launch.shell import SHELLS

# Writes what it finds as JSON: its words and its environment, any bytes.
_TELL = """
import json, os, sys
print(json.dumps([sys.argv[1:], dict(sorted(os.environ.items()))]))
"""


def _make_plan(lab: Lab, tmp_path: Path, kinds: list[str], **fields: object) -> None:
    for shell in {"tcsh", "csh"}.intersection(kinds):
        need_program(shell)
    changes = []
    for kind in kinds:
        (tmp_path / kind).mkdir()
        changes.append(KINDS[kind](tmp_path / kind))
    tell = lab.script("tell.py", _TELL, interpreter=sys.executable)
    lab.plan("job", steps=[[tell]], changes=[*changes, Change("set", "LAST", "1")], **fields)


def _run(lab: Lab, *words: str) -> dict[str, str]:
    """Run the job; return its environment but for what differs from run to run."""
    result = lab.run("job", "--hand", *(["--", *words] if words else []))
    assert result.code == 0, result.err
    found, environment = json.loads(result.out)
    assert [os.fsencode(word) for word in found] == [os.fsencode(word) for word in words]
    return {name: value for name, value in environment.items() if not name.startswith("RUNNER_")}


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_from_the_snapshot_finds_what_a_live_run_found(lab: Lab, tmp_path: Path, kind: str) -> None:
    """PROF-61, PROF-63."""
    _make_plan(lab, tmp_path, [kind])

    live = _run(lab)
    assert lab.sweep().err == b""
    kept = _run(lab)

    assert kept == live
    assert kept["LAST"] == "1"
    log = lab.log("job").decode()
    assert kind == "venv" or "# environment of snapshot " in log
    assert "activating" not in log


@pytest.mark.parametrize("kinds", [list(KINDS), list(KINDS)[::-1], ["conda", "bash", "modules", "tcsh"]])
def test_in_any_order_the_changes_compose(lab: Lab, tmp_path: Path, kinds: list[str]) -> None:
    """PROF-61."""
    _make_plan(lab, tmp_path, kinds)

    live = _run(lab)
    assert lab.sweep().err == b""

    assert _run(lab) == live
    assert "# environment of snapshot " in lab.log("job").decode()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", ["snapshot", "live", "inside"])
def test_words_reach_the_job_as_they_are(lab: Lab, tmp_path: Path, kind: str, mode: str) -> None:
    """PROF-50, PROF-54."""
    if mode == "inside" and kind not in SHELLS:
        return  # only a setup has a shell
    _make_plan(lab, tmp_path, [kind], mode=mode)
    odd = list_odd_words(200)

    _run(lab, *odd)
    if mode == "snapshot":
        lab.sweep()
        _run(lab, *odd)
