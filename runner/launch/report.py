"""The text of an alert: its subject, whose form is fixed for ever, and a body worth reading (ALERT-13, ALERT-15)."""

from __future__ import annotations

from runner.launch.incident import FIRST, LONG, RECOVERED, REMINDER, WORSE, Health
from runner.launch.instant import format_slot
from runner.launch.journal import Value
from runner.launch.scrub import scrub_text
from runner.launch.stream import Stream

_SUBJECT_CHARACTERS = 120
_STDOUT_LINES = 20
_FIRST_LINE_BYTES = 200
# Control characters and stray bytes grow when they are made visible; the body has 64 KiB in all (ALERT-14).
_STDERR_BYTES = 48 << 10
_DID = {
    "warned": "ended well, but with warnings",
    "failed": "failed",
    "timed_out": "was ended",
    "cannot_start": "could not start",
    "lost": "was lost",
    "skipped": "was skipped",
    "late": "is late",
    "long": "takes long",
    "ok": "ended well",
}
_FIRST = {"warned": "First warning", "skipped": "First of this", "late": "First of this", "long": "First of this"}


def compose(
    end: dict[str, Value], health: Health, alert: str, streams: tuple[Stream, Stream] | None
) -> tuple[str, str]:
    """Return subject and body of the alert about a run.

    Parameters
    ----------
    end
        The run's ``end`` event, or its ``skip`` or ``start`` event with ``outcome``; where there is no run what would
        name it, and the command to ``see`` more.
    health, alert
        The plan's health after this run, and which alert is due.
    streams
        stderr and stdout of the run; None if it had none.
    """
    explained = _explain(str(end["outcome"]), health, alert)
    parts = [_describe(end, health), *_show_streams(streams, end.get("log")), *_show_facts(end), explained]
    return scrub_text(make_subject(end, health, alert)), scrub_text("\n".join(parts) + "\n")


def make_subject(end: dict[str, Value], health: Health, alert: str) -> str:
    """Return ``OUTCOME plan [profile] cause``: ASCII, one line, at most 120 characters."""
    name = f"{end['plan']} [{end['profile']}]"
    word = str(end["outcome"]).upper()
    if alert == RECOVERED:
        text = f"RECOVERED {name} after {_count(health.bad_runs, 'failure')} in {_format_span(health)}"
    elif alert == REMINDER:
        since = format_slot(int(health.opened_at))[11:16]
        flapping = ", flapping" if health.flapping else ""
        text = f"STILL {word} {name} {health.bad_runs} times since {since}Z{flapping}"
    else:
        text = f"{word} {name} {end['reason']}"
    return clean(text).encode("ascii", "backslashreplace").decode()[:_SUBJECT_CHARACTERS]


def name_first_line(end: dict[str, Value], streams: tuple[Stream, Stream] | None) -> str:
    """Return what the stderr of a run begins with, else its reason: what the runs of a storm have in common."""
    said = decode_output(streams[0].head[:_FIRST_LINE_BYTES]) if streams else []
    return next((line.strip() for line in said if line.strip()), scrub_text(clean(str(end["reason"]))))


def clean(text: str) -> str:
    """Return `text` with control characters shown and not acted on; tabs and newlines too."""
    return "".join([c if c.isprintable() else f"\\x{ord(c):02x}" for c in text])


def decode_output(data: bytes) -> list[str]:
    """Return the lines of a job's output as a mail shows them: progress bars in their last state (RUN-30)."""
    lines = data.decode("utf-8", "backslashreplace").split("\n")
    if lines and not lines[-1]:
        lines.pop()
    return [clean(line.rstrip("\r").rpartition("\r")[2].replace("\t", "    ")) for line in lines]


