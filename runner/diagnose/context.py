"""What checks are told of the home that they look at, read once for all of them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from runner.diagnose.check import Unanswered
from runner.errors import Fault, FaultsFound
from runner.home.here import read_host
from runner.home.settings import Settings, Target, read_settings
from runner.home.site import find_site, may_be_at
from runner.launch.gates import Place, read_place
from runner.launch.installed import read_installed
from runner.launch.values import list_forms
from runner.plans.load import LoadedHome, load_home
from runner.plans.make import Planned
from runner.profiles.profile import Profile


@dataclass(frozen=True, slots=True)
class Context:
    """A home on this host, as this user has it.

    Attributes
    ----------
    now
        POSIX seconds.
    place
        What was compiled: state directory, target, release.
    loaded, settings, target
        What is written; None where it cannot be read, of `target` also where none is for this host and user.
    faults
        The mistakes of registry, settings and profiles.
    own_job
        The job that diagnoses, empty for a person: it is not to find itself.
    etc
        Where the machine's settings are.
    """

    home: Path
    now: float
    place: Place
    settings: Settings | None
    loaded: LoadedHome | None
    target: Target | None
    faults: tuple[Fault, ...]
    own_job: str = ""
    etc: Path = Path("/etc")

    @property
    def state(self) -> Path:
        """The state directory: as it is written, and where that cannot be read, as it was compiled."""
        return self.settings.state_of(self.target) if self.settings else Path(self.place.state)

    def get_settings(self) -> Settings:
        """Return the settings; Unanswered if there are mistakes in them."""
        if self.settings is None:
            raise Unanswered("envs/site.yaml has mistakes")
        return self.settings

    def get_loaded(self) -> LoadedHome:
        """Return the home; Unanswered if there are mistakes in it."""
        if self.loaded is None:
            raise Unanswered("registry, settings or profiles have mistakes")
        return self.loaded

    def is_installed(self) -> bool:
        """Whether an install of ours has put lines into a crontab of this host and user."""
        try:
            return bool(read_installed(str(self.state)))
        except OSError:
            return False

    def list_planned(self) -> list[Planned]:
        """Return the enabled plans whose profile may be on this host."""
        loaded = self.get_loaded()
        here = find_site(loaded.settings, read_host())
        return [one for one in loaded.planned if one.job.enabled and may_be_at(loaded.settings, one.profile.site, here)]

    def list_profiles(self) -> list[Profile]:
        """Return the profiles that may be on this host, by name."""
        loaded = self.get_loaded()
        here = find_site(loaded.settings, read_host())
        found = sorted(loaded.profiles.items())
        return [profile for _, profile in found if may_be_at(loaded.settings, profile.site, here)]


def read_context(home: Path, now: float, own_job: str = "") -> Context:
    """Return what is to be known of a home; mistakes in it are among that."""
    place = read_place(str(home))
    settings = loaded = target = None
    try:
        settings = read_settings(home)
        target = settings.target_here(place.host, place.user)
        loaded = load_home(home, now)
        faults = loaded.warnings
    except FaultsFound as found:
        faults = found.faults
    return Context(home, now, place, settings, loaded, target, faults, own_job)


def list_secret_forms(context: Context) -> list[bytes]:
    """Return what the secrets of a home may look like, as far as this user can read them (SEC-9)."""
    values = [value for path in list_secret_files(context) if (value := _read_secret(path))]
    return list_forms(values)


def list_secret_files(context: Context) -> list[Path]:
    """Return the files that secrets of the home are read from; they need not be there."""
    from runner.launch.environment import expand_path
    from runner.launch.outcome import CannotStart

    sources = []
    if context.settings:
        sources += [context.settings.mail.smtp.password]
        sources += [context.settings.slack.token] if context.settings.slack else []
    for one in context.list_planned() if context.loaded else []:
        sources += [path for _, path in one.plan.secrets]
    for profile in context.list_profiles() if context.loaded else []:
        sources += [path for _, path in profile.secrets]
    files = []
    for source in filter(None, dict.fromkeys(source.removeprefix("file:") for source in sources)):
        try:
            files.append(context.home / expand_path(source, str(context.home)))
        except CannotStart:
            continue  # of an account that is not here
    return sorted(files)


def _read_secret(path: Path) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return ""
    with open(descriptor, "rb") as file:
        return file.read(65536).decode("utf-8", "surrogateescape").rstrip("\r\n")
