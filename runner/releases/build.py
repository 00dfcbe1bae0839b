"""From a commit to the release in use: fetch, build, prove, switch. Whatever fails leaves all as it was (FAULT-52).

A commit that does not prove itself is refused and remembered: the next build says the same without trying it again,
so that the job that builds stays failed until somebody pushes a better one. What is not the commit's fault, a network
or a package index that does not answer, is tried again each time.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from runner.document.faults import Faults
from runner.errors import TryLater, UserError
from runner.home.here import read_user
from runner.home.release import RELEASE, RELEASES, Release
from runner.home.settings import SETTINGS_FILE, find_main_target, parse_settings, read_settings
from runner.launch.instant import format_instant
from runner.releases.base import Base, read_current
from runner.releases.cache import Cache
from runner.releases.environment import list_half_made
from runner.releases.log import BuildLog, read_end
from runner.releases.record import Build, State, describe, find_build, read_builds, write_build
from runner.releases.seal import remove_tree
from runner.releases.steps import STEPS, Step, Work


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


def find_work(base: Base, order: Order, lock: int) -> Found:
    """Fetch, and return what is to be done. The caller holds the lock."""
    cache = Cache(base.cache, keep=(lock,))
    cache.prepare(order.remote, order.branch)
    cache.fetch()
    current = read_current(base)
    rules, signers = _read_rules(base, cache, current)
    head = cache.find_head(tagged=rules.signed == "tag")
    known = find_build(base, head)
    if known and known.state == State.BUILT and not base.release(head).is_dir():
        known = None  # removed by hand
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
        work = Work(base, commit.commit, found.rules, found.signers, log, read_user())
        step = ""
        try:
            for step, act in STEPS if steps is None else steps:
                log.say(step)
                work = act(work)
        except (UserError, TryLater, OSError) as error:
            log.say(f"{step}: {error}")
            remove_tree(work.home)
            failed = replace(commit, state=State.REFUSED, built_at=_now(), step=step, reason=str(error))
            if not isinstance(error, UserError):
                raise TryLater(tell_failure(base, failed)) from None
            write_build(base, failed)
            return failed
        log.say("built")
    built = replace(commit, state=State.BUILT, built_at=_now(), environment=work.environment)
    write_build(base, built)
    return built


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


def _now() -> str:
    return format_instant(time.time())