def _describe(end: dict[str, Value], health: Health) -> str:
    """Return the first sentence: ``download-wfc3 failed after 12.4 s: exit 3.``."""
    seconds = end.get("duration_s")
    after = f" after {seconds:.1f} s" if isinstance(seconds, float) else ""
    attempts = end.get("attempts")
    often = f", at attempt {attempts}" if isinstance(attempts, int) and attempts > 1 else ""
    often += f" {health.skips} times in a row" if end["outcome"] == "skipped" else ""
    reason = f": {clean(str(end['reason']))}" if end["reason"] else ""
    return f"{end['plan']} {_DID[str(end['outcome'])]}{after}{often}{reason}."


def _show_streams(streams: tuple[Stream, Stream] | None, log: Value) -> list[str]:
    """Return stderr, first and last part; if there was none the end of stdout."""
    if streams is None:
        return []
    err, out = streams
    if err.size:
        return _show_stderr(err, str(log))
    lines = decode_output(out.tail)[-_STDOUT_LINES:]
    if not lines:
        return ["(no output)"]
    return [f"---- no stderr; stdout, last {_count(len(lines), 'line')} ----", *lines]


def _show_stderr(err: Stream, log: str) -> list[str]:
    """Return stderr whole, or its first and last lines where it is long, in itself or when it is made visible."""
    head, tail = err.head, err.tail
    lines = decode_output(head + tail)
    if err.is_whole and _measure(lines) <= _STDERR_BYTES:
        return [f"---- stderr, {_count(len(lines), 'line')} ----", *lines]
    while True:
        # Cut at line ends; a line that is longer than all that was kept is cut where that ends.
        first = decode_output(head[: head.rfind(b"\n") + 1] or head)
        last = decode_output(tail[tail.find(b"\n") + 1 :] or tail)
        if _measure(first) + _measure(last) <= _STDERR_BYTES:
            break
        head, tail = head[: len(head) // 2], tail[len(tail) // 2 :]
    missing = max(err.lines - len(first) - len(last), 1)
    left_out = f"... {_count(missing, 'line')} left out, see log {log} ..."
    return [f"---- stderr, {_count(err.lines, 'line')} ----", *first, left_out, *last]


def _measure(lines: list[str]) -> int:
    """Return the bytes that lines take in a mail."""
    return len("\n".join(lines).encode("utf-8", "backslashreplace"))


def _show_facts(end: dict[str, Value]) -> list[str]:
    rows = [
        "---- run ----",
        f"slot {end['slot']}   profile {end['profile']}   release {end['release']}   host {end['host']}",
    ]
    again = f"again   runner run {end['job']}{_option(end)}"
    if end.get("log"):
        rows.append(f"log   {end['log']}")
        then = f"stop   runner stop {end['plan']}" if end["outcome"] == LONG else again
        rows.append(f"see   runner logs {end['run_id']}        {then}")
    elif end.get("see"):
        rows.append(f"see   {end['see']}        {again}")
    elif end.get("detail"):
        rows.append(f"held by   {clean(str(end['detail']))}")
    return rows


def _option(end: dict[str, Value]) -> str:
    return f" -P {end['profile']}" if "@" in str(end["plan"]) else ""


def _explain(outcome: str, health: Health, alert: str) -> str:
    """Return the sentence about the incident: how long, how often, what mail comes next."""
    last_ok = f"last ok {format_slot(int(health.ok_at))}" if health.ok_at else "no ok run is known"
    if alert == FIRST:
        first = _FIRST.get(outcome, "First failure")
        return f"{first}; {last_ok}. Next mail: reminder after 1 h, or recovery."
    if alert == WORSE:
        return f"Worse than before; {last_ok}. Next mail: reminder, or recovery."
    if alert == REMINDER:
        since = format_slot(int(health.opened_at))
        return f"{_count(health.bad_runs, 'bad run')} since {since}; {last_ok}. Next mail: reminder, or recovery."
    opened = format_slot(int(health.opened_at))
    return f"Bad since {opened}, {_count(health.bad_runs, 'bad run')}. No mail while it stays well."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _format_span(health: Health) -> str:
    minutes = int(max(health.recovered_at - health.opened_at, 0.0)) // 60
    return f"{minutes // 60}h{minutes % 60:02d}m"
