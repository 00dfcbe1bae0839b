"""What people are told of profiles: sites and environments, and where each variable comes from (PROF-6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from runner.home.settings import Settings
from runner.launch.activation import Activation, Change
from runner.launch.hosts import matches_host
from runner.launch.scrub import MASK, is_secret
from runner.launch.snapshot import find_snapshot, find_staleness
from runner.profiles.capture import Capture
from runner.profiles.changes import list_origins
from runner.profiles.profile import Profile


@dataclass(frozen=True, slots=True)
class Row:
    """One profile in the list.

    Attributes
    ----------
    snapshot
        ``fresh``, why it is not, or empty where there is none.
    snapshot_age_s
        Seconds since it was captured, None without one.
    here
        Whether this host is one of its site's, None where its site declares none (PROF-14).
    renamed_from
        Old names that lead to it.
    """

    profile: str
    site: str
    environment: str
    mode: str
    snapshot: str
    snapshot_age_s: float | None
    here: bool | None
    renamed_from: tuple[str, ...]
    description: str

    def describe(self) -> dict[str, object]:
        """Return the fields of ``runner profile list --json``."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Setting:
    """One variable of a profile: its value (masked if it is a secret's name) and the key that set it last."""

    name: str
    value: str
    origin: str

    def describe(self) -> dict[str, object]:
        """Return the fields of ``runner profile show --json``."""
        return {name: getattr(self, name) for name in self.__slots__}


def make_row(profile: Profile, settings: Settings, state: str, host: str, now: float) -> Row:
    """Return what the list says of a profile."""
    snapshot = find_snapshot(state, profile.name, host)
    renamed = tuple(old for old, new in settings.renamed if new == profile.name)
    return Row(
        profile.name,
        profile.site,
        profile.environment,
        profile.mode,
        (find_staleness(snapshot, now, with_sources=True) or "fresh") if snapshot else "",
        now - snapshot.made_at if snapshot else None,
        _is_here(profile, settings, host),
        renamed,
        profile.description,
    )


def _is_here(profile: Profile, settings: Settings, host: str) -> bool | None:
    sites = dict(settings.sites)
    if profile.site not in sites or not sites[profile.site].hosts:
        return None
    return matches_host(sites[profile.site].hosts, host)


def find_hidden(profiles: Iterable[Profile], captures: Iterable[Capture]) -> Callable[[str], bool]:
    """Return what tells whether a variable of these profiles is a secret: by its name, or by where it comes from."""
    names = {name for profile in profiles for name, _ in profile.secrets}
    names |= {name for capture in captures for name in capture.secrets}
    return lambda name: name in names or is_secret(name)


def list_settings(capture: Capture, before: Mapping[str, str], profile: Profile, settings: Settings) -> list[Setting]:
    """Return the variables of an activated profile by name; `before` is what every job begins with."""
    origins = list_origins(profile, settings)
    by_name = dict.fromkeys(before, "every job")
    by_name |= {change.name: origins[number] for number, change in capture.changes}
    is_hidden = find_hidden([profile], [capture])
    found = sorted(capture.environment.items())
    return [Setting(name, MASK if is_hidden(name) else value, by_name[name]) for name, value in found]


def show_value(name: str, value: str) -> str:
    """Return a value as it may be shown."""
    return MASK if is_secret(name) else value


@dataclass(frozen=True, slots=True)
class Difference:
    """What is not the same in two profiles: a ``variable``, ``property`` or ``requirement``; None where it is not."""

    kind: str
    name: str
    one: str | None
    other: str | None

    def describe(self) -> dict[str, object]:
        """Return the fields of ``runner profile diff --json``."""
        return {name: getattr(self, name) for name in self.__slots__}


def find_differences(
    kind: str, one: Mapping[str, str], other: Mapping[str, str], is_hidden: Callable[[str], bool] = is_secret
) -> list[Difference]:
    """Return what differs, by name; of what `is_hidden` by its name, only that it does."""

    def show(name: str, values: Mapping[str, str]) -> str | None:
        value = values.get(name)
        return MASK if value is not None and is_hidden(name) else value

    names = sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
    return [Difference(kind, name, show(name, one), show(name, other)) for name in names]


def list_requirements(activation: Activation) -> dict[str, str]:
    """Return what a profile requires, each with its kind."""
    properties = [text for change in activation.changes for key, text in change.details if key == "property"]
    found = {f"{kind} {text}": "required" for kind, text in activation.requires}
    return found | {f"property {key}": "required" for key in properties}


def describe_change(change: Change) -> str:
    """Return a change as one line for people."""
    signs = {"set": "=", "prepend": "=+", "append": "+="}
    if change.verb == "unset":
        return f"- {change.name}"
    return f"{change.name} {signs[change.verb]} {show_value(change.name, change.value)}"
