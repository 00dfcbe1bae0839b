"""What stands between a line of the crontab and its run: where we are, host, pause (RUN-5 to RUN-7).

A `Place` is the home as this machine and user see it: the release, the target that is ours, its state.
"""

from __future__ import annotations

import posix

from runner.launch.hosts import matches_host
from runner.launch.plan import HOME_PLAN, PLANS, HomePlan, Plan, decode_home_plan, decode_plan
from runner.launch.state import PAUSES, read_file

_PLAN_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_-")
_PROFILE_CHARACTERS = _PLAN_CHARACTERS | frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ.")


class Place:
    """Where a run happens.

    Attributes
    ----------
    home, release
        The real path of the home; the name of its directory if that is a release, else ``-`` (RUN-14).
    state
        The state directory, absolute.
    timezone
        The zone of the target, empty if it is simply the host's.
    host, user, user_home
        The host's full name as the kernel knows it; the login of the user and its own directory.
    plan, fault
        What ``home.plan`` says; where it cannot be read, the defaults and the reason.
    """

    __slots__ = ("fault", "home", "host", "plan", "release", "state", "timezone", "user", "user_home")

    def __init__(self, home: str, host: str, user: str, plan: HomePlan) -> None:
        self.home = home
        self.host = host
        self.user = user
        self.user_home = ""
        self.plan = plan
        self.release = name_release(home)
        self.state = f"{home}/state"
        self.timezone = ""
        self.fault = ""
        for target in plan.targets:
            if target.user == user and matches_host(target.hosts, host):
                self.state = target.state.replace("{home}", home)
                self.timezone = target.timezone
                return


def name_release(home: str) -> str:
    """Return the name of the release that a home is, ``-`` if it is none (RUN-14)."""
    parent, _, name = home.rpartition("/")
    return name if parent.endswith("/releases") else "-"


def read_place(home: str) -> Place:
    """Return the place of `home`; without a usable ``home.plan`` one of defaults, in which nothing may run (RUN-3)."""
    import pwd

    plan, fault = HomePlan("-"), f'no {HOME_PLAN}; run "runner compile"'
    try:
        data = read_file(f"{home}/{HOME_PLAN}")
        if data is not None:
            plan, fault = decode_home_plan(data), ""
    except (OSError, ValueError, LookupError) as error:
        fault = f'no usable {HOME_PLAN}: {error}; run "runner compile"'
    user = user_home = ""
    try:
        account = pwd.getpwuid(posix.getuid())
        user, user_home = account.pw_name, account.pw_dir
    except KeyError:
        fault = f"uid {posix.getuid()} has no login on this machine"
    place = Place(home, posix.uname().nodename, user, plan)
    place.user_home, place.fault = user_home, fault
    return place


def read_plan(home: str, name: str) -> tuple[Plan, str]:
    """Return the plan `name` and an empty text; without a usable one a bare plan and the reason (RUN-3)."""
    release = home.rpartition("/")[2]
    try:
        data = read_file(f"{home}/{PLANS}/{name}.plan")
        if data is not None:
            return decode_plan(data), ""
        reason = f'no plan for {name} in {release}; run "runner compile"'
    except (OSError, ValueError, LookupError) as error:
        reason = f'no usable plan for {name} in {release}: {error}; run "runner compile"'
    job, _, profile = name.partition("@")
    return Plan(name, job, profile or "-"), reason


def is_plan_name(name: str) -> bool:
    """Whether `name` is a job id or ``JOB@PROFILE``: nothing else may ever become part of a path (RUN-3)."""
    job, at, profile = name.partition("@")
    if not job or len(job) > 64 or job[0] in "_-" or not _PLAN_CHARACTERS.issuperset(job):
        return False
    return not at or is_profile_name(profile)


def is_profile_name(name: str) -> bool:
    """Whether `name` may be that of a profile, and so of a file (PROF-1)."""
    return 0 < len(name) <= 64 and name[0] not in "._-" and _PROFILE_CHARACTERS.issuperset(name)


def find_closed_gate(place: Place, plan: Plan, now: float) -> tuple[str, str]:
    """Return the reason why the plan must not run here and now, and its detail; two empty texts if it may."""
    if plan.hosts and not matches_host(plan.hosts, place.host):
        return "host", f"{place.host} is none of {' '.join(plan.hosts)}"
    paused = find_pause(place.state, plan.job, now)
    return ("paused", paused) if paused else ("", "")


def find_pause(state: str, job: str, now: float) -> str:
    """Return who paused the job and why, empty if nobody has or the pause has expired (RUN-7).

    A pause that cannot be read counts as a pause: somebody meant one.
    """
    try:
        data = read_file(f"{state}/{PAUSES}/{job}")
    except OSError as error:
        return f"by a pause file that cannot be read: {error}"
    if data is None:
        return ""
    from runner.launch.pauses import describe_pause

    return describe_pause(data, now)
