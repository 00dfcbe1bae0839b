"""What must hold of a crontab whatever the daemon accepts (CRON-12 to 14, 23 to 26, 28, 46). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from runner.crontab.block import split_lines
from runner.crontab.dialects import CRONIE, Dialect
from runner.crontab.entry import FIELD_STARTS

LINE_BYTES = 900
COMMENT_BYTES = 100
TABLE_LINES = 10_000
TABLE_BYTES = 1 << 20
ENTRIES = 5_000
SETTINGS = 1_000

_FIELDS = r"[0-9*][0-9*/,-]*(?: [0-9*][0-9*/,-]*){4}"
_CALL = r"/[A-Za-z0-9_./:@=+*,-]+ (?:--sweep|[a-z0-9][a-z0-9_-]*(?:@[A-Za-z0-9_.-]+)?)"
_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_PATH = re.compile(r"/[A-Za-z0-9_./:@=+*,-]+")
# Past "releases", only the link to the current one survives a switch (CRON-13).
_RELEASE = re.compile(r"/releases/(?!current(?:/|$))[^/]+|/[0-9a-f]{40}(?:/|$)")

# Nothing else is ever set: cron mails every setting along in X-Cron-Env headers (CRON-23, SEC-8).
_ADDRESS = r"[A-Za-z0-9][A-Za-z0-9!:%._+=/-]*(?:@[A-Za-z0-9!:%._+=/-]*)?"
FIXED_SETTINGS = ("SHELL=/bin/sh", "PATH=/usr/bin:/bin")
CONTENT_TYPE = 'CONTENT_TYPE="text/plain; charset=UTF-8"'
_MAILTO = re.compile(rf'MAILTO="{_ADDRESS}(?:,{_ADDRESS})*"')

_ASSIGNMENT = re.compile(rb"""[ \t]*(?:"([^"]*)"|'([^']*)'|([^\s=#'"][^\s=]*))[ \t]*=""")
_IN_THE_WAY = re.compile(r"CRON_TZ|RANDOM_DELAY")
_RISKY = re.compile(r"LD_.*|PYTHON.*|BASH_ENV")


def find_path_fault(path: str) -> str:
    """Return why a wrapper cannot be called from a crontab, or an empty text (CRON-12, CRON-13)."""
    if not _PATH.fullmatch(path):
        return f"{path}: a crontab line takes an absolute path of only A-Z a-z 0-9 _ . / : @ = + * , -"
    if _RELEASE.search(path):
        return f"{path} lies in one release and would be gone after the next; use the link to the current one"
    return ""


def find_line_faults(lines: Iterable[str], column: str = "") -> list[str]:
    """Return what is wrong with lines between our markers; they come without their newlines.

    ``column`` is whom each line names in a system crontab; empty in a user's, which has no such column (CRON-46).
    """
    if column and not _USER.fullmatch(column):
        return [f'the login "{column}" cannot stand in a system crontab: letters, digits, _ . - only']
    entry = re.compile(f"{_FIELDS} {re.escape(column) + ' ' if column else ''}{_CALL}")
    return [fault for line in lines if (fault := _find_line_fault(line, entry))]


def find_table_faults(table: bytes, body: bytes, column: str = "") -> list[str]:
    """Return what is wrong with a whole crontab, `body` being the lines between our markers (CRON-28)."""
    ours = body.decode("ascii").splitlines()
    counts = (
        ("bytes", len(table), TABLE_BYTES),
        ("lines", len(split_lines(table)), TABLE_LINES),
        ("settings", len(read_assignments(table)), SETTINGS),
        ("lines of jobs", sum(1 for line in ours if line.startswith(FIELD_STARTS)), ENTRIES),
    )
    faults = [f"the crontab would have {n} {what}, at most {most} are safe" for what, n, most in counts if n > most]
    return faults + find_line_faults(ours, column)


def read_assignments(table: bytes) -> list[tuple[int, str]]:
    """Return line number and name of each setting in a crontab."""
    found = []
    for number, line in enumerate(split_lines(table), 1):
        if match := _ASSIGNMENT.match(line):
            name = next(group for group in match.groups() if group is not None)
            found.append((number, name.decode("utf-8", "backslashreplace")))
    return found


def find_foreign_faults(above: bytes, dialect: Dialect) -> list[str]:
    """Return the foreign settings above our block that would move or delay its slots (CRON-23)."""
    if dialect is not CRONIE:
        return []
    return [
        f"line {number}: {name} would move the slots of every line below it, ours too; take it out"
        for number, name in read_assignments(above)
        if _IN_THE_WAY.fullmatch(name)
    ]


def find_foreign_warnings(above: bytes) -> list[str]:
    """Return the foreign settings above our block that change how programs start (CRON-23)."""
    return [
        f"line {number}: {name} is in force for our lines too; the wrapper starts under it"
        for number, name in read_assignments(above)
        if _RISKY.fullmatch(name)
    ]


def _find_line_fault(line: str, entry: re.Pattern[str]) -> str:
    if line.startswith("#"):
        if len(line) > COMMENT_BYTES or not (line.isascii() and line.isprintable()):
            return f"a comment is more than {COMMENT_BYTES} printable ASCII characters: {line[:60]}..."
    elif len(line) > LINE_BYTES:
        return f"a line has {len(line)} bytes, at most {LINE_BYTES} are safe: {line[:60]}..."
    elif not (line in (*FIXED_SETTINGS, CONTENT_TYPE) or _MAILTO.fullmatch(line) or entry.fullmatch(line)):
        return f"not a line that cron reads as it is meant: {line}"
    return ""
