"""``python -m runner.sweep --home DIR [--json]``: the housekeeping that the crontab's own line does each minute.

Without click, YAML and SQL where nothing is to do: an idle sweep costs little more than its interpreter. It is
silent when all is well, since cron mails what it says.
"""

from __future__ import annotations

import fcntl
import os
import sys
import time

from runner.errors import BUG, DONE, USER_ERROR, RunnerError
from runner.launch.gates import read_place
from runner.launch.instant import format_instant, parse_instant
from runner.launch.record import open_record, read_record, write_record
from runner.launch.state import SWEEP_ALIVE, make_state
from runner.sweep.chores import CHORES, Round, do_chore
from runner.sweep.expire import EVERY_S


def main(arguments: list[str]) -> int:
    """Do all chores once; return the exit code of the worst."""
    as_json = "--json" in arguments
    rest = [word for word in arguments if word != "--json"]
    if len(rest) != 2 or rest[0] != "--home":
        print("usage: python -m runner.sweep --home DIR [--json]", file=sys.stderr)
        return USER_ERROR
    place = read_place(os.path.realpath(rest[1]))
    make_state(place.state)
    alive = open_record(f"{place.state}/{SWEEP_ALIVE}")
    try:
        fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return DONE  # the round before this one is still at it
    expired_at = _read_expired_at(alive)
    now = time.time()
    codes = [_do(name, Round(place, now, expired_at), as_json=as_json) for name in CHORES]
    looked_at = now if now - expired_at >= EVERY_S else expired_at
    write_record(alive, [("at", format_instant(now)), ("expired_at", format_instant(looked_at))])
    return max(codes)


def _read_expired_at(alive: int) -> float:
    try:
        return parse_instant(dict(read_record(alive)).get("expired_at", ""))
    except ValueError:
        return 0.0


def _do(name: str, round_: Round, *, as_json: bool) -> int:
    """Do one chore and say what it did; trouble of the site is one line, a bug keeps its traceback."""
    try:
        did, code = do_chore(name, round_), DONE
    except RunnerError as error:
        did, code = str(error), error.exit_code
        print(f"runner sweep: {name}: {error}", file=sys.stderr)
    except Exception as error:
        import traceback

        did, code = repr(error), BUG
        traceback.print_exc()
    if as_json:
        import json

        print(json.dumps({"chore": name, "did": did or "", "code": code}))
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
