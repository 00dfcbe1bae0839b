"""Whether a run speaks: the health of a plan, and the one decision that changes it (ALERT-1 to ALERT-5).

A plan is healthy or has an *incident*, from the first bad run (flip) to the recovery. Mails follow the
incident, not the runs: the first at once, reminders at growing intervals, one when it becomes worse, one
when it is over. ``health/<plan>`` holds the health and the last run judged, so that none is judged twice.
"""

from __future__ import annotations

import fcntl
import posix

from runner.launch.record import decode_fields, decode_record, encode_fields, open_record, read_record, write_record
from runner.launch.state import read_file

SILENT = "silent"
FIRST = "first"
REMINDER = "reminder"
WORSE = "worse"
RECOVERED = "recovered"

# Seconds from one mail to the next reminder: 1 h, then 4 h, then every 24 h (ALERT-4).
REMINDER_AFTER_S = (3600, 4 * 3600, 24 * 3600)
# Bad again this soon after a recovery is the same incident; then recovery needs as long without a bad run (ALERT-5).
FLAPPING_S = 3600
SKIPS_IN_A_ROW = 3

BAD_OUTCOMES = ("warned", "failed", "timed_out", "cannot_start", "lost")
_MILD_OUTCOMES = ("warned", "skipped")
# What is found by the sweep and ends no run: nothing has run where something should, or a run goes on for too long.
LATE, LONG = "late", "long"


class Health:
    """The health of one plan; instants are POSIX seconds, 0 for never.

    ``incident`` is the run id that opened it, empty while healthy; the fields of a closed incident stay
    until the next one opens, since a plan that is bad again soon reopens it. ``late``, ``aged`` and ``long`` are
    what was last told as such: a slot, the instant from which the age of the last success counts, a run id.
    """

    __slots__ = (
        "aged", "bad_at", "bad_runs", "flapping", "incident", "judged", "last_incident", "late", "long", "mailed_at",
        "mild", "ok_at", "opened_at", "recovered_at", "reminders", "skips",
    )  # fmt: skip

    def __init__(self) -> None:
        self.judged = ""
        self.ok_at = 0.0
        self.skips = 0
        self.incident = ""
        self.last_incident = ""
        self.opened_at = 0.0
        self.bad_at = 0.0
        self.bad_runs = 0
        self.mild = False
        self.flapping = False
        self.mailed_at = 0.0
        self.reminders = 0
        self.recovered_at = 0.0
        self.late = self.aged = self.long = ""


def judge(health: Health, run_id: str, outcome: str, reason: str, now: float, *, by_hand: bool = False) -> str:
    """Enter one final outcome into `health` and return which mail is due, `SILENT` for none.

    A run by hand never mails and opens nothing, but its ``ok`` closes an incident; ``stopped`` and
    ``skipped`` change nothing, except that the third ``skipped: overlap`` in a row is bad (ALERT-2).
    """
    if run_id == health.judged:
        return SILENT
    health.judged = run_id
    _forget_future(health, now)
    if outcome == "ok":
        health.ok_at = now
        health.skips = 0
        return _close(health, now, quietly=by_hand)
    if by_hand:
        return SILENT
    if outcome == "skipped" and reason == "overlap":
        health.skips += 1
        opened_by_skips = health.incident and health.mild
        if health.skips < SKIPS_IN_A_ROW or (health.incident and not opened_by_skips):
            return SILENT
    elif outcome in BAD_OUTCOMES:
        health.skips = 0
    else:
        return SILENT
    if outcome == "warned" and run_id == health.long:
        health.bad_at = now  # it was told of and counted while it went on (ALERT-18)
        return SILENT
    return _worsen(health, run_id, outcome in _MILD_OUTCOMES, now)


def judge_finding(health: Health, run_id: str, what: str, mark: str, now: float) -> str:
    """Enter what the sweep has found into `health`, once for each mark, and return which mail is due (ALERT-17).

    `what` is the field that keeps the mark: ``late aged long``. Of a run that was judged meanwhile its end says all.
    """
    if getattr(health, what) == mark or run_id == health.judged:
        return SILENT
    _forget_future(health, now)
    verdict = _worsen(health, run_id, True, now)
    setattr(health, what, mark)
    return verdict


