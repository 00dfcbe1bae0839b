"""The steps from a commit to a release, in their order; each takes what the one before hands on.

A UserError is the commit's own mistake: it is refused. TryLater is of this host or of what it depends on.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from runner.errors import UserError
from runner.home.account import get_account
from runner.home.find import is_home
from runner.home.release import Release
from runner.home.settings import Settings, read_settings
from runner.releases import prove
from runner.releases.base import Base
from runner.releases.cache import Cache
from runner.releases.environment import provide_environment
from runner.releases.export import unpack
from runner.releases.log import BuildLog
from runner.releases.seal import seal


@dataclass(frozen=True, slots=True)
class Work:
    """What the steps of a build hand on.

    Attributes
    ----------
    rules, signers
        Whether it must be signed, and whose signatures count: a file, or what is in it.
    user
        The login that builds.
    settings
        Of the new release, once it is there.
    environment
        The name of the environment of its packages; empty for none.
    """

    base: Base
    commit: str
    rules: Release
    signers: Path | bytes
    log: BuildLog
    user: str
    settings: Settings | None = None
    environment: str = ""

    @property
    def home(self) -> Path:
        """Where the release is made: in its place, since what is in it knows where it is; nobody looks there yet."""
        return self.base.release(self.commit)

    @property
    def account(self) -> tuple[str, str]:
        """The login that builds, and its own directory."""
        return self.user, get_account(self.user).pw_dir

    @property
    def own(self) -> Settings:
        """The settings of the new release, for the steps after they were read."""
        if self.settings is None:
            raise RuntimeError("this step needs the settings that an earlier one reads")
        return self.settings

    @property
    def timeout_s(self) -> float:
        """The most that a command may take."""
        return self.own.release.timeout_s


Step = tuple[str, Callable[[Work], Work]]


def verify(work: Work) -> Work:
    """See that the commit is signed as the rules ask for."""
    if work.rules.signed != "none":
        Cache(work.base.cache).verify(work.rules.signed, work.commit, work.signers)
        work.log.say(f"the signature of the {work.rules.signed} counts")
    return work


def export(work: Work) -> Work:
    """Write the files of the commit."""
    cache = Cache(work.base.cache)
    with tempfile.TemporaryFile(dir=work.base.builds) as file:
        cache.archive(work.commit, file)
        file.seek(0)
        unpack(file, work.home)
    for name in cache.list_submodules(work.commit):
        work.log.say(f"{name} is a submodule, and is left empty")
    if not is_home(work.home):
        raise UserError("the commit is no home: it has no jobs/ and envs/")
    return work


def read(work: Work) -> Work:
    """Read its settings, and see that what runs leave is outside of it."""
    settings = read_settings(work.home)
    prove.check_state(settings)
    return replace(work, settings=settings)


def install_packages(work: Work) -> Work:
    """Give it the environment of its lock file."""
    release = work.own.release
    name = provide_environment(work.base, work.home, release.requirements, work.log, work.account, release.timeout_s)
    return replace(work, environment=name)


def settle(work: Work) -> Work:
    """Write what is of this machine."""
    prove.settle(work.home, work.log, work.account, work.timeout_s)
    return work


def check(work: Work) -> Work:
    """See that ``runner check`` finds no error."""
    prove.check(work.home, work.log, work.account, work.timeout_s)
    return work


def compile_plans(work: Work) -> Work:
    """Write its plans and crontabs."""
    prove.compile_plans(work.home)
    return work


def activate(work: Work) -> Work:
    """See that its profiles can be activated."""
    prove.activate_profiles(work.own, work.log)
    return work


def prove_itself(work: Work) -> Work:
    """Run its own proof."""
    prove.run_own_proof(work.home, work.own.release.prove, work.log, work.account, work.timeout_s)
    return work


def finish(work: Work) -> Work:
    """Let nobody change it any more."""
    seal(work.home)
    return work


STEPS: tuple[Step, ...] = (
    ("verify", verify),
    ("export", export),
    ("settings", read),
    ("environment", install_packages),
    ("machine", settle),
    ("check", check),
    ("compile", compile_plans),
    ("profiles", activate),
    ("prove", prove_itself),
    ("seal", finish),
)
