"""An alert or a digest as a mail (ALERT-12 to ALERT-16) and as a message of Slack (ALERT-19). Pure."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime

from runner.alerts.digest import BOOT, Letter
from runner.launch.incident import FIRST, LATE, RECOVERED
from runner.launch.instant import format_slot
from runner.launch.report import clean

MOST_BYTES = 64 << 10
SLACK_CHARACTERS = 3000
_SUBJECT_CHARACTERS = 120
_JOBS_CHARACTERS = 500
# RFC 5322, section 2.1.1: no line of a message is longer.
_LINE_CHARACTERS = 998


def make_message(letter: Letter, sender: str) -> EmailMessage:
    """Return the mail of a letter; nothing in an alert can become a header or a recipient (SEC-10, SEC-11)."""
    first, message = letter.entries[0], EmailMessage()
    message["From"] = sender
    message["To"] = ", ".join(letter.recipients)
    message["Subject"] = make_subject(letter)
    message["Date"] = format_datetime(datetime.fromtimestamp(first.at, UTC))
    message["Message-ID"] = _make_id(first.run_id, "digest" if letter.is_digest else first.kind)
    if not letter.is_digest and first.kind != FIRST:
        message["References"] = _make_id(first.incident, FIRST)
    message["Auto-Submitted"] = "auto-generated"
    facts = {
        "Job": sorted({entry.job for entry in letter.entries}),
        "Run": [first.run_id],
        "Outcome": sorted({entry.outcome for entry in letter.entries}),
        "Incident": [first.incident],
    }
    for name, values in facts.items():
        message[f"X-Runner-{name}"] = _make_value(" ".join(values))[:_JOBS_CHARACTERS]
    body = make_body(letter)
    is_plain = body.isascii() and max(map(len, body.split("\n"))) <= _LINE_CHARACTERS
    message.set_content(body, charset="utf-8", cte="7bit" if is_plain else "quoted-printable")
    return message


def make_subject(letter: Letter) -> str:
    """Return the subject: that of the one alert, or ``DIGEST 40 jobs: could not connect to server (38)``."""
    if not letter.is_digest:
        return _make_value(letter.entries[0].subject)[:_SUBJECT_CHARACTERS]
    jobs = _count(len({entry.plan for entry in letter.entries}), "job")
    if letter.kind == BOOT:
        text = f"DIGEST {_describe_boot(letter)}"
    elif letter.kind == RECOVERED:
        text = f"DIGEST {jobs} recovered"
    else:
        line, count = find_commonest(letter)
        text = f"DIGEST {jobs}: {line} ({count})"
    return _make_value(text)[:_SUBJECT_CHARACTERS]


def make_body(letter: Letter) -> str:
    """Return the text: the alert's own, or of a digest a line for each and what they have in common."""
    if not letter.is_digest:
        return _cut(letter.entries[0].body)
    first, last = letter.entries[0], letter.entries[-1]
    rows = [f"{_describe(letter)}, {format_slot(int(first.at))} to {format_slot(int(last.at))}."]
    if letter.kind != RECOVERED:
        line, count = find_commonest(letter)
        rows.append(f"The commonest first line, in {count} of them: {line}")
    rows.append("---- alerts ----")
    rows += [clean(entry.subject) for entry in letter.entries]
    # What is late has no run, and so no log.
    logs = [f"runner logs {clean(entry.run_id)}" for entry in letter.entries if entry.outcome != LATE]
    rows += ["---- runs ----", *logs] if logs else []
    rows.append("How all stand: runner status. What follows in the next 10 min comes as one more digest.")
    return _cut("\n".join(rows) + "\n")


def make_slack_text(letter: Letter) -> str:
    """Return the text for Slack, its three special characters escaped, at most 3,000 characters."""
    head, foot = f"*{_escape(make_subject(letter))}*\n```", "```"
    room = SLACK_CHARACTERS - len(head) - len(foot)
    body = ""
    for line in make_body(letter).split("\n"):
        # A fence of the body's own would end ours.
        line = _escape(line).replace("```", "'''") + "\n"
        if len(body) + len(line) > room:
            break
        body += line
    return f"{head}{body.rstrip()}{foot}" if body.strip() else head.removesuffix("\n```")


def find_commonest(letter: Letter) -> tuple[str, int]:
    """Return the commonest first line of stderr, its digits blanked, and how many alerts have it."""
    lines = Counter(re.sub(r"\d+", "#", entry.first_line) for entry in letter.entries if entry.first_line)
    line, count = (lines.most_common(1) or [("(no output)", len(letter.entries))])[0]
    return clean(line), count


def _describe(letter: Letter) -> str:
    if letter.kind == BOOT:
        return _describe_boot(letter)
    alerts = _count(len(letter.entries), "alert")
    jobs = _count(len({entry.plan for entry in letter.entries}), "job")
    return f"{jobs} recovered" if letter.kind == RECOVERED else f"{alerts} of {jobs}"


def _describe_boot(letter: Letter) -> str:
    """Return ``3 runs lost, 2 slots missed at reboot``."""
    lost = sum(entry.outcome == "lost" for entry in letter.entries)
    late = len(letter.entries) - lost
    parts = [f"{_count(lost, 'run')} lost"] * bool(lost) + [f"{_count(late, 'slot')} missed"] * bool(late)
    return f"{', '.join(parts)} at reboot"


def _make_id(run_id: str, kind: str) -> str:
    """Return a Message-ID that is the same at each delivery; a run id names the host that made it."""
    host = run_id.partition("-")[2].rpartition("-")[0] or "localhost"
    return f"<{_make_word(run_id)}.{_make_word(kind)}@{_make_word(host)}>"


def _make_word(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9.-]", "_", text) or "_"


def _make_value(text: str) -> str:
    """Return `text` as a header's value: one line of visible ASCII."""
    return clean(text).encode("ascii", "backslashreplace").decode()


def _cut(text: str) -> str:
    """Return `text` at most as long as a mail may be, cut at a line's end."""
    data = text.encode("utf-8", "backslashreplace")
    if len(data) <= MOST_BYTES:
        return data.decode()
    note = b"... cut here ...\n"
    return (data[: MOST_BYTES - len(note)].rpartition(b"\n")[0] + b"\n" + note).decode("utf-8", "replace")


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
