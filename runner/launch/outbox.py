"""The outbox: alerts that wait for the sweep, which sends them (ALERT-7).

``outbox/<run_id>.<kind>`` is one alert, whole and synced before its run has an end on record, so that nothing
that ends a wrapper loses a mail. The wrapper never opens a socket; who sends what, to whom and how often it was
tried is the sweep's (``runner.alerts``), which keeps it in the same file.
"""

from __future__ import annotations

import posix
import time

from runner.launch import lines
from runner.launch.gates import Place
from runner.launch.incident import RECOVERED, Health
from runner.launch.record import decode_fields, encode_fields
from runner.launch.report import compose, name_first_line
from runner.launch.state import OUTBOX, SWEEP_ALIVE, read_file, with_state, write_file

VIA_CRON = "cron"
# A sweep comes each minute. After so long without one nobody would send what waits (ALERT-9).
_SWEPT_WITHIN_S = 600.0


class Entry:
    """One alert.

    Attributes
    ----------
    kind
        ``first reminder worse recovered``.
    incident
        The run that opened it.
    boot
        The boot at which this was found out, if it is one of the many alerts of a reboot, else empty (ALERT-17).
    subject, body
        Ready to be sent; ``first_line`` is what its stderr begins with, for a digest.
    to, tries, due
        Who is still to be mailed, how often that has failed, and when it is tried again.
    slack_done, slack_tries, slack_due
        The same of Slack.
    at, due, slack_due
        POSIX seconds; ``due`` 0 is at once.
    """

    __slots__ = (
        "at", "body", "boot", "due", "first_line", "incident", "job", "kind", "outcome", "plan", "profile", "run_id",
        "slack_done", "slack_due", "slack_tries", "subject", "to", "tries",
    )  # fmt: skip

    def __init__(self) -> None:
        self.run_id = self.kind = self.plan = self.job = self.profile = self.outcome = self.incident = self.boot = ""
        self.subject = self.first_line = self.body = ""
        self.at = self.due = self.slack_due = 0.0
        self.tries = self.slack_tries = 0
        self.slack_done = False
        self.to: list[str] = []

    @property
    def name(self) -> str:
        """The name of its file."""
        return f"{self.run_id}.{self.kind}"


def post_alert(
    place: Place, end: dict[str, Value], health: Health, kind: str, streams: Streams | None, boot: str = ""
) -> str:
    """Put the alert about a run into the outbox; return what is to be said on stderr instead, empty for nothing.

    Cron mails what the wrapper says: so it is asked for by ``mail.via: cron``, and so it is where no sweep comes by
    or the outbox cannot be written (ALERT-8, ALERT-9).

    Parameters
    ----------
    end
        As for `compose`, with the ``mailto`` of the run.
    """
    subject, body = compose(end, health, kind, streams)
    said = f"{subject}\n\n{body}"
    if place.plan.mail_via == VIA_CRON:
        return said
    if not _is_swept(place.state):
        return f"{said}\nNo sweep has come by for 10 min: cron sends this, and nothing that waits in the outbox.\n"
    entry = Entry()
    for name in ("run_id", "plan", "job", "profile", "outcome"):
        setattr(entry, name, str(end[name]))
    entry.kind, entry.at, entry.boot = kind, time.time(), boot
    entry.incident = health.last_incident if kind == RECOVERED else health.incident
    entry.subject, entry.body, entry.first_line = subject, body, name_first_line(end, streams)
    entry.to = list(end["mailto"]) if isinstance(end["mailto"], list) else []
    try:
        with_state(place.state, lambda: write_entry(place.state, entry))
    except OSError as error:
        return f"{said}\n{OUTBOX}: {error.strerror}: cron sends this.\n"
    return ""


def write_entry(state: str, entry: Entry) -> None:
    """Write an alert, or what has become of it, synced."""
    write_file(f"{state}/{OUTBOX}/{entry.name}", encode_entry(entry))


def read_entry(path: str) -> Entry | None:
    """Return the alert of a file, None if it is gone; ValueError if it is none."""
    data = read_file(path)
    return None if data is None else decode_entry(data)


def encode_entry(entry: Entry) -> bytes:
    """Return the file of an alert."""
    return lines.encode([*encode_fields(entry, zero="now"), ("end", "")])


def decode_entry(data: bytes) -> Entry:
    """Return the alert of a file's bytes; ValueError if they are none."""
    entry = Entry()
    pairs = lines.decode(data)
    if not pairs or pairs[-1] != ("end", ""):
        raise ValueError("it is torn")
    decode_fields(entry, pairs[:-1], zero="now")
    return entry


def _is_swept(state: str) -> bool:
    """Whether a sweep was here lately; one of a future that the clock was set back from does not count."""
    try:
        return abs(time.time() - posix.stat(f"{state}/{SWEEP_ALIVE}").st_mtime) < _SWEPT_WITHIN_S
    except OSError:
        return False


TYPE_CHECKING = False
if TYPE_CHECKING:
    from runner.launch.journal import Value
    from runner.launch.stream import Stream

    Streams = tuple[Stream, Stream]
