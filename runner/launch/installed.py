"""The file ``installed``: which plans the crontab has by our last install, with which schedule, since when.

A slot before ``since`` is never missed and never late (RUN-38, CRON-53): it is the instant since which this very
schedule has been installed, enabled and unpaused. An install writes it, the sweep moves it on; both do so under
a lock, and whoever reads the file sees it whole.
"""

from __future__ import annotations

import posix

from runner.launch import lines
from runner.launch.instant import format_instant, parse_instant
from runner.launch.plan import Plan, decode_schedule
from runner.launch.plan_encode import encode_schedule
from runner.launch.slot import Schedule
from runner.launch.state import INSTALLED, lock_directory, read_file, write_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Installed:
    """One plan of the crontab.

    Attributes
    ----------
    plan
        Its name.
    since
        Since when its slots count, POSIX seconds; 0.0 while it is paused or its plan is another.
    at
        When an install put this schedule into the crontab; a pause does not move it.
    timezone, when
        The zone of its schedule, empty for the target's own, and the schedule as `encode_schedule` writes it.
    missed, rerun
        Slots that the sweep has still to start, oldest first: missed ones, and those of lost runs.
    """

    __slots__ = ("at", "missed", "plan", "rerun", "since", "timezone", "when")

    def __init__(self, plan: str, since: float, timezone: str, when: list[str]) -> None:
        self.plan = plan
        self.since = self.at = since
        self.timezone = timezone
        self.when = when
        self.missed: list[str] = []
        self.rerun: list[str] = []

    @property
    def schedules(self) -> list[Schedule]:
        """When it has slots."""
        return [decode_schedule(text) for text in self.when]

    def fits(self, plan: Plan) -> bool:
        """Whether a compiled plan still has the schedule that was installed."""
        return (self.timezone, self.when) == (plan.timezone, list(map(encode_schedule, plan.schedules)))


def read_installed(state: str) -> dict[str, Installed]:
    """Return the installed plans by name; none where nothing was installed."""
    return decode_installed(read_file(f"{state}/{INSTALLED}") or b"")


def change_installed(state: str, change: Callable[[dict[str, Installed]], dict[str, Installed]]) -> None:
    """Replace what is installed by what `change` makes of it; the file is written only if that differs."""
    directory = lock_directory(state)
    try:
        before = read_file(f"{state}/{INSTALLED}") or b""
        after = encode_installed(change(decode_installed(before)))
        if after != before:
            write_file(f"{state}/{INSTALLED}", after)
    finally:
        posix.close(directory)


def rest_installed(state: str, job: str, since: float) -> None:
    """Let a job have slots since then only, none while `since` is 0.0; what was still to be started is forgotten."""

    def rest(installed: dict[str, Installed]) -> dict[str, Installed]:
        for one in installed.values():
            if one.plan.partition("@")[0] == job:
                one.since, one.missed, one.rerun = since, [], []
        return installed

    change_installed(state, rest)


def owe_rerun(state: str, plan: str, slot: str) -> bool:
    """Remember that the slot of a lost run is to be started again, if its plan is installed and not paused."""
    is_owed = False

    def owe(installed: dict[str, Installed]) -> dict[str, Installed]:
        nonlocal is_owed
        one = installed.get(plan)
        if one and one.since:
            is_owed = True
            one.rerun += [] if slot in one.rerun else [slot]
        return installed

    change_installed(state, owe)
    return is_owed


def encode_installed(installed: dict[str, Installed]) -> bytes:
    """Return the file, sorted by plan."""
    pairs = []
    for name in sorted(installed):
        one = installed[name]
        pairs += [("plan", name), ("since", format_instant(one.since) if one.since else "paused")]
        pairs += [("at", format_instant(one.at))] if one.at != one.since else []
        pairs += [("timezone", one.timezone)] if one.timezone else []
        pairs += [("when", text) for text in one.when]
        pairs += [("missed", slot) for slot in one.missed] + [("rerun", slot) for slot in one.rerun]
    return lines.encode(pairs)


def decode_installed(data: bytes) -> dict[str, Installed]:
    """Return the plans of the file; of a damaged one those that can be read."""
    found: dict[str, Installed] = {}
    one = Installed("", 0.0, "", [])
    for key, value in lines.decode(data):
        if key == "plan":
            one = found[value] = Installed(value, 0.0, "", [])
        else:
            try:
                _enter(one, key, value)
            except (ValueError, LookupError):
                found.pop(one.plan, None)
    return found


def _enter(one: Installed, key: str, value: str) -> None:
    """Enter one line of a plan."""
    if key == "since":
        one.since = one.at = 0.0 if value == "paused" else parse_instant(value)
    elif key == "at":
        one.at = parse_instant(value)
    elif key == "timezone":
        one.timezone = value
    elif key == "when":
        decode_schedule(value)
        one.when.append(value)
    elif key in ("missed", "rerun"):
        parse_instant(value)
        getattr(one, key).append(value)
