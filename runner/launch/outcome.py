"""How a run ended: exit status, signal and stderr to outcome, reason and exit code (DESIGN section 6, RUN-36)."""

from __future__ import annotations

OK = "ok"
WARNED = "warned"
FAILED = "failed"
TIMED_OUT = "timed_out"
CANNOT_START = "cannot_start"
LOST = "lost"
SKIPPED = "skipped"
STOPPED = "stopped"

# The reasons that others ask for by name.
REASON_MEMORY = "memory"
REASON_SHUTDOWN = "shutdown"

CODE_TIMED_OUT = 124
CODE_CANNOT_EXECUTE = 126
CODE_NOT_FOUND = 127
CODE_STOPPED = 143
CODE_BUG = 70
CODE_TRY_LATER = 75

_SIGNAL_NAMES = {
    1: "HUP", 2: "INT", 3: "QUIT", 4: "ILL", 6: "ABRT", 7: "BUS", 8: "FPE", 9: "KILL", 11: "SEGV", 13: "PIPE",
    14: "ALRM", 15: "TERM", 24: "XCPU", 25: "XFSZ",
}  # fmt: skip


class CannotStart(Exception):
    """The job cannot be started; its text is the reason, `code` 126 or 127 (RUN-22)."""

    def __init__(self, reason: str, code: int = CODE_CANNOT_EXECUTE) -> None:
        super().__init__(reason)
        self.code = code


class Ending:
    """How an attempt or a run ended.

    Attributes
    ----------
    outcome, reason
        As in DESIGN section 6; the reason is one line for people, empty where the outcome says all.
    exit_code
        What the wrapper exits with (RUN-36).
    signal
        The signal that ended the job, 0 if none did.
    """

    __slots__ = ("exit_code", "outcome", "reason", "signal")

    def __init__(self, outcome: str, reason: str, exit_code: int, signal: int = 0) -> None:
        self.outcome = outcome
        self.reason = reason
        self.exit_code = exit_code
        self.signal = signal


class Stopped(Exception):
    """The run was stopped before its job could start."""


def refuse(cause: CannotStart) -> Ending:
    """Return the ending of what could not be started."""
    return Ending(CANNOT_START, str(cause), cause.code)


def judge_status(status: int, oom_kills: int | None = None) -> Ending:
    """Return the ending that a wait status alone means; `oom_kills` is the cgroup's count, None if it is not known."""
    number = status & 0x7F
    if number:
        reason = f"killed by signal {number} ({_SIGNAL_NAMES.get(number, str(number))})"
        if number == 9:
            reason += ", maybe out of memory" + ("" if oom_kills is None else f" (oom_kill {oom_kills})")
        return Ending(FAILED, reason, 128 + number, number)
    code = status >> 8
    return Ending(FAILED, f"exit {code}", code) if code else Ending(OK, "", 0)


def judge_stderr(ending: Ending, policy: str, lines: int) -> Ending:
    """Return the ending of a good run after its stderr is judged; `lines` counts the unexpected ones (ALERT-3)."""
    if ending.outcome != OK or not lines or policy == "ignore":
        return ending
    if policy == "fail":
        return Ending(FAILED, "stderr", 0)
    return Ending(WARNED, f"{lines} line{'s' if lines > 1 else ''} on stderr", 0)


def should_run(condition: str, *, failed: bool) -> bool:
    """Whether a step runs, given whether one before it failed (RUN-23)."""
    return condition == "always" or (condition == "failure") == failed
