"""Versions as programs tell them: found in their words, and compared number by number (PROF-43, PROF-82)."""

from __future__ import annotations

import operator
import re
from itertools import zip_longest

from runner.launch.aside import run_aside
from runner.launch.environment import find_program
from runner.launch.log import Log
from runner.launch.outcome import OK, STOPPED, CannotStart, Stopped

_TIMEOUT_S = 10.0
COMPARISONS = {
    ">=": operator.ge, "<=": operator.le, "==": operator.eq, "!=": operator.ne, ">": operator.gt, "<": operator.lt,
}  # fmt: skip
_DOTTED = re.compile(r"\d+(?:\.\d+)*")


def ask_version(program: str, command: str, environment: dict[str, str], home: str, stopper: Stopper) -> str:
    """Return the version that a program tells, empty if it tells none.

    `command` is the command line that tells it, empty for ``--version`` of the program itself. Raises Stopped if the
    run was stopped meanwhile.
    """
    import shlex

    words = shlex.split(command) or [program, "--version"]
    try:
        words[0] = find_program(words[0], environment.get("PATH", ""), home)
        attempt, ending = run_aside(words, environment, Log("", -1, 0), stopper, _TIMEOUT_S)
    except CannotStart:
        return ""
    if ending.outcome == STOPPED:
        raise Stopped
    said = attempt.out.tail or attempt.err.head
    return find_version(said.decode("utf-8", "replace")) if ending.outcome == OK else ""


def find_version(text: str) -> str:
    """Return the first dotted number in what a program says of itself, empty if there is none."""
    found = _DOTTED.search(text)
    return found[0] if found else ""


def split_comparison(text: str) -> tuple[str, str]:
    """Return comparison and version of a text like ``>=3.7.0``."""
    wanted = text.lstrip("<>=!")
    return text.removesuffix(wanted), wanted


def compare_versions(found: str, comparison: str, wanted: str) -> bool:
    """Whether a version is as wanted, number by number; missing numbers are zero."""
    pairs = list(zip_longest(_split(found), _split(wanted), fillvalue=0))
    return bool(COMPARISONS[comparison]([one for one, _ in pairs], [other for _, other in pairs]))


def _split(version: str) -> list[int]:
    return [int(number) for number in version.split(".")]


TYPE_CHECKING = False
if TYPE_CHECKING:
    from runner.launch.attempt import Stopper
