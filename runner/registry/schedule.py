"""``when`` -> schedules: the grammar on which our parser, Debian's cron and cronie agree (CRON-1 to CRON-10)."""

from __future__ import annotations

from dataclasses import dataclass

from runner.document.faults import Faults
from runner.document.tree import Node
from runner.launch.slot import Schedule


@dataclass(frozen=True, slots=True)
class When:
    """One element of ``when``.

    Attributes
    ----------
    text
        The five fields as they are compiled: numbers without leading zeros, nicknames expanded (CRON-7).
    schedule
        What they mean; equal texts share one, so it is never changed.
    """

    text: str
    schedule: Schedule


def read_when(node: Node, faults: Faults) -> tuple[When, ...]:
    """Return the elements of ``when``, one or a list, each right in itself."""
    return ()
