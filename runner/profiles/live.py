"""Activating the profile of a plan in a process of its own, for the wrapper and for the sweep.

``python -m runner.profiles.live --home HOME --plan PLAN --answer FD`` activates at this very moment and writes the
answer into a descriptor, in the form of a snapshot or as one line that says why not; ``--keep`` in place of that
captures and keeps a snapshot, and says on stderr why not.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from pathlib import Path

from runner.errors import UserError
from runner.home.settings import read_settings
from runner.launch.environment import base_environment
from runner.launch.gates import Place, read_place, read_plan
from runner.launch.log import Log
from runner.launch.outcome import CODE_CANNOT_EXECUTE, CannotStart
from runner.launch.plan import Plan
from runner.launch.snapshot import Snapshot, encode_snapshot, keep_snapshot
from runner.launch.state import write_all
from runner.profiles.capture import activate
from runner.profiles.read import read_profiles
from runner.profiles.snapshots import admit_people, capture_snapshot, list_sources


class Passage(Log):
    """Where the output of an activation goes: on to the run's log, by way of our stdout."""

    def __init__(self) -> None:
        super().__init__("", -1, 0)

    def write(self, data: bytes) -> None:
        """Pass bytes on."""
        write_all(1, data)


def answer(place: Place, plan: Plan) -> bytes:
    """Activate the profile of a plan; return its effect, of which nothing is kept."""
    before = base_environment(place.user, place.user_home)
    capture = activate(plan.activation, plan.profile, before, place.home, Passage())
    snapshot = Snapshot(plan.profile, "live")
    snapshot.changes = [change for _, change in capture.changes]
    return encode_snapshot(snapshot)


def keep(place: Place, plan: Plan) -> None:
    """Capture the profile of a plan and keep the snapshot, for with-profile too if the YAML still says the same."""
    sources = list_sources(place.home, plan.profile)
    snapshot = capture_snapshot(plan.activation, plan.profile, place, sources, Passage(), time.time()).snapshot
    with suppress(UserError):  # mistakes in YAML are no trouble of what was compiled before
        settings = read_settings(Path(place.home))
        profile = read_profiles(settings).by_name.get(plan.profile)
        if profile:
            admit_people(snapshot, plan.activation, profile, settings)
    keep_snapshot(place.state, snapshot, place.host)


def main(home: str, plan_name: str, descriptor: int | None) -> int:
    """Do what is asked for; return the exit code."""
    place = read_place(home)
    plan, fault = read_plan(home, plan_name)
    try:
        if fault:
            raise CannotStart(fault)
        if descriptor is None:
            keep(place, plan)
        else:
            write_all(descriptor, answer(place, plan))
    except CannotStart as cause:
        os.write(2 if descriptor is None else descriptor, f"{cause}\n".encode("utf-8", "surrogateescape"))
        return CODE_CANNOT_EXECUTE
    return 0


if __name__ == "__main__":
    options = dict(zip(sys.argv[1::2], sys.argv[2::2], strict=True))
    sys.exit(main(options["--home"], options["--plan"], int(options["--answer"]) if "--answer" in options else None))
