"""From a commit to the release in use: fetch, build, prove, switch. Whatever fails leaves all as it was (FAULT-52).

A commit that does not prove itself is refused and remembered: the next build says the same without trying it again,
so that the job that builds stays failed until somebody pushes a better one. What is not the commit's fault, a network
or a package index that does not answer, is tried again each time.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from runner.document.faults import Faults
from runner.errors import TryLater, UserError
from runner.home.account import get_account
from runner.home.find import is_home
from runner.home.here import read_user
from runner.home.release import RELEASE, RELEASES, Release
from runner.home.settings import SETTINGS_FILE, Settings, find_main_target, parse_settings, read_settings
from runner.launch.instant import format_instant
from runner.releases import prove
from runner.releases.base import Base, read_current
from runner.releases.cache import Cache
from runner.releases.environment import list_half_made, provide_environment
from runner.releases.export import unpack
from runner.releases.log import BuildLog, read_end
from runner.releases.record import Build, State, describe, find_build, read_builds, write_build
from runner.releases.seal import remove_tree, seal


class Task(StrEnum):
    """What is to be done for the newest commit."""

    NOTHING = "unchanged"
    """It is the release in use."""
    TELL = "refused"
    """It was refused before."""
    LEAVE = "left"
    """It was in use, and somebody has switched away from it."""
    SWITCH = "switch"
    """Its release is there and was never in use: the switch failed."""
    BUILD = "build"
    """It is new."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a build is asked for.

    Attributes
    ----------
    remote, branch
        Given the first time, or to be changed.
    again
        Build or switch to the newest commit even if it was refused, or switched away from.
    """

    remote: str | None = None
    branch: str | None = None
    again: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """The newest commit, what is to be done for it, and by whose rules (see `find_work`)."""

    build: Build
    task: Task
    rules: Release
    signers: Path | bytes


def choose_task(head: str, current: str, known: Build | None, *, again: bool) -> Task:
    """Return what is to be done for the newest commit, by what is known of it."""
    if head == current:
        return Task.NOTHING
    if known is None:
        return Task.BUILD
    if known.state == State.BUILT:
        return Task.LEAVE if known.current_at and not again else Task.SWITCH
    if again:
        return Task.BUILD
    return Task.TELL if known.state == State.REFUSED else Task.LEAVE


def find_work(base: Base, order: Order) -> Found:
    """Fetch, and return what is to be done. The caller holds the lock."""
    cache = Cache(base.cache)
    cache.prepare(order.remote, order.branch)
    cache.fetch()
    current = read_current(base)
    rules, signers = _read_rules(base, cache, current)
    head = cache.find_head(tagged=rules.signed == "tag")
    known = find_build(base, head)
    task = choose_task(head, current, known, again=order.again)
    commit = known if known and task is not Task.BUILD else cache.read_commit(head)
    return Found(commit, task, rules, signers)


def _read_rules(base: Base, cache: Cache, current: str) -> tuple[Release, Path | bytes]:
    """Return who decides on a new commit: the release in use, so that none decides on itself; the first one must.

    With them the signers whose keys count: their file, or what is in it.
    """
    if current:
        settings = read_settings(base.release(current))
        return settings.release, settings.home / settings.release.allowed_signers
    head = cache.find_head(tagged=False)
    faults = Faults(SETTINGS_FILE)
    first = parse_settings(cache.read_file(head, SETTINGS_FILE), base.release(head), find_main_target(), faults)
    rules: Release = first.release if first else RELEASE.record(**RELEASE.defaults)
    if rules.allowed_signers.startswith("/"):
        return rules, Path(rules.allowed_signers)
    return rules, cache.read_file(head, rules.allowed_signers)


def build_release(base: Base, found: Found, lock: int, steps: Sequence[Step] | None = None) -> Build:
    """Make and prove the release of a commit; return what became of it: built, or refused.

    Parameters
    ----------
    steps
        All of `STEPS` unless given.

    Raises
    ------
    TryLater
        What it needs cannot be had; nothing is recorded, and the next build tries it again.
    """
    clear(base)
    commit = replace(found.build, current_at="", left_at="", step="", reason="")
    with BuildLog(base.log(commit.commit), keep=(lock,)) as log:
        log.say(f"{describe(commit)} of {commit.committed_at}")
        work = Work(base, found, base.release(commit.commit), log, (read_user(), get_account(read_user()).pw_dir))
        step = ""
        try:
            for step, act in STEPS if steps is None else steps:
                log.say(step)
                work = act(work)
        except (UserError, TryLater) as error:
            log.say(f"{step}: {error}")
            remove_tree(work.home)
            failed = replace(commit, state=State.REFUSED, built_at=_now(), step=step, reason=str(error))
            if isinstance(error, TryLater):
                raise TryLater(tell_failure(base, failed)) from None
            write_build(base, failed)
            return failed
        log.say("built")
    built = replace(commit, state=State.BUILT, built_at=_now(), environment=work.environment)
    write_build(base, built)
    return built


@dataclass(frozen=True, slots=True)
class Work:
    """What the steps of a build hand on.

    Attributes
    ----------
    home
        Where the release is made: in its place, since what is in it knows where it is. Nobody looks there before the
        switch.
    user
        The login that builds, and its own directory.
    settings
        Of the new release, once it is there.
    """

    base: Base
    found: Found
    home: Path
    log: BuildLog
    user: tuple[str, str]
    settings: Settings | None = None
    environment: str = ""

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
    if work.found.rules.signed != "none":
        commit = work.found.build.commit
        Cache(work.base.cache).verify(work.found.rules.signed, commit, work.found.signers)
        work.log.say(f"the signature of the {work.found.rules.signed} counts")
    return work


def export(work: Work) -> Work:
    """Write the files of the commit."""
    with tempfile.TemporaryFile(dir=work.base.builds) as file:
        Cache(work.base.cache).archive(work.found.build.commit, file)
        file.seek(0)
        unpack(file, work.home)
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
    name = provide_environment(work.base, work.home, release.requirements, work.log, work.user, release.timeout_s)
    return replace(work, environment=name)


def settle(work: Work) -> Work:
    """Write what is of this machine."""
    prove.settle(work.home, work.log, work.user, work.timeout_s)
    return work


def check(work: Work) -> Work:
    """See that ``runner check`` finds no error."""
    prove.check(work.home, work.log, work.user, work.timeout_s)
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
    prove.run_own_proof(work.home, work.own.release.prove, work.log, work.user, work.timeout_s)
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


def tell_failure(base: Base, failed: Build) -> str:
    """Return what a person must know of a build that failed: who, what, why, and the end of the log."""
    lines = [
        f"release {failed.commit[:12]} was not built: {failed.step}: {failed.reason}",
        f"commit  {failed.commit} of {failed.committed_at}",
        f"author  {failed.author}",
        f"subject {failed.subject}",
        f"log     {base.log(failed.commit)}",
    ]
    end = read_end(base.log(failed.commit))
    return "\n".join([*lines, *(["---- end of the log ----", end] if end else [])])


def clear(base: Base) -> None:
    """Remove what builds and prunes that were killed have left. The caller holds the lock."""
    whole = {build.commit for build in read_builds(base) if build.state == State.BUILT} | {read_current(base)}
    for path in (base.path / RELEASES).iterdir():
        if path.name not in whole:
            remove_tree(path)
    for path in list_half_made(base):
        remove_tree(path)
    remove_tree(base.cache.with_name(f".{base.cache.name}"))


def _now() -> str:
    return format_instant(time.time())
