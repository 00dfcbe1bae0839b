"""One command in the shell of a profile's setup: ``runner profile exec`` for profiles of mode ``inside`` (PROF-76)."""

from __future__ import annotations

import os
import signal
from types import FrameType

from runner.launch.activation import Activation
from runner.launch.inside import Inside
from runner.launch.outcome import CODE_CANNOT_EXECUTE, CannotStart, judge_status
from runner.launch.plan import Step

_FORWARDED = (signal.SIGTERM, signal.SIGHUP)
# The terminal sends these to both of us; what they mean is the command's affair.
_SHARED = (signal.SIGINT, signal.SIGQUIT)


def run_inside(
    activation: Activation, home: str, environment: dict[str, str], hidden: set[str], words: list[str]
) -> int:
    """Run words, aliases and functions too, with our streams and in our directory; return their exit code.

    CannotStart if the shell cannot be brought so far.
    """
    inside = Inside(activation, home, environment, hidden, [Step("success", words)])
    try:
        shell = inside.steps[0].words
        exported = {os.fsencode(name): os.fsencode(value) for name, value in environment.items()}
        child = os.posix_spawn(shell[0], shell, exported, setsigdef=[signal.SIGPIPE, signal.SIGXFSZ, *_SHARED])
        _share_signals(child)
        _, status = os.waitpid(child, 0)
        ending = inside.judge(judge_status(status), b"")
    finally:
        inside.close()
    if ending.exit_code == CODE_CANNOT_EXECUTE and ending.reason.startswith("setup: "):
        raise CannotStart(ending.reason)
    return ending.exit_code


def _share_signals(child: int) -> None:
    def forward(number: int, _: FrameType | None) -> None:
        os.kill(child, number)

    for number in _FORWARDED:
        signal.signal(number, forward)
    for number in _SHARED:
        signal.signal(number, signal.SIG_IGN)
