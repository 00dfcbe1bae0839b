"""Activating the profile of a plan at this very moment: the child that the wrapper starts where no snapshot serves.

``python -m runner.profiles.live --home HOME --plan PLAN --answer FD`` writes its answer into a descriptor, in the form
of a snapshot or as one line that says why not. It reads no YAML: what is activated is what was compiled.
"""

from __future__ import annotations

import os
import sys

from runner.launch.activation import Activation
from runner.launch.environment import base_environment
from runner.launch.gates import read_place, read_plan
from runner.launch.log import Log
from runner.launch.outcome import CODE_CANNOT_EXECUTE, CannotStart
from runner.launch.snapshot import Snapshot, encode_snapshot
from runner.launch.state import write_all
from runner.profiles.capture import activate, list_kept


class Passage(Log):
    """Where the output of an activation goes: on to the run's log, by way of our stdout."""

    def __init__(self) -> None:
        super().__init__("", -1, 0)

    def write(self, data: bytes) -> None:
        """Pass bytes on."""
        write_all(1, data)


def answer(activation: Activation, profile: str, before: dict[str, str], home: str, log: Log) -> bytes:
    """Activate a profile; return its effect in the form of a snapshot, which nobody keeps. CannotStart if it fails."""
    capture = activate(activation, profile, before, home, log)
    snapshot = Snapshot(profile, "live")
    snapshot.changes = [change for _, change in capture.changes]
    if activation.mode == "snapshot":  # the next run will have no other environment than this one
        snapshot.changes = list_kept(activation, capture)
    return encode_snapshot(snapshot)


def main(home: str, plan_name: str, descriptor: int) -> int:
    """Write the answer; return the exit code."""
    place = read_place(home)
    plan, fault = read_plan(home, plan_name)
    try:
        if fault:
            raise CannotStart(fault)
        before = base_environment(place.user, place.user_home)
        write_all(descriptor, answer(plan.activation, plan.profile, before, home, Passage()))
    except CannotStart as cause:
        os.write(descriptor, str(cause).encode("utf-8", "surrogateescape"))
        return CODE_CANNOT_EXECUTE
    return 0


if __name__ == "__main__":
    options = dict(zip(sys.argv[1::2], sys.argv[2::2], strict=True))
    sys.exit(main(options["--home"], options["--plan"], int(options["--answer"])))
