"""``python -m runner.sweep --home DIR [--json] [--explain]``: the housekeeping of each minute, as cron asks for it.

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
from runner.sweep.chores import CHORES, Result, Round, do_chore, explain
from runner.sweep.trouble import choose_message, describe_trouble


def main(arguments: list[str], *, is_watched: bool = True) -> int:
    """Do all chores once and return the exit code of the worst; who watches is told of every trouble."""
    as_json, explains = "--json" in arguments, "--explain" in arguments
    rest = [word for word in arguments if word not in ("--json", "--explain")]
    if len(rest) != 2 or rest[0] != "--home":
        print("usage: python -m runner.sweep --home DIR [--json] [--explain]", file=sys.stderr)
        return USER_ERROR
    place = read_place(os.path.realpath(rest[1]))
    if place.fault:
        print(f"runner sweep: {place.fault}", file=sys.stderr)
        return USER_ERROR
    worst, is_busy = DONE, True
    try:
        for result in sweep(place, time.time()):
            worst, is_busy = max(worst, result.code), False
            _report(place, result, is_watched=is_watched, as_json=as_json, explains=explains)
    except OSError as error:
        print(f"runner sweep: {error.filename or place.state}: {error.strerror}", file=sys.stderr)
        return TRY_LATER
    if is_busy and (is_watched or explains):  # under cron the other one is enough
        print("runner sweep: another sweep is at work, and this one did nothing", file=sys.stderr)
        return TRY_LATER
    return worst


def _report(place: Place, result: Result, *, is_watched: bool, as_json: bool, explains: bool) -> None:
    """Say what came of a chore, as far as anybody wants to know."""
    message = choose_message(place.state, result, time.time())
    if is_watched and result.code != DONE:
        message = describe_trouble(result)
    if message:
        print(message, file=sys.stderr)
    if as_json:
        _print_json(result)
    elif explains:
        _answer(explain(result))


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
    round_ = Round(place, now, dict(worked_at))  # what was done before this round, whatever is done in it
    for name in CHORES:
        result = do_chore(name, round_)
        round_.results.append(result)
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

    _answer(json.dumps(result.describe()))


def _answer(line: str) -> None:
    """Print a line of the answer; a reader that goes away stops no sweep."""
    try:
        print(line, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], is_watched=False))
