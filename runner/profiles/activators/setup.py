"""A setup script or command, in the shell that it was written for (PROF-26 to PROF-30)."""

from __future__ import annotations

import shutil

from runner.launch.activation import Change
from runner.launch.outcome import CannotStart
from runner.launch.shell import SHELLS, TOOLS, Setup, read_setup
from runner.profiles.activators.effect import Effect, Scene
from runner.profiles.difference import find_changes
from runner.profiles.shells import run_setup


def capture(change: Change, scene: Scene) -> Effect:
    """Run the setup; CannotStart with its failing line."""
    setup = read_setup(change, scene.home)
    dump = run_setup(setup, scene.environment, scene.activation, scene.log, scene.left_s)
    for name in ("PATH", "HOME"):
        if not dump.after.get(name):
            raise CannotStart(f"it leaves no {name}")
    return Effect(find_changes(dump.before, dump.after), list_inputs(setup, scene), dump.notes)


def list_inputs(setup: Setup, scene: Scene) -> list[str]:
    """Return the files that a setup is known to read: its own, its rc file, its shell, the program of its command."""
    first = setup.words[0].split(None, 1)[0].strip("'\"")
    if setup.form == "source":
        first = setup.words[0]
    elif "/" not in first:
        first = shutil.which(first, path=scene.environment["PATH"]) or ""
    inputs = [shutil.which(SHELLS[setup.shell][0], path=TOOLS) or "", setup.rc, first]
    return [path for path in inputs if path.startswith("/")]