def enter_outcome(
    path: str, run_id: str, outcome: str, reason: str, now: float, tell: Tell | None = None, *, by_hand: bool = False
) -> tuple[Health, str, str]:
    """Judge one outcome in the health file `path`; see `enter`."""
    return enter(path, lambda health: judge(health, run_id, outcome, reason, now, by_hand=by_hand), tell)


def enter(path: str, judge_it: Callable[[Health], str], tell: Tell | None = None) -> tuple[Health, str, str]:
    """Change the health in the file `path` by a judgement, under the lock of the file.

    `tell` is called with the new health and the mail that is due, if one is, before the file says so: who is killed
    in between tells it once more, rather than never.

    Returns the new health, the mail that was due, and the flip: ``open``, ``recover`` or empty.
    """
    descriptor = open_record(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        health = decode_health(read_record(descriptor))
        was = health.incident
        verdict = judge_it(health)
        if tell and verdict != SILENT:
            tell(health, verdict)
        write_record(descriptor, encode_health(health))
    finally:
        posix.close(descriptor)
    flip = "" if health.incident == was else "open" if health.incident else "recover"
    return health, verdict, flip


def encode_health(health: Health) -> list[tuple[str, str]]:
    """Return the pairs of a health file."""
    return encode_fields(health, zero="never")


def decode_health(pairs: list[tuple[str, str]]) -> Health:
    """Return the health of a file's pairs; a torn or foreign file is an unknown health, and speaks again."""
    health = Health()
    try:
        decode_fields(health, pairs, zero="never")
    except ValueError:
        return Health()
    return health


def read_health(path: str) -> Health:
    """Return the health in a file; where there is none, or none that can be read, an unknown one."""
    try:
        return parse_health(read_file(path) or b"")
    except OSError:
        return Health()


def parse_health(data: bytes) -> Health:
    """Return the health of a file's bytes."""
    return decode_health(decode_record(data))


def _forget_future(health: Health, now: float) -> None:
    """Let nothing that was written while the clock was ahead keep a plan silent until then (FAULT-24)."""
    health.bad_at, health.mailed_at = min(health.bad_at, now), min(health.mailed_at, now)
    health.opened_at, health.ok_at = min(health.opened_at, now), min(health.ok_at, now)
    health.recovered_at = health.recovered_at if health.recovered_at <= now else 0.0


def _close(health: Health, now: float, *, quietly: bool) -> str:
    if not health.incident:
        return SILENT
    if health.flapping and now - health.bad_at < FLAPPING_S and not quietly:
        return SILENT
    health.last_incident = health.incident
    health.incident = ""
    if quietly:
        # No RECOVERED was sent that the next bad run could be too soon after: it opens a new incident, and mails.
        health.recovered_at = 0.0
        return SILENT
    health.recovered_at = health.mailed_at = now
    return RECOVERED


def _worsen(health: Health, run_id: str, mild: bool, now: float) -> str:
    health.bad_at = now
    count = run_id != health.long  # a run that was told of as long counts once, however it ends
    if not health.incident:
        if health.last_incident and now - health.recovered_at < FLAPPING_S:
            health.incident = health.last_incident
            health.flapping = True
            health.bad_runs += count
            health.mild = health.mild and mild
            return SILENT
        health.incident = run_id
        health.opened_at = now
        health.bad_runs = 1
        health.mild = mild
        health.flapping = False
        health.reminders = 0
        health.mailed_at = now
        return FIRST
    health.bad_runs += count
    if health.mild and not mild:
        health.mild = False
        health.mailed_at = now
        return WORSE
    wait_s = REMINDER_AFTER_S[min(health.reminders, len(REMINDER_AFTER_S) - 1)]
    if now - health.mailed_at < wait_s:
        return SILENT
    health.reminders += 1
    health.mailed_at = now
    return REMINDER


TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Tell = Callable[[Health, str], None]
