"""The Python packages of the runner are there, in the versions that each asks for, with its interpreter."""

from __future__ import annotations

import os
from collections.abc import Iterator

from runner.diagnose.check import ERROR, Finding
from runner.diagnose.context import Context
from runner.diagnose.words import sum_up

ID = "DIAG028"
LEVEL = ERROR
TITLE = "the Python packages of the runner fit each other"

_OURS = "observatory-runner"
_INTERPRETER = ".runner/python"


def find(context: Context) -> Iterator[Finding]:
    """Yield what is missing or too old, and an interpreter that is gone."""
    if not os.access(context.home / _INTERPRETER, os.X_OK):
        message = f"{_INTERPRETER} leads to no interpreter: no job can start"
        yield Finding(ID, LEVEL, message, "was the runner's environment moved? runner compile")
    if conflicts := list(find_conflicts(_OURS)):
        hint = "install the runner anew into its environment; pip check"
        yield Finding(ID, LEVEL, f"{len(conflicts)} Python package(s) do not fit", hint, sum_up(conflicts, 5))


def find_conflicts(root: str) -> Iterator[str]:
    """Yield what a distribution and all that it needs, with what these need, lack; extras as they are asked for."""
    from importlib.metadata import PackageNotFoundError, distribution

    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    waiting: list[tuple[str, frozenset[str]]] = [(root, frozenset())]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        name, extras = one
        try:
            needed = map(Requirement, distribution(name).requires or ())
        except PackageNotFoundError:
            continue  # said where it was needed
        for requirement in needed:
            marker = requirement.marker
            if marker and not any(marker.evaluate({"extra": extra}) for extra in extras or {""}):
                continue
            waiting.append((canonicalize_name(requirement.name), frozenset(requirement.extras)))
            try:
                version = distribution(requirement.name).version
            except PackageNotFoundError:
                yield f"{name} needs {requirement.name}, which is not there"
                continue
            if not requirement.specifier.contains(version, prereleases=True):
                yield f"{name} needs {requirement.name} {requirement.specifier}, there is {version}"
