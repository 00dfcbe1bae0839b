"""What the housekeeper does, in this order; a chore that fails stops no other.

Each chore is a module of this room with two functions: ``has_work(round)`` asks cheaply, without SQL or
YAML; ``work(round)`` does it and returns one line for people, empty if in the end there was nothing to do. Its
``IDLE`` says for people what it means that there is no work.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING

from runner.errors import BUG, DONE, TRY_LATER, RunnerError
from runner.launch.gates import Place

if TYPE_CHECKING:
    from runner.sweep.post import Posting

CHORES = ("begin", "mail", "reserve", "close", "missed", "late", "drain", "snapshots", "expire", "metrics", "ping")


@dataclass(frozen=True, slots=True)
class Round:
    """One call of the housekeeper: where, when, when each chore last worked (POSIX seconds), what was said so far.

    Attributes
    ----------
    results
        What came of the chores before.
    begun
        Pings under way.
    """

    place: Place
    now: float
    worked_at: Mapping[str, float]
    said: list[str] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    begun: list[Posting] = field(default_factory=list)

    def say(self, text: str) -> None:
        """Tell ops: cron mails what the sweep writes on stderr (ALERT-8)."""
        if text:
            self.said.append(text)
            print(text, file=sys.stderr, flush=True)


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one chore.

    Attributes
    ----------
    did
        Whether there was work.
    detail
        What it did, or why it could not; of a bug the traceback.
    code
        The exit code that it means.
    """

    chore: str
    did: bool
    detail: str
    code: int

    def describe(self) -> dict[str, object]:
        """Return the fields of ``runner sweep --json``."""
        return {name: getattr(self, name) for name in self.__slots__}


def explain(result: Result) -> str:
    """Return the line of ``runner sweep --explain``: what a chore did, or why there was nothing to do."""
    if result.code != DONE:
        return f"{result.chore}: failed: {result.detail}"
    if result.did:
        return f"{result.chore}: {result.detail or 'looked, and found nothing to do'}"
    return f"{result.chore}: nothing to do: {import_module(f'runner.sweep.{result.chore}').IDLE}"


def do_chore(name: str, round_: Round) -> Result:
    """Do one chore; trouble of the site is one line, a bug keeps its traceback."""
    did = False
    try:
        chore = import_module(f"runner.sweep.{name}")
        did = chore.has_work(round_)
        return Result(name, did, chore.work(round_) if did else "", DONE)
    except RunnerError as error:
        return Result(name, did, str(error), error.exit_code)
    except OSError as error:
        return Result(name, did, f"{error.filename}: {error.strerror}", TRY_LATER)
    except Exception:
        from traceback import format_exc

        return Result(name, did, format_exc().rstrip(), BUG)
