"""What is known of each build: ``builds/COMMIT.json``, and which release is the one before."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from runner.errors import UserError, clean
from runner.launch.state import write_file
from runner.releases.base import Base


class State(StrEnum):
    """What became of a commit."""

    BUILT = "built"
    """Its release is there, whole, and can be switched to."""
    REFUSED = "refused"
    """It did not prove itself; it is not tried again by itself."""
    REMOVED = "removed"
    """Its release was pruned."""


@dataclass(frozen=True, slots=True)
class Build:
    """One commit and what became of it. Times are UTC, ISO 8601; empty: never.

    Attributes
    ----------
    state
        A `State`.
    built_at
        When its build ended.
    current_at
        When it was last made current.
    left_at
        When another one was made current after it.
    step, reason
        Of a refused one: which step refused it, and why.
    environment
        The name of the directory that its packages are in; empty for none.
    """

    commit: str
    author: str
    subject: str
    committed_at: str
    state: str = State.BUILT
    built_at: str = ""
    current_at: str = ""
    left_at: str = ""
    step: str = ""
    reason: str = ""
    environment: str = ""


def write_build(base: Base, build: Build) -> None:
    """Write the record of a build; the old one is replaced."""
    write_file(str(base.builds / f"{build.commit}.json"), json.dumps(asdict(build)).encode() + b"\n", 0o644)


def find_build(base: Base, commit: str) -> Build | None:
    """Return what is known of the build of a commit, None if nothing is."""
    return _read(base.builds / f"{commit}.json") if commit else None


def read_builds(base: Base) -> list[Build]:
    """Return all that is known, the newest build first; a record that cannot be read is left out."""
    builds = [build for path in base.builds.glob("*.json") if (build := _read(path))]
    return sorted(builds, key=lambda build: (build.built_at, build.commit), reverse=True)


def _read(path: Path) -> Build | None:
    try:
        return Build(**json.loads(path.read_bytes()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def get_before(builds: Iterable[Build], current: str) -> Build:
    """Return the build to roll back to: the newest kept one older than `current` that was in use once.

    Parameters
    ----------
    builds
        The newest first.

    Raises
    ------
    UserError
        If there is none.
    """
    builds = list(builds)
    now = next((build for build in builds if build.commit == current), None)
    if now is None:
        raise UserError("no release is in use here; nothing to roll back from")
    for build in builds[builds.index(now) + 1 :]:
        if build.state == State.BUILT and build.current_at:
            return build
    raise UserError(f"no release from before {current[:12]} is kept; see runner release list")


def get_named(builds: Iterable[Build], name: str) -> Build:
    """Return the kept build whose commit begins so; UserError if none does, or several do."""
    found = [build for build in builds if len(name) >= 4 and build.commit.startswith(name.lower())]
    kept = [build for build in found if build.state == State.BUILT]
    if len(kept) == 1:
        return kept[0]
    if kept:
        raise UserError(f"several releases begin with {name}: {' '.join(build.commit[:12] for build in kept)}")
    hint = f"; the build of {name} was {found[0].state}" if found else ""
    raise UserError(f'no release that is kept is called "{clean(name)}"{hint}; see runner release list')


def describe(build: Build) -> str:
    """Return a commit in one line, for people."""
    return clean(f"{build.commit[:12]} {build.author}: {build.subject}")
