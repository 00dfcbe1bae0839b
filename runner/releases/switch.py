"""Making another release the one in use: the link, then the crontab; if that cannot be installed, the link back.

The link is replaced by rename, so that a run finds the old release or the new one. What a killed switch has left half
done, a new link and the old crontab, the next call completes: ``switching`` says that it is so.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass, replace

from runner.errors import ANSWER_IS_NO, USER_ERROR, TryLater, UserError
from runner.home.account import acting_as, get_account, get_owner
from runner.home.audit import Audit, record_audit
from runner.home.here import find_target, read_host, read_user
from runner.home.settings import read_settings
from runner.launch.instant import format_instant
from runner.releases.base import Base, find_switching, note_switching, point, read_current
from runner.releases.log import BuildLog, read_end
from runner.releases.prove import RUNNER
from runner.releases.record import Build, State, describe, find_build, write_build

_TIMEOUT_S = 300.0


@dataclass(frozen=True, slots=True)
class Crontab:
    """Whose crontab follows the release.

    Attributes
    ----------
    target
        By default that of this host and user.
    is_left
        Whether it is left to whoever installs it.
    """

    target: str | None = None
    is_left: bool = False


def switch(base: Base, build: Build, crontab: Crontab, lock: int, action: str = "release switch") -> None:
    """Make a release the one in use and install its crontab. The caller holds the lock.

    Raises
    ------
    UserError, TryLater
        If the crontab cannot be installed, with what `crontab install` said; the release of before is in use again,
        and so is its crontab.
    """
    if not base.release(build.commit).is_dir():
        raise UserError(f"{base.release(build.commit)} is gone; nothing was changed")
    before = read_current(base)
    note_switching(base, before)
    point(base, build.commit)
    _follow(base, before, build, crontab, lock, action)


def complete_switch(base: Base, crontab: Crontab, lock: int) -> None:
    """Complete a switch that was killed. The caller holds the lock."""
    before = find_switching(base)
    if before is None:
        return
    now = find_build(base, read_current(base))
    if now is None or now.commit == before:
        note_switching(base, None)
    else:
        _follow(base, before, now, crontab, lock, "release switch")


def _follow(base: Base, before: str, build: Build, crontab: Crontab, lock: int, action: str) -> None:
    """Let the crontab follow the link, or take the link back."""
    try:
        _install(base, crontab, build.commit, lock)
    except (UserError, TryLater):
        point(base, before)
        if before:
            with suppress(UserError, TryLater):  # the trouble to be told is the first
                _install(base, crontab, before, lock)
        note_switching(base, None)
        raise
    _note_switch(base, before, build)
    note_switching(base, None)
    record(base, Audit(action, f"{before or '-'} -> {build.commit}", detail=describe(build)), crontab)


def _note_switch(base: Base, before: str, build: Build) -> None:
    now = format_instant(time.time())
    left = find_build(base, before)
    if left and left.commit != build.commit:
        write_build(base, replace(left, left_at=now))
    write_build(base, replace(build, state=State.BUILT, current_at=now, left_at=""))


def _install(base: Base, crontab: Crontab, commit: str, lock: int) -> None:
    """Have ``runner crontab install`` follow the link; of one that fails there is a log."""
    if crontab.is_left:
        return
    target = [] if crontab.target is None else ["--target", crontab.target]
    words = [*RUNNER, "--home", str(base.current), "crontab", "install", "--yes", *target]
    environment = {name: value for name, value in os.environ.items() if name != "RUNNER_HOME"}
    path = base.builds / f"{commit}.crontab.log"
    with BuildLog(path, keep=(lock,)) as log:
        trouble = log.run(words, environment, base.path, _TIMEOUT_S)
    if not trouble:
        path.unlink()
        return
    reason = f"its crontab cannot be installed, so the switch was taken back: {trouble}"
    text = f"release {commit[:12]}: {reason}\n{read_end(path)}"
    raise (UserError if trouble in (f"exit {ANSWER_IS_NO}", f"exit {USER_ERROR}") else TryLater)(text)


def record(base: Base, audit: Audit, crontab: Crontab) -> None:
    """Journal who did it (SEC-20), in the state directory of the release in use, as far as we may write there."""
    current = read_current(base)
    if not current:
        return
    settings = read_settings(base.release(current))
    target = next((one for one in settings.targets if one.name == crontab.target), None) or find_target(settings)
    state = settings.state_of(target)
    if not state.is_dir() or not target:
        return
    with acting_as(get_owner(state, get_account(read_user()))):
        if os.access(state, os.W_OK, effective_ids=True):
            record_audit(str(state), read_host(), audit)
