"""Activating a profile for once: every change in order, its effect and what that depends on (PROF-4, PROF-40).

Nothing here reads YAML: what is activated is what was compiled, so that a run and its snapshot mean the same.
"""

from __future__ import annotations

import glob
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from runner.launch.activation import CAPTURED, Activation, Change
from runner.launch.environment import apply_changes, check_environment, expand_path, resolve
from runner.launch.log import Log
from runner.launch.outcome import CannotStart
from runner.profiles.activators import capo, conda, modules, setup
from runner.profiles.activators.effect import Effect, Scene
from runner.profiles.require import check_requires

# What belongs to one login or one moment, and is never kept (PROF-64).
_NEVER_KEPT = frozenset({
    "SSH_AUTH_SOCK", "SSH_AGENT_PID", "GPG_AGENT_INFO", "DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "XAUTHORITY",
    "XDG_RUNTIME_DIR",
})  # fmt: skip

ACTIVATORS: dict[str, Callable[[Change, Scene], Effect]] = {
    "capo": capo.capture,
    "conda": conda.capture,
    "modules": modules.capture,
    "setup": setup.capture,
}


@dataclass(slots=True)
class Capture:
    """What an activation did.

    Attributes
    ----------
    environment
        The environment afterwards.
    changes
        Literal, in order, from the environment that it began with; each with the number of the change of the
        activation that made it.
    inputs
        The files that it depends on.
    notes
        What no snapshot can hold.
    secrets
        Variables whose values must not be kept, whatever they are called.
    """

    environment: dict[str, str]
    changes: list[tuple[int, Change]] = field(default_factory=list)
    inputs: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)


def activate(activation: Activation, profile: str, environment: dict[str, str], home: str, log: Log) -> Capture:
    """Activate a profile, starting from `environment`.

    Raises
    ------
    CannotStart
        Anything of it failed, or what the profile requires does not hold: ``profile P: KIND: REASON``.
    """
    until = time.monotonic() + activation.timeout_s
    capture = Capture(dict(environment))
    for number, change in enumerate(activation.changes):
        if change.verb in CAPTURED:
            scene = Scene(capture.environment, activation, profile, home, log, until - time.monotonic())
            try:
                effect = ACTIVATORS[change.verb](change, scene)
            except CannotStart as cause:
                raise CannotStart(f"profile {profile}: {change.verb}: {cause}") from None
        else:
            changes = resolve(change, profile, home)
            effect = Effect(changes, list_rule_inputs(change, changes))
        _refuse_names(effect.changes, f"profile {profile}: {change.verb}")
        apply_changes(capture.environment, effect.changes)
        capture.changes += [(number, one) for one in effect.changes]
        capture.inputs += effect.inputs
        capture.notes += effect.notes
        capture.secrets += effect.secrets
    for pattern in activation.watch:
        capture.inputs += list_watched(expand_path(pattern, home))
    check_environment(capture.environment, activation, profile, home)
    capture.inputs += check_requires(activation, profile, capture.environment, home, log, until)
    return capture


def is_kept(name: str) -> bool:
    """Whether a variable belongs to the profile rather than to a login or a run."""
    return name not in _NEVER_KEPT and not name.startswith(("XDG_SESSION_", "RUNNER_"))


def list_kept(activation: Activation, capture: Capture) -> list[Change]:
    """Return the changes of an activation but for what its programs did for one login: a run has none of that.

    What the profile itself sets, like DISPLAY for a virtual screen, it means.
    """
    return [
        change
        for number, change in capture.changes
        if is_kept(change.name) or activation.changes[number].verb not in CAPTURED
    ]


def list_watched(pattern: str) -> list[str]:
    """Return the files of a pattern, and the directories in which others may appear."""
    if not glob.has_magic(pattern):
        return [pattern]
    parts = pattern.split("/")
    first = next(number for number, part in enumerate(parts) if glob.has_magic(part))
    parents = ["/".join(parts[:number]) or "/" for number in range(first, len(parts))]
    return [path for one in (*parents, pattern) for path in sorted(glob.glob(one))]  # noqa: PTH207


def _refuse_names(changes: list[Change], where: str) -> None:
    """Raise CannotStart for what no environment, or no file of ours, can hold."""
    for change in changes:
        if not change.name or set("=\0 \n").intersection(change.name) or "\0" in change.value:
            raise CannotStart(f"{where}: no variable can be called {change.name!r}, or its value has a NUL")


def list_rule_inputs(change: Change, changes: list[Change]) -> list[str]:
    """Return the files that a change by rule depends on."""
    if change.verb != "venv":
        return []
    tree = changes[0].value
    return [f"{tree}/pyvenv.cfg", f"{tree}/bin/python", f"{tree}/bin/activate"]
