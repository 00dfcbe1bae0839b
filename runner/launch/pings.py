"""Pings that wait for the sweep: what a watch elsewhere, like healthchecks, is to hear of the runs of a job.

``outbox/<run_id>.ping-start`` and ``.ping-end`` are left by a run whose plan has a ``ping``, and by the sweep for one
that is lost. The wrapper never opens a socket. Nothing is synced, and nobody is told of a ping that could not
be written: its absence is what the watch is there to notice.
"""

from __future__ import annotations

import time

from runner.launch import lines
from runner.launch.incident import Health
from runner.launch.instant import format_instant, parse_instant
from runner.launch.outcome import OK, SKIPPED, STOPPED, WARNED
from runner.launch.report import make_subject
from runner.launch.state import OUTBOX, read_file, write_file

START, SUCCESS, FAIL, LOG = "start", "success", "fail", "log"
SUFFIX_START, SUFFIX_END = ".ping-start", ".ping-end"
# Of all others the watch must hear that they are failures. What was asked for is none, and no success either.
_SIGNALS = {OK: SUCCESS, WARNED: SUCCESS, STOPPED: LOG, SKIPPED: LOG}


class Ping:
    """One signal about a run: ``url`` is that of the check, ``at`` POSIX seconds, ``body`` a line for people."""

    __slots__ = ("at", "body", "plan", "run_id", "signal", "url")

    def __init__(self, url: str, signal: str, plan: str, run_id: str, body: str = "") -> None:
        self.url = url
        self.signal = signal
        self.plan = plan
        self.run_id = run_id
        self.body = body
        self.at = time.time()


def leave_start(state: str, url: str, plan: str, run_id: str) -> None:
    """Leave word that a run has begun."""
    _leave(state, Ping(url, START, plan, run_id), SUFFIX_START)


def leave_end(state: str, url: str, end: dict[str, Value]) -> None:
    """Leave word how a run has ended; `end` is its ``end`` event, or its ``skip`` event with ``outcome``."""
    signal = _SIGNALS.get(str(end["outcome"]), FAIL)
    body = make_subject(end, Health(), "").rstrip()
    _leave(state, Ping(url, signal, str(end["plan"]), str(end["run_id"]), body), SUFFIX_END)


def read_ping(path: str) -> Ping | None:
    """Return the ping of a file, None if it is gone; ValueError if a power loss has torn it."""
    data = read_file(path)
    if data is None:
        return None
    pairs = lines.decode(data)
    if not pairs or pairs[-1] != ("end", ""):
        raise ValueError("it is torn")
    found = dict(pairs)
    ping = Ping(*[found.get(key, "") for key in ("url", "signal", "plan", "run_id", "body")])
    ping.at = parse_instant(found.get("at", ""))
    return ping


def _leave(state: str, ping: Ping, suffix: str) -> None:
    pairs = [(key, getattr(ping, key)) for key in Ping.__slots__ if key != "at"]
    pairs += [("at", format_instant(ping.at)), ("end", "")]
    try:
        write_file(f"{state}/{OUTBOX}/{ping.run_id}{suffix}", lines.encode(pairs), sync=False)
    except OSError:
        pass


TYPE_CHECKING = False
if TYPE_CHECKING:
    from runner.launch.journal import Value
