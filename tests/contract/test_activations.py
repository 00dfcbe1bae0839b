"""One suite for every activator: live, from the snapshot, and in any order they give the same environment and words."""

from __future__ import annotations

import json
import os
import random
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from lab import Lab, need_program

from runner.launch.activation import Change
from runner.launch.shell import SHELLS

MODULES = "/usr/lib/x86_64-linux-gnu/modulecmd.tcl"
# Writes what it finds as JSON: its words and its environment, any bytes.
_TELL = """
import json, os, sys
print(json.dumps([sys.argv[1:], dict(sorted(os.environ.items()))]))
"""

Make = Callable[[Path], Change]


def make_setup(shell: str, text: str) -> Make:
    """Return what writes a setup script of that text and returns the change that sources it."""

    def make(directory: Path) -> Change:
        script = directory / f"setup.{shell}"
        script.write_text(text)
        return Change("setup", details=[("shell", shell), ("source", str(script))])

    return make


def make_conda(directory: Path) -> Change:
    """Make an environment as conda leaves it, with scripts and variables."""
    prefix = directory / "conda" / "envs" / "wfc3"
    for name in ("bin", "conda-meta", "etc/conda/activate.d", "etc/conda/env_vars.d"):
        (prefix / name).mkdir(parents=True)
    (prefix / "conda-meta/history").write_text("==> 2026-01-01 <==\n")
    (prefix / "conda-meta/state").write_text(
        json.dumps({"version": 1, "env_vars": {"OF_STATE": "it's", "BOTH": "state"}})
    )
    (prefix / "etc/conda/env_vars.d/pkg.json").write_text(json.dumps({"OF_PACKAGE": "a b", "BOTH": "package"}))
    (prefix / "etc/conda/activate.d/a.sh").write_text('export OF_SCRIPT="$CONDA_PREFIX/x"\nexport MANPATH=/conda/man\n')
    return Change("conda", details=[("root", str(directory / "conda")), ("name", "wfc3")])


def make_modules(directory: Path) -> Change:
    if not Path(MODULES).exists():
        need_program(MODULES)
    (directory / "modulefiles/casa").mkdir(parents=True)
    (directory / "modulefiles/casa/6.5").write_text(
        f'#%Module1.0\nprepend-path PATH {directory}/casa/bin\nsetenv CASA_HOME "it\'s"\nappend-path CASA_PATH /x\n'
    )
    details = [("command", MODULES), ("path", f"{directory}/modulefiles"), ("load", "casa/6.5")]
    return Change("modules", details=details)


def make_venv(directory: Path) -> Change:
    tree = directory / "venv"
    (tree / "bin").mkdir(parents=True)
    (tree / "pyvenv.cfg").write_text("home = /usr/bin\n")
    (tree / "bin/python").symlink_to(sys.executable)
    return Change("venv", "", str(tree))


KINDS: dict[str, Make] = {
    "bash": make_setup("bash", 'export OF_BASH="a\'b" PATH=/opt/bash/bin:$PATH\nexport MANPATH=/bash/man:$MANPATH\n'),
    "sh": make_setup("sh", "OF_SH='two\nlines'; export OF_SH\nPATH=$PATH:/opt/sh/bin\nunset GIT_TERMINAL_PROMPT\n"),
    "tcsh": make_setup("tcsh", 'setenv OF_TCSH "a b;c"\nsetenv PATH /opt/tcsh/bin:${PATH}\nunsetenv LANG\n'),
    "csh": make_setup("csh", "setenv OF_CSH `echo x`\nset path = ($path /opt/csh/bin)\n"),
    "conda": make_conda,
    "modules": make_modules,
    "venv": make_venv,
}


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
    odd = ["", "a b", "two\nlines", "! * ? $HOME # ~ % ' \" \\ `id`", "\udce9t\udce9", "--", "-n", ""]
    some = random.Random(54)
    letters = [chr(number) for number in range(1, 127)] + [chr(0xDC00 + number) for number in range(0x80, 0x100)]
    odd += ["".join(some.choices(letters, k=some.randrange(12))) for _ in range(200)]

    _run(lab, *odd)
    if mode == "snapshot":
        lab.sweep()
        _run(lab, *odd)
