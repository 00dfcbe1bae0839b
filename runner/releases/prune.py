"""Which releases are kept, and taking the others away; one in use stays (RUN-26)."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from runner.launch.gates import read_place
from runner.launch.instant import parse_instant
from runner.launch.lock import find_lock
from runner.launch.state import LOCKS
from runner.releases.base import Base, find_switching, read_current
from runner.releases.record import Build, State, read_builds, write_build
from runner.releases.seal import remove_tree

# A run that has just begun in a release may not hold it yet.
_SETTLED_S = 60.0
_KEPT_RECORDS = 100


@dataclass(frozen=True, slots=True)
class Pruned:
    """A release that is not among those to be kept.

    Attributes
    ----------
    is_removed
        Whether it is gone, or would be.
    users
        Why it is not: the runs that are in it, or what else holds it.
    """

    build: Build
    is_removed: bool
    users: tuple[str, ...] = ()


def choose_unneeded(builds: Iterable[Build], current: str, keep: int) -> list[Build]:
    """Return the releases that are not among the `keep` to be kept: the one in use, and the newest others."""
    there = [build for build in builds if build.state == State.BUILT]
    order = sorted(
        there, key=lambda build: (build.commit == current, max(build.current_at, build.built_at)), reverse=True
    )
    return order[keep:]


def prune(base: Base, keep: int, *, dry_run: bool = False) -> list[Pruned]:
    """Remove the releases that are not to be kept and not in use, and environments that none needs any more.

    The caller holds the lock.
    """
    builds, current = read_builds(base), read_current(base)
    protected = {current, find_switching(base)}
    pruned = []
    for build in choose_unneeded(builds, current, keep):
        if build.commit not in protected:
            pruned.append(_prune_one(base, build, dry_run=dry_run))
    if not dry_run:
        _remove_environments(base)
        _remove_records(base)
    return pruned


def _prune_one(base: Base, build: Build, *, dry_run: bool) -> Pruned:
    if build.left_at and time.time() - parse_instant(build.left_at) < _SETTLED_S:
        return Pruned(build, False, ("it was in use a minute ago",))
    if users := find_runs(base, build.commit):
        return Pruned(build, False, tuple(users))
    try:
        with _held(base.release(build.commit)):
            if not dry_run:
                # Said first: what a kill leaves half removed is no release any more, and the next build clears it.
                write_build(base, replace(build, state=State.REMOVED))
                remove_tree(base.release(build.commit))
    except BlockingIOError:
        return Pruned(build, False, ("a process of a run holds it",))
    return Pruned(build, True)


@contextmanager
def _held(home: Path) -> Iterator[None]:
    """Keep runs from beginning in a release, if it is there; BlockingIOError if one goes on (RUN-26)."""
    if not home.is_dir():
        yield
        return
    descriptor = os.open(home, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def find_runs(base: Base, commit: str) -> list[str]:
    """Return the ids of the open runs that name a release, as far as we may read the locks of its targets."""
    found = set()
    for state in list_states(base):
        try:
            paths = list((state / LOCKS).iterdir())
        except OSError:
            continue
        for path in paths:
            found |= _read_run(path, commit)
    return sorted(found)


def list_states(base: Base) -> set[Path]:
    """Return the state directories that releases here write to, by what the one in use was compiled to."""
    place = read_place(str(base.release(read_current(base))))
    return {Path(target.state) for target in place.plan.targets if target.state.startswith("/")} | {Path(place.state)}


def _read_run(path: Path, commit: str) -> set[str]:
    try:
        record = find_lock(str(path))
        start = json.loads(record.start) if record and record.run_id else {}
    except (OSError, ValueError):
        return set()
    return {str(start["run_id"])} if start.get("release") == commit else set()


def _remove_environments(base: Base) -> None:
    """Remove the environments to which no release leads."""
    needed = {build.environment for build in read_builds(base) if build.state == State.BUILT}
    for path in base.environments.iterdir():
        if path.name not in needed:
            remove_tree(path)


def _remove_records(base: Base) -> None:
    """Forget the oldest builds that have no release."""
    for build in [build for build in read_builds(base) if build.state != State.BUILT][_KEPT_RECORDS:]:
        for path in base.builds.glob(f"{build.commit}.*"):
            path.unlink()
