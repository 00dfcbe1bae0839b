"""The format of ``pauses/<job>``: who keeps a job from being started, since when, until when and why (RUN-7).

The gate asks for the file alone; this module is imported where there is one.
"""

from __future__ import annotations

import posix

from runner.launch import lines
from runner.launch.instant import format_instant, parse_instant
from runner.launch.state import PAUSES, lock_directory, read_file, write_file


class Pause:
    """One pause: `since` and `until` are POSIX seconds, `until` 0.0 where it holds until somebody resumes."""

    __slots__ = ("author", "reason", "since", "until")

    def __init__(self, author: str, since: float, until: float = 0.0, reason: str = "") -> None:
        self.author = author
        self.since = since
        self.until = until
        self.reason = reason


def describe_pause(data: bytes, now: float) -> str:
    """Return who paused the job and why, empty if the pause has expired.

    A pause that cannot be understood counts as a pause: somebody meant one.
    """
    pause = lines.decode_dict(data)
    try:
        until, reason = pause.get("until", ""), pause.get("reason", "")
        if until and parse_instant(until) <= now:
            return ""
        named = f"by {pause['author']} since {pause['since']}" + (f" until {until}" if until else "")
        return named + (f": {reason}" if reason else "")
    except KeyError as missing:
        return f"by a pause file that names no {missing.args[0]}"
    except ValueError as error:
        return f"by a pause file that cannot be read: {error}"


def write_pause(state: str, job: str, pause: Pause) -> None:
    """Pause a job, in the place of any pause that it has."""
    pairs = [("author", pause.author), ("since", format_instant(pause.since))]
    pairs += [("until", format_instant(pause.until))] if pause.until else []
    pairs += [("reason", pause.reason)] if pause.reason else []
    lock = lock_directory(f"{state}/{PAUSES}")
    try:
        write_file(f"{state}/{PAUSES}/{job}", lines.encode(pairs))
    finally:
        posix.close(lock)


def remove_pause(state: str, job: str) -> bool:
    """Resume a job; return whether it had a pause, be it expired or damaged."""
    try:
        posix.unlink(f"{state}/{PAUSES}/{job}")
    except FileNotFoundError:
        return False
    return True


def expire_pause(state: str, job: str, now: float) -> bool:
    """Remove a pause that has expired, and no newer one that takes its place in this moment; return whether it had."""
    path = f"{state}/{PAUSES}/{job}"
    lock = lock_directory(f"{state}/{PAUSES}")
    try:
        data = read_file(path)
        if data is None or describe_pause(data, now):
            return False
        posix.unlink(path)
        return True
    finally:
        posix.close(lock)
