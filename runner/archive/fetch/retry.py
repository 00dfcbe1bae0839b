"""When a file is asked for again, and when never: pure (ARCH-4, ARCH-11)."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from runner.archive.fetch.source import Refused
from runner.archive.settings import Fetch

# A server that closes after each megabyte is followed for so many times the attempts that one gets otherwise.
_PATIENCE = 50
# An attempt that brought less has not got on.
PROGRESS_BYTES = 65536
# So many calls end with a file that is not what the source says of it: no further one asks until it changes.
CALLS_DAMAGED = 3

_BUSY = (408, 425, 429)


class Damaged(Refused):
    """What comes is not what was announced: another size, another checksum."""


class Cut(Refused):
    """The bytes stopped coming in the middle of a file, or came too slowly."""


class NoRoom(Refused):
    """The file does not fit here; asking its source again would not help."""


@dataclass(frozen=True, slots=True)
class Tries:
    """What became of one file in this call so far.

    Attributes
    ----------
    reached_bytes
        How much of it there was at most.
    in_vain
        Attempts since one got further than those before it.
    total
        All of them.
    damaged
        Those whose bytes were wrong.
    got_on
        Whether one of them got further.
    """

    reached_bytes: int = 0
    in_vain: int = 0
    total: int = 0
    damaged: int = 0
    got_on: bool = False


def count_try(tries: Tries, refused: Refused, reached_bytes: int) -> Tries:
    """Return `tries` after another attempt, which ended when there were so many bytes."""
    gets_on = reached_bytes - tries.reached_bytes >= PROGRESS_BYTES and not isinstance(refused, Damaged)
    return Tries(
        reached_bytes=max(reached_bytes, tries.reached_bytes),
        in_vain=1 if gets_on else tries.in_vain + 1,
        total=tries.total + 1,
        damaged=tries.damaged + isinstance(refused, Damaged),
        got_on=tries.got_on or gets_on,
    )


def count_calls(calls: int, tries: Tries, refused: Refused) -> int:
    """Return how many calls in a row ended with bytes that are not those announced, `calls` of them before this one."""
    is_wrong = isinstance(refused, Damaged) or (isinstance(refused, Cut) and not tries.got_on)
    return calls + 1 if is_wrong else 0 if tries.got_on else calls


def choose_wait(fetch: Fetch, tries: Tries, refused: Refused, chance: float) -> float | None:
    """Return how long to wait for the next attempt, in seconds; None if there is none in this call.

    Parameters
    ----------
    chance
        From 0 to 1: so much of a half is taken off, lest all come back at once.
    """
    if refused.is_permanent or isinstance(refused, NoRoom) or tries.damaged > 1:
        return None
    if tries.in_vain >= fetch.attempts or tries.total >= fetch.attempts * _PATIENCE:
        return None
    if refused.retry_after_s is not None:
        return min(refused.retry_after_s, fetch.longest_wait)
    wait_s = fetch.backoff * 2.0 ** min(tries.in_vain - 1, 30)
    return min(wait_s, fetch.longest_wait) * (1.0 - chance / 2.0)


def is_permanent_status(status: int) -> bool:
    """Whether an HTTP status is final: all that blame the question and not the moment (RFC 9110, section 15.5)."""
    return 400 <= status < 500 and status not in _BUSY


def parse_retry_after(text: str, now: float) -> float | None:
    """Return how long ``Retry-After`` asks to wait, in seconds: a number or a date (RFC 9110, section 10.2.3)."""
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(parsedate_to_datetime(text).timestamp() - now, 0.0)
    except ValueError:
        return None
