"""Whether an attempt is followed by another one, and after which pause (RUN-24, RUN-25). Pure."""

from __future__ import annotations

from runner.launch.outcome import REASON_MEMORY, Ending

LONGEST_PAUSE_S = 3600.0
RETRIED_UNLESS_SAID = ("failed", "timed_out")
_RETRIABLE = ("failed", "timed_out", "cannot_start")


def is_retried(ending: Ending, on: list[str]) -> bool:
    """Whether `on`, outcomes, ``memory`` and exit codes, asks for another attempt after such an ending."""
    if ending.outcome not in _RETRIABLE:
        return False
    names = [ending.outcome, str(ending.exit_code)] + ([REASON_MEMORY] if ending.reason == REASON_MEMORY else [])
    return any(name in names for name in on or RETRIED_UNLESS_SAID)


def choose_pause(attempt: int, delay_s: float, backoff: float) -> float:
    """Return the seconds between attempt number `attempt`, from 1, and the next: delay x backoff^(n-1), at most 1 h."""
    try:
        return min(delay_s * backoff ** (attempt - 1), LONGEST_PAUSE_S)
    except OverflowError:
        return LONGEST_PAUSE_S
