"""The release in use is of the newest commit: what the team has pushed is what cron runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from runner.diagnose.check import NOTE, WARNING, Finding
from runner.diagnose.context import Context
from runner.diagnose.holders import find_holders
from runner.diagnose.words import show_span
from runner.errors import TryLater

if TYPE_CHECKING:
    from runner.releases.base import Base
    from runner.releases.record import Build

ID = "DIAG032"
LEVEL = WARNING
TITLE = "the release in use is of the newest commit"

# Builds are hourly: a commit waits for the next one, and for its end.
_BUILT_WITHIN_S = 2 * 3600.0


def find(context: Context) -> Iterator[Finding]:
    """Yield why a newer commit is not in use. A home that is no release has none, and a build may be going on."""
    from runner.diagnose.git import LIMIT_S, find_cache
    from runner.home.release import find_base
    from runner.releases.base import Base, read_current
    from runner.releases.build import Task, choose_task
    from runner.releases.record import find_build

    cache = find_cache(context.home)
    if cache is None:
        return
    base = Base(find_base(context.home) or Path())
    lock = base.path / "lock"
    if find_holders([lock]):
        return
    fetched = cache.find_head(tagged=False)
    head = cache.find_head(tagged=True) if context.get_settings().release.signed == "tag" else fetched
    known = find_build(base, head)
    task = choose_task(head, read_current(base), known, again=False)
    if task is not Task.NOTHING:
        yield _describe(task, known or cache.read_commit(head), base)
    try:
        newest = cache.ask(LIMIT_S)
    except TryLater:
        return  # DIAG026 tells of it
    idle_s = context.now - lock.stat().st_mtime
    if newest not in ("", fetched) and idle_s > _BUILT_WITHIN_S:
        message = f"{cache.branch} of {cache.remote} has newer commits, and no build has begun for {show_span(idle_s)}"
        yield Finding(ID, LEVEL, message, "which job calls runner release build? runner history of it", newest)


def _describe(task: str, build: Build, base: Base) -> Finding:
    """Return what keeps a commit that was fetched from being in use."""
    from runner.releases.build import Task
    from runner.releases.record import describe

    if task == Task.LEAVE:
        message = f"somebody switched away from the newest commit, {describe(build)}"
        return Finding(ID, NOTE, message, "push a better one; runner release build --again takes it back")
    if task == Task.TELL:
        message = f"the newest commit was refused, {describe(build)}: cron runs an older one"
        return Finding(
            ID, LEVEL, message, f"mend it and push; {base.log(build.commit)}", f"{build.step}: {build.reason}"
        )
    message = f"the newest commit was fetched and is not in use, {describe(build)}"
    return Finding(ID, LEVEL, message, f"runner release build; {base.log(build.commit)}")
