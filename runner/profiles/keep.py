"""Keeping the snapshot of a plan's profile: the process that the sweep starts, which ends what it has started itself.

``python -m runner.profiles.keep HOME PLAN`` says on stderr why there can be none.
"""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from pathlib import Path

from runner.errors import UserError
from runner.home.settings import read_settings
from runner.launch.gates import Place, read_place, read_plan
from runner.launch.log import Log
from runner.launch.outcome import CODE_CANNOT_EXECUTE, CannotStart
from runner.launch.plan import Plan
from runner.launch.snapshot import keep_snapshot
from runner.profiles.read import read_profiles
from runner.profiles.snapshots import admit_people, capture_snapshot, list_sources


def keep(place: Place, plan: Plan) -> None:
    """Capture the profile of a plan and keep the snapshot, for with-profile too if the YAML still says the same."""
    sources = list_sources(place.home, plan.profile)
    snapshot = capture_snapshot(plan.activation, plan.profile, place, sources, Log("", -1, 0), time.time()).snapshot
    with suppress(UserError):  # mistakes in YAML are no trouble of what was compiled before
        settings = read_settings(Path(place.home))
        profile = read_profiles(settings).by_name.get(plan.profile)
        if profile:
            admit_people(snapshot, plan.activation, profile, settings)
    keep_snapshot(place.state, snapshot, place.host)


def main(home: str, plan_name: str) -> int:
    """Keep the snapshot; return the exit code."""
    plan, fault = read_plan(home, plan_name)
    try:
        if fault:
            raise CannotStart(fault)
        keep(read_place(home), plan)
    except CannotStart as cause:
        sys.stderr.write(f"{cause}\n")
        return CODE_CANNOT_EXECUTE
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
