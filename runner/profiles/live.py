"""Activating the profile of a plan at this very moment: the child that the wrapper starts where no snapshot serves.

``python -m runner.profiles.live --home HOME --plan PLAN --answer FD``: the answer has the form of a snapshot, or is
one line that says why the job cannot be started.
"""

from __future__ import annotations

import os
import sys

from runner.launch.environment import base_environment
from runner.launch.gates import read_place, read_plan
from runner.launch.log import Log
from runner.launch.outcome import CODE_CANNOT_EXECUTE, CannotStart
from runner.launch.snapshot import Snapshot, encode_snapshot
from runner.launch.state import write_all
from runner.profiles.capture import activate


class Passage(Log):
    """Where the output of an activation goes: on to the run's log, by way of our stdout."""

    def __init__(self) -> None:
        super().__init__("", -1, 0)

    def write(self, data: bytes) -> None:
        """Pass bytes on."""
        write_all(1, data)


def main(home: str, plan_name: str, answer: int) -> int:
    """Activate the profile of a plan and write the answer; return the exit code."""
    place = read_place(home)
    plan, fault = read_plan(home, plan_name)
    try:
        if fault:
            raise CannotStart(fault)
        before = base_environment(place.user, place.user_home)
        capture = activate(plan.activation, plan.profile, before, home, Passage())
    except CannotStart as cause:
        os.write(answer, f"{cause}\n".encode("utf-8", "surrogateescape"))
        return CODE_CANNOT_EXECUTE
    snapshot = Snapshot(plan.profile, "live")
    snapshot.changes = [change for _, change in capture.changes]
    write_all(answer, encode_snapshot(snapshot))
    return 0


if __name__ == "__main__":
    options = dict(zip(sys.argv[1::2], sys.argv[2::2], strict=True))
    sys.exit(main(options["--home"], options["--plan"], int(options["--answer"])))
