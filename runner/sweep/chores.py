"""What the housekeeper does, in this order; a chore that fails stops no other.

Each chore is a module of this room with two functions: ``has_work(round)`` asks cheaply, without SQL or
YAML; ``work(round)`` does it and returns one line for people, empty if in the end there was nothing.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib import import_module

from runner.launch.gates import Place

CHORES = ("close", "drain", "expire")


@dataclass(frozen=True, slots=True)
class Round:
    """One call of the housekeeper: where, when (POSIX seconds), and when logs were last looked through (0: never)."""

    place: Place
    now: float
    expired_at: float

    def say(self, text: str) -> None:
        """Tell ops: cron mails what the sweep writes on stderr (ALERT-8)."""
        if text:
            print(text, file=sys.stderr, flush=True)


def do_chore(name: str, round_: Round) -> str | None:
    """Do one chore; return what it did, None if there was no work."""
    chore = import_module(f"runner.sweep.{name}")
    return str(chore.work(round_)) if chore.has_work(round_) else None
