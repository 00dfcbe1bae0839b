"""The names of profiles, sites and hosts between rooms: old ones, doubtful ones, and other profiles' places."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from runner.document.faults import suggest
from runner.errors import Fault
from runner.home.here import read_host
from runner.home.settings import SETTINGS_FILE, Settings
from runner.launch.hosts import find_sites
from runner.profiles.changes import make_activation
from runner.profiles.profile import Profile
from runner.profiles.read import list_profile_files
from runner.registry.job import Job


def rename_profiles(jobs: tuple[Job, ...], renamed: dict[str, str]) -> tuple[tuple[Job, ...], list[Fault]]:
    """Return the jobs with what their profiles are called today, and a warning for each old name (PROF-13)."""
    found, faults = [], []
    for job in jobs:
        names = tuple([renamed.get(name, name) for name in job.profiles])
        for old, new in zip(job.profiles, names, strict=True):
            if old != new:
                faults.append(job.fault("profile", f"profile {old} is now called {new}", f"write {new}", "warning"))
        if len(set(names)) < len(names):
            faults.append(job.fault("profile", f"a profile stands here twice: {', '.join(job.profiles)}"))
            names = tuple(dict.fromkeys(names))
        if names != job.profiles:
            job = replace(job, profile=names[0] if isinstance(job.profile, str) else names)
        found.append(job)
    return tuple(found), faults


def check_names(settings: Settings) -> Iterator[Fault]:
    """Yield the old names that lead nowhere or are still used (PROF-13), and the hosts of two sites (PROF-14)."""
    written = list_profile_files(settings.home)
    for old, new in settings.renamed:
        if old in written:
            message = f"renamed: {old} is {new} now, yet it still has a file, envs/{old}.yaml"
            yield Fault(SETTINGS_FILE, 0, 0, "error", message, "take out one of the two")
        if new not in written and new not in dict(settings.renamed):
            message = f'renamed: {old} is to be {new}, but no profile is called "{new}"'
            yield Fault(SETTINGS_FILE, 0, 0, "error", message, suggest(new, written))
    sites = [(name, site.hosts) for name, site in settings.sites]
    hosts = [host for target in settings.targets for host in target.hosts]
    hosts += [pattern for _, patterns in sites for pattern in patterns]
    for host in dict.fromkeys([read_host(), *hosts]):
        if len(found := find_sites(sites, host)) > 1:
            message = f"sites: {host} would be a host of {' and '.join(found)}"
            yield Fault(SETTINGS_FILE, 0, 0, "error", message, "make their hosts: differ")


def check_areas(jobs: tuple[Job, ...], profiles: dict[str, Profile], settings: Settings) -> Iterator[Fault]:
    """Yield a warning for each place that a job is given although it is another profile's area (PROF-84)."""
    areas = {name: _list_areas(profile, settings) for name, profile in profiles.items()}
    if not any(areas.values()):
        return
    for job in jobs:
        words = [("run", text) for step in job.steps for word in step.words[1:] for text in (word, _after_equals(word))]
        for key, place in [("cwd", job.cwd), *dict.fromkeys(words)]:
            for name in job.profiles:
                owner = _find_owner(place, areas, name)
                if owner:
                    message = f"{place} is in the area of the profile {owner}, and the job runs in {name}"
                    yield job.fault(key, message, level="warning")


def _after_equals(word: str) -> str:
    """Return the path of a word like ``--out=/path``, empty if it has none."""
    return word.partition("=")[2]


def _list_areas(profile: Profile, settings: Settings) -> list[str]:
    """Return the paths that the profile names its own: those of ``env`` and ``require.files`` with its name in them."""
    activation = make_activation(profile, settings)
    own = dict(profile.env)
    paths = [change.value for change in activation.changes if change.verb == "set" and change.name in own]
    paths += [path for kind, path in activation.requires if kind == "file"]
    # A relative word of a job begins at the home, too.
    named = [path for path in paths if path.startswith(("/", "~", "{home}/")) and profile.name in path]
    return [path.removeprefix("{home}/").rstrip("/") for path in named]


def _find_owner(place: str, areas: dict[str, list[str]], profile: str) -> str:
    """Return the profile in whose area a place is, empty if it is in nobody's, or also in that of `profile`."""
    owners = [name for name, paths in areas.items() if any(f"{place}/".startswith(f"{path}/") for path in paths)]
    return "" if profile in owners else next(iter(owners), "")
