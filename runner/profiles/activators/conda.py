"""A conda environment, by rule and by its own activation scripts, never by the slow ``conda`` (PROF-21 to PROF-24)."""

from __future__ import annotations

import json
import time
from pathlib import Path

from runner.launch.activation import Change
from runner.launch.environment import apply_changes, expand_path
from runner.launch.outcome import CannotStart
from runner.launch.shell import Setup, is_variable_name
from runner.launch.trees import find_conda_prefix
from runner.profiles.activators.effect import Effect, Scene
from runner.profiles.difference import find_changes
from runner.profiles.shells import run_setup

# The word by which conda says that a variable is not to be set.
_UNSET = "***unset***"


def capture(change: Change, scene: Scene) -> Effect:
    """Activate the environment; CannotStart if it is none, or one of its scripts fails."""
    details = dict(change.details)
    root = expand_path(details["root"], scene.home) if "root" in details else ""
    name = details.get("name", "")
    prefix = expand_path(find_conda_prefix(details), scene.home)
    if not Path(prefix, "conda-meta/history").is_file():
        raise CannotStart(f"no conda environment at {prefix} (no conda-meta/history)")
    changes = [*apply_rule(prefix, name or prefix, root), *read_variables(prefix)]
    environment = dict(scene.environment)
    apply_changes(environment, changes)
    scripts = sorted(map(str, Path(prefix, "etc/conda/activate.d").glob("*.sh")))
    until = time.monotonic() + scene.left_s
    for script in scripts:
        setup = Setup("bash", "source", [script])
        dump = run_setup(setup, environment, scene.activation, scene.log, until - time.monotonic())
        found = find_changes(dump.before, dump.after)
        apply_changes(environment, found)
        changes += found
    return Effect(changes, list_inputs(prefix, scripts))


def apply_rule(prefix: str, name: str, root: str) -> list[Change]:
    """Return what every activation does (PROF-21)."""
    condabin = [Change("prepend", "PATH", f"{root}/condabin")] if root else []
    changes = [
        *condabin,
        Change("prepend", "PATH", f"{prefix}/bin"),
        Change("set", "CONDA_PREFIX", prefix),
        Change("set", "CONDA_DEFAULT_ENV", name),
        Change("set", "CONDA_SHLVL", "1"),
        Change("set", "CONDA_PROMPT_MODIFIER", f"({name}) "),
    ]
    if root:
        changes += [Change("set", variable, f"{root}/bin/conda") for variable in ("CONDA_EXE", "_CONDA_EXE")]
        changes += [Change("set", "CONDA_PYTHON_EXE", f"{root}/bin/python"), Change("set", "_CONDA_ROOT", root)]
    return changes


def read_variables(prefix: str) -> list[Change]:
    """Return the variables that packages and people have given the environment (PROF-22); people win."""
    files = sorted(Path(prefix, "etc/conda/env_vars.d").glob("*.json"))
    given: dict[str, object] = {name: value for file in files for name, value in _read_json(file).items()}
    state = Path(prefix, "conda-meta/state")
    if state.exists():
        given |= _as_map(_read_json(state).get("env_vars", {}), state)
    if "PATH" in given:
        raise CannotStart(f"a variable of {prefix} is PATH")
    return [_set(name, value, prefix) for name, value in given.items() if value != _UNSET]


def _set(name: str, value: object, prefix: str) -> Change:
    if not is_variable_name(name) or not isinstance(value, str) or not _can_be_exported(value):
        raise CannotStart(f"a variable of {prefix} is none: {name!r}")
    return Change("set", name, value)


def _can_be_exported(value: str) -> bool:
    try:
        return b"\0" not in value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False


def _read_json(file: Path) -> dict[str, object]:
    try:
        return _as_map(json.loads(file.read_bytes()), file)
    except (OSError, ValueError) as error:
        raise CannotStart(f"{file}: {error}") from None


def _as_map(found: object, file: Path) -> dict[str, object]:
    if not isinstance(found, dict):
        raise CannotStart(f"{file}: no JSON object where variables should be")
    return found


def list_inputs(prefix: str, scripts: list[str]) -> list[str]:
    """Return what the activation depends on, directories too: a new script is a change."""
    fixed = ("conda-meta/history", "conda-meta/state", "etc/conda/env_vars.d", "etc/conda/activate.d")
    variables = sorted(map(str, Path(prefix, "etc/conda/env_vars.d").glob("*.json")))
    return [*[f"{prefix}/{name}" for name in fixed], *variables, *scripts, "/usr/bin/bash"]
