"""A program that is not the job: run beside it, for what it says or does, under a timeout of its own."""

from __future__ import annotations

from runner.launch.attempt import Attempt
from runner.launch.plan import Plan, Step


def run_aside(
    words: list[str],
    environment: dict[str, str],
    log: Log,
    stopper: Stopper,
    timeout_s: float,
    stderr_allow: list[str] | None = None,
) -> tuple[Attempt, Ending]:
    """Run a program by its absolute name, in a session of its own; its whole tree ends at the timeout.

    Its output goes to `log`, and the ends of it are in the attempt.
    """
    plan = Plan("aside", "aside", "-")
    plan.timeout_s, plan.grace_s, plan.survivors = max(timeout_s, 0.01), 0.5, "allow"
    plan.stderr_allow = stderr_allow or []
    attempt = Attempt(plan, environment, "/", log, stopper, 0)
    try:
        ending = attempt.run([Step("success", words)], lambda pid: None)
    finally:
        attempt.close()
    return attempt, ending


TYPE_CHECKING = False
if TYPE_CHECKING:
    from runner.launch.attempt import Stopper
    from runner.launch.log import Log
    from runner.launch.outcome import Ending
