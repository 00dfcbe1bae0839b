"""``run`` -> steps: each command line is split into words once, here, and no shell ever sees it (SEC-3)."""

from __future__ import annotations

from dataclasses import dataclass

from runner.document.faults import Faults
from runner.document.tree import Node


@dataclass(frozen=True, slots=True)
class Step:
    """One command of a run.

    Attributes
    ----------
    condition
        ``success`` (none before it failed), ``failure`` (one did) or ``always`` (RUN-23).
    words
        The command and its arguments.
    """

    condition: str
    words: tuple[str, ...]


def read_steps(node: Node, faults: Faults) -> tuple[Step, ...]:
    """Return the steps of ``run``: a command line, or a list of command lines and ``{run: ..., if: ...}``."""
    raise NotImplementedError
