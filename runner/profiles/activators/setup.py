"""A setup script or command, in the shell that it was written for (PROF-26 to PROF-30)."""

from __future__ import annotations

import shlex
import shutil

from runner.launch.activation import Change
from runner.launch.environment import expand_path
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
    own = [setup.words[0]]
    if setup.form != "source":
        first, *others = _split(setup.words[0])
        found = first if "/" in first else shutil.which(first, path=scene.environment["PATH"]) or ""
        own = [expand_path(word, scene.home) for word in (found, *others) if word[:1] in ("/", "~")]
    inputs = [shutil.which(SHELLS[setup.shell][0], path=TOOLS) or "", setup.rc, *own]
    return [path for path in inputs if path.startswith("/")]


def _split(command: str) -> list[str]:
    """Return the words of a command as far as they can be told without its shell."""
    try:
        return shlex.split(command) or [""]
    except ValueError:
        return command.split() or [""]
