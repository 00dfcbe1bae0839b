"""The environment of a profile that programs make: from its snapshot, or by an activation at this very moment."""

from __future__ import annotations

import posix
import time

from runner.launch.aside import run_aside
from runner.launch.environment import apply_changes
from runner.launch.outcome import STOPPED, TIMED_OUT, CannotStart, Ending, Stopped
from runner.launch.snapshot import (
    Snapshot,
    ask_for_snapshot,
    decode_snapshot,
    find_refusal,
    find_snapshot,
    identify_activation,
)
from runner.launch.trees import list_tree

# The child has timeouts of its own, and ends what it has started.
_SPARE_S = 2.0


def activate_captured(environment: dict[str, str], run: Run) -> None:
    """Make `environment`, as every job begins with it, that of the run's profile; CannotStart if that fails."""
    plan, place = run.plan, run.place
    activation = plan.activation
    reason = f"mode {activation.mode}"
    if activation.mode == "snapshot":
        snapshot = find_snapshot(place.state, plan.profile, place.host)
        identity = identify_activation(activation, environment, place.home, place.host)
        reason = find_refusal(snapshot, identity, time.time())
        if snapshot and not reason:
            run.log.write_comment(f"environment of snapshot {snapshot.digest[:16]}")
            apply_changes(environment, snapshot.changes)
            return
    run.log.write_comment(f"activating {plan.profile} now: {reason}")
    apply_changes(environment, _activate_now(run).changes)
    if activation.mode == "snapshot":
        ask_for_snapshot(place.state, plan.profile, plan.name)


def _activate_now(run: Run) -> Snapshot:
    """Activate the profile in a child, since that needs more than the standard library; its output is in the log."""
    run.walk.require_program(run.interpreter)
    run.walk.require(list_tree(run.interpreter.rpartition("/")[0].rpartition("/")[0]))
    answer = posix.memfd_create("runner", 0)
    words = [run.interpreter, "-I", "-X", "utf8", "-m", "runner.profiles.live"]
    words += ["--home", run.place.home, "--plan", run.plan.name, "--answer", str(answer)]
    own = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "RUNNER_RUN_ID": run.id, "RUNNER_HOME": run.place.home}
    try:
        assert run.stopper
        timeout_s = run.plan.activation.timeout_s + _SPARE_S
        _, ending = run_aside(words, own, run.log, run.stopper, timeout_s)
        data = posix.pread(answer, posix.fstat(answer).st_size, 0)
    finally:
        posix.close(answer)
    if ending.outcome == STOPPED:
        raise Stopped
    return _read_answer(data, ending, run.plan.profile)


def _read_answer(data: bytes, ending: Ending, profile: str) -> Snapshot:
    try:
        return decode_snapshot(data)
    except (ValueError, LookupError):
        cause = data.decode("utf-8", "surrogateescape").strip()
        if ending.outcome == TIMED_OUT or not cause:
            cause = f"profile {profile}: its activation ended with {ending.reason or 'nothing'}"
        raise CannotStart(cause) from None


TYPE_CHECKING = False
if TYPE_CHECKING:
    from runner.launch.records import Run
