"""The installed plans as a round finds them: of which of them a slot can be missed or late."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from runner.launch.gates import find_closed_gate, read_plan
from runner.launch.installed import Installed, read_installed
from runner.launch.plan import Plan
from runner.launch.slot import use_zone
from runner.sweep.chores import Round


@dataclass(frozen=True, slots=True)
class Watched:
    """An installed plan, and what is compiled of it.

    Attributes
    ----------
    is_well
        Whether it is compiled as it was installed, is for this host and not paused.
    has_zone
        Whether it is well and libc is in the zone of its schedule, which this host may not know.
    """

    one: Installed
    plan: Plan
    is_well: bool
    has_zone: bool


def watch_plans(round_: Round) -> Iterator[Watched]:
    """Yield every installed plan, each in its zone; libc's is the host's again afterwards."""
    zone: str | None = ""
    try:
        for one in read_installed(round_.place.state).values():
            plan, fault = read_plan(round_.place.home, one.plan)
            if fault or not one.fits(plan) or find_closed_gate(round_.place, plan, round_.now)[0]:
                yield Watched(one, plan, is_well=False, has_zone=False)
                continue
            wanted = plan.timezone or round_.place.timezone or None
            try:
                if wanted != zone:
                    use_zone(wanted)
                zone = wanted
            except LookupError:  # no such zone here: its runs say so
                zone = ""
            yield Watched(one, plan, is_well=True, has_zone=zone == wanted)
    finally:
        use_zone(None)
