"""The journal: run ids, events, and how one is appended (RUN-4, RUN-13, RUN-14).

``journal/<UTC date>.jsonl`` is written by many processes at once. Each event is a single ``write()`` with
``O_APPEND`` of newline + JSON object + newline, at most 4096 bytes: a torn record spoils only itself, and
the next one still begins on a line of its own. What a full disk does not take waits in ``journal/reserve``.

Every event has ``event`` (its kind), ``at`` (UTC), ``run_id`` and ``seq`` (unique within its run).

========  =============================================================================================
kind      further fields
========  =============================================================================================
start     plan job profile slot host boot_id pid trigger started_at release plan_digest log mailto timeout_s
          account command profile_rule
attempt   attempt pid
step      attempt step exit_code signal duration_s
end       plan job profile slot host trigger release log started_at ended_at duration_s outcome reason
          exit_code signal attempts cpu_s max_rss_bytes stdout_bytes stderr_bytes environment_digest
          packages_digest alerted
skip      plan job profile slot host trigger release reason detail
wait      plan job profile slot host trigger release detail (for what; the run's ``start`` follows)
flip      plan job profile incident kind (``open recover``) outcome
audit     action job uid user sudo_user host command digest detail
product   plan job path size_bytes digest source
input     plan job path size_bytes digest source
note      plan job text
========  =============================================================================================

``trigger`` is ``cron``, ``hand``, ``missed`` or ``rerun``; ``alerted`` the kind of mail (``first reminder worse
recovered``) or empty; ``packages_digest`` names a list of `packages`. Unknown values are null. A run closed by the
sweep has its ``end`` under `LOST_SEQ`; what a job tells of itself (``product input note``) has a number above that,
made of its content. The outcome of a flip may be ``late`` or ``long`` as well, which are no ends of a run: where none
ran its id is that of the alert.
"""

from __future__ import annotations

import posix
import time

from runner.launch.scrub import scrub_text
from runner.launch.state import open_own

MAX_BYTES = 4096
# What the sweep writes about a run whose wrapper is gone: fixed, so that two sweeps write it once.
LOST_SEQ = 1_000_000

_END_KEEPS = ("plan", "job", "profile", "slot", "host", "trigger", "release", "log", "started_at")
_END_FIELDS = (
    "duration_s", "outcome", "reason", "exit_code", "signal", "attempts", "cpu_s", "max_rss_bytes", "stdout_bytes",
    "stderr_bytes", "environment_digest", "packages_digest", "alerted",
)  # fmt: skip
# What people and programs have written.
_FREE_TEXTS = ("reason", "detail", "command", "text")
_ENOSPC = 28

Value = str | int | float | bool | list[str] | None


def make_run_id(now: float, host: str, pid: int) -> str:
    """Return a run id: sortable by time, unique over hosts (RUN-4)."""
    whole, micros = divmod(round(now * 1_000_000), 1_000_000)
    stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime(whole))
    return f"{stamp}.{micros:06d}Z-{host}-{pid}"


def short_host(name: str) -> str:
    """Return a host name as it stands in run ids: its first label, ``[a-z0-9-]{1,32}``."""
    label = name.split(".", 1)[0].lower()
    return "".join([c if c.isascii() and (c.isalnum() or c == "-") else "-" for c in label])[:32] or "localhost"


def encode_event(event: dict[str, Value]) -> bytes:
    """Return newline + JSON object + newline, at most `MAX_BYTES`; the longest texts are cut with ``...``.

    Free texts have no secret that can be told by its shape (SEC-9).
    """
    free = {key: scrub_text(text) for key in _FREE_TEXTS if isinstance(text := event.get(key), str)}
    event = {**event, **free}
    record = _encode_object(event)
    while len(record) > MAX_BYTES - 2:
        longest = max(event, key=lambda key: len(_encode_value(event[key])))
        value = event[longest]
        text = " ".join(value) if isinstance(value, list) else str(value)
        cut = text[: max(len(text) // 2 - 3, 0)] + "..."
        event = {**event, longest: [cut] if isinstance(value, list) else cut}
        record = _encode_object(event)
    return f"\n{record}\n".encode("ascii")


def append_event(directory: str, event: dict[str, Value], *, sync: bool) -> None:
    """Append one event, whose ``at`` names the file; with `sync` it survives a power loss."""
    append_record(directory, str(event["at"])[:10], encode_event(event), sync=sync)


def append_record(directory: str, day: str, record: bytes, *, sync: bool) -> None:
    """Append an encoded event to the journal of a UTC day, in one ``write()``."""
    descriptor = open_own(f"{directory}/{day}.jsonl", posix.O_WRONLY | posix.O_APPEND)
    try:
        if posix.write(descriptor, record) != len(record):
            raise OSError(_ENOSPC, "No space left on device", directory)
        if sync:
            posix.fdatasync(descriptor)
    finally:
        posix.close(descriptor)


def make_end(start: dict[str, Value], seq: int, ended_at: str, **facts: Value) -> dict[str, Value]:
    """Return the ``end`` event of the run that `start` began; `facts` are the other fields of the table above."""
    unknown: dict[str, Value] = dict.fromkeys(_END_FIELDS)
    event: dict[str, Value] = {"event": "end", "at": ended_at, "run_id": start["run_id"], "seq": seq}
    kept = {key: start[key] for key in _END_KEEPS}
    return {**event, **kept, "ended_at": ended_at, **unknown, **facts}


def _encode_object(event: dict[str, Value]) -> str:
    return "{" + ", ".join([f'"{key}": {_encode_value(value)}' for key, value in event.items()]) + "}"


def _encode_value(value: Value) -> str:
    if value is None:
        return "null"
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, list):
        return "[" + ", ".join([quote(item) for item in value]) + "]"
    return repr(round(value, 6)) if isinstance(value, float) else str(value)


def quote(text: str) -> str:
    """Return a JSON string, ASCII only."""
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    from _json import encode_basestring_ascii  # the C half of json, 0.8 ms; most records do without

    # A byte that is no UTF-8 came as a lone surrogate; no database takes that or NUL: they are shown (RUN-30).
    return encode_basestring_ascii(text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00"))
