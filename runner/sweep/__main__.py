"""``python -m runner.sweep --home DIR [--json]``: the housekeeping that the crontab's own line does each minute.

Without click, YAML and SQL where nothing is to do: an idle sweep costs little more than its interpreter. It is
silent when all is well, since cron mails what it says.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import suppress

from runner.errors import DONE, TRY_LATER, USER_ERROR
from runner.launch.gates import Place, read_place
from runner.launch.instant import format_instant, parse_instant
from runner.launch.lock import take_lock
from runner.launch.record import open_record, read_record, write_record
from runner.launch.state import SWEEP_ALIVE, make_state
from runner.sweep.chores import CHORES, Result, Round, do_chore
from runner.sweep.trouble import choose_message, describe_trouble


def main(arguments: list[str], *, is_watched: bool = True) -> int:
    """Do all chores once and return the exit code of the worst; who watches is told of every trouble."""
    as_json = "--json" in arguments
    rest = [word for word in arguments if word != "--json"]
    if len(rest) != 2 or rest[0] != "--home":
        print("usage: python -m runner.sweep --home DIR [--json]", file=sys.stderr)
        return USER_ERROR
    place = read_place(os.path.realpath(rest[1]))
    if place.fault:
        print(f"runner sweep: {place.fault}", file=sys.stderr)
        return USER_ERROR
    try:
        return max([_report(place, result, is_watched, as_json) for result in sweep(place, time.time())], default=DONE)
    except OSError as error:
        print(f"runner sweep: {error.filename or place.state}: {error.strerror}", file=sys.stderr)
        return TRY_LATER


def _report(place: Place, result: Result, is_watched: bool, as_json: bool) -> int:
    """Say what came of a chore, as far as anybody wants to know; return its exit code."""
    message = choose_message(place.state, result, time.time())
    if is_watched and result.code != DONE:
        message = describe_trouble(result)
    if message:
        print(message, file=sys.stderr)
    if as_json:
        _print_json(result)
    return result.code


def sweep(place: Place, now: float) -> Iterator[Result]:
    """Do the chores in order and yield what came of each; nothing if another sweep is still at it."""
    make_state(place.state)
    alive = open_record(f"{place.state}/{SWEEP_ALIVE}")
    try:
        if take_lock(alive):
            yield from _do_chores(place, now, alive)
    finally:
        os.close(alive)


def _do_chores(place: Place, now: float, alive: int) -> Iterator[Result]:
    worked_at = _read_instants(alive, now)
    round_ = Round(place, now, worked_at)
    for name in CHORES:
        result = do_chore(name, round_)
        if result.did and result.code == DONE:
            worked_at[name] = now
        yield result
    with suppress(OSError):  # a full disk: `reserve` has told of it
        write_record(alive, [(name, format_instant(at)) for name, at in worked_at.items()])


def _read_instants(alive: int, now: float) -> dict[str, float]:
    try:
        # What was done in a future that a clock set back has taken away is done now.
        return {name: min(parse_instant(text), now) for name, text in read_record(alive)}
    except ValueError:
        return {}


def _print_json(result: Result) -> None:
    import json

    print(json.dumps(result.describe()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], is_watched=False))
