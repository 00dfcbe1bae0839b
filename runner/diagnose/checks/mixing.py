"""No job mixes profiles: what the guard would refuse at its next start (PROF-80)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from runner.diagnose.check import ERROR, WARNING, Check, Finding
from runner.diagnose.context import Context
from runner.launch.plan import Plan
from runner.profiles.profile import Profile

ID = "DIAG012"
LEVEL = ERROR
TITLE = "no job mixes profiles"
TIMEOUT_S = 40.0


def find(context: Context) -> Iterator[Finding]:
    """Yield what of another profile a job would use; a home that declares nothing to be mixed has no guard."""
    if not context.place.plan.guard:
        return
    from runner.diagnose.run import run_checks

    profiles = {profile.name: profile for profile in context.list_profiles()}
    plans: dict[str, list[Plan]] = {}
    for one in context.list_planned():
        plans.setdefault(one.profile.name, []).append(one.plan)
    title = "no job of {} mixes profiles"
    yield from run_checks(
        [
            Check(ID, LEVEL, title.format(name), partial(_try_plans, profiles[name], some), TIMEOUT_S - 5.0)
            for name, some in plans.items()
        ],
        context,
    )


def _try_plans(profile: Profile, plans: list[Plan], context: Context) -> Iterator[Finding]:
    from runner.launch.guard import guard_command
    from runner.launch.outcome import CannotStart
    from runner.profiles.use import use_profile

    try:
        environment = use_profile(context.get_settings(), profile).environment
    except CannotStart:
        return  # said of the profile
    for plan in plans:
        programs = [step.words[0] for step in plan.steps if "{" not in step.words[0]]
        try:
            warnings = guard_command(context.place, plan.activation, profile.name, environment, programs)
        except CannotStart as refusal:
            yield Finding(ID, ERROR, f"{plan.name} cannot start: {refusal}", "see allow: in envs/site.yaml")
            continue
        for warning in warnings:
            yield Finding(ID, WARNING, f"{plan.name}: {warning}", "guard: warn in envs/site.yaml lets it start")
