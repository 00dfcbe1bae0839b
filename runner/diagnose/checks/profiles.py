"""Every profile of this host activates, twice alike, and meets what it requires (PROF-44)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from runner.diagnose.check import ERROR, Check, Finding
from runner.diagnose.context import Context
from runner.profiles.profile import Profile

ID = "DIAG011"
LEVEL = ERROR
TITLE = "every profile activates and meets its require"
TIMEOUT_S = 45.0

# A profile is activated twice at most, each time within its own timeout.
_MOST_S = 40.0


def find(context: Context) -> Iterator[Finding]:
    """Yield why a profile cannot be activated; profiles are tried beside each other, and nothing is kept."""
    from runner.diagnose.run import run_checks

    yield from run_checks([_make_check(profile) for profile in context.list_profiles()], context)


def _make_check(profile: Profile) -> Check:
    timeout_s = min(2 * profile.timeout_s + 2.0, _MOST_S)
    return Check(ID, LEVEL, f"profile {profile.name} activates", partial(_try_profile, profile), timeout_s)


def _try_profile(profile: Profile, context: Context) -> Iterator[Finding]:
    from runner.launch.environment import base_environment
    from runner.launch.log import Log
    from runner.launch.outcome import CannotStart
    from runner.profiles.capture import activate
    from runner.profiles.changes import make_activation
    from runner.profiles.snapshots import capture_snapshot

    place, log = context.place, Log("", -1, 0)
    activation = make_activation(profile, context.get_settings())
    try:
        if activation.mode == "snapshot":
            capture_snapshot(activation, profile.name, place, [], log, context.now)
        else:
            activate(activation, profile.name, base_environment(place.user, place.user_home), place.home, log)
    except CannotStart as cause:
        hint = f"no job of it can start; see runner profile show {profile.name}"
        yield Finding(ID, LEVEL, f"profile {profile.name} cannot be activated", hint, str(cause))
