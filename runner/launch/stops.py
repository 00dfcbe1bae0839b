"""The request that a run end: ``stops/<plan>``, written before the TERM that it explains (RUN-11, RUN-35).

Its lines are ``run author at reason``. A request is for the runs that it names and for no later one of the
plan, so one that is left behind harms nobody; the sweep removes it.
"""

from __future__ import annotations

import posix

from runner.launch import lines
from runner.launch.instant import format_instant
from runner.launch.state import STOPS, read_file, write_file


def write_stop(state: str, plan: str, run_id: str, author: str, reason: str, now: float) -> None:
    """Ask that a run end, or several: then `run_id` has their ids with blanks between.

    Parameters
    ----------
    author
        Who asks; empty for another run, whose `reason` says it all (``replaced by RUN``).
    now
        POSIX seconds.
    """
    pairs = [("run", run_id), ("author", author), ("at", format_instant(now)), ("reason", reason)]
    write_file(f"{state}/{STOPS}/{plan}", lines.encode(pairs))


def read_stop(state: str, plan: str, run_id: str) -> str:
    """Return why the run was asked to end, ``stopped by ana: wrong input``; empty if nobody asked it to."""
    try:
        stop = lines.decode_dict(read_file(f"{state}/{STOPS}/{plan}") or b"")
    except OSError:
        return ""  # the run ends all the same, and its reason is the signal
    author, reason = stop.get("author", ""), stop.get("reason", "")
    if run_id not in stop.get("run", "").split(" "):
        return ""
    return ": ".join(part for part in (author and f"stopped by {author}", reason) if part)


def clear_stop(state: str, plan: str, run_id: str) -> None:
    """Remove the request that named this run alone: what names others as well is still to be read by them."""
    path = f"{state}/{STOPS}/{plan}"
    try:
        if lines.decode_dict(read_file(path) or b"").get("run") == run_id:
            posix.unlink(path)
    except OSError:
        pass  # the sweep removes it
