"""The clock was not put back, and this host knows the zones that jobs name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from runner.diagnose.check import ERROR, Finding
from runner.diagnose.context import Context
from runner.diagnose.words import show_span, sum_up
from runner.launch.instant import format_slot, parse_instant
from runner.launch.state import JOURNAL, SWEEP_ALIVE
from runner.ledger.files import list_files
from runner.plans.zone import is_same_zone, read_host_zone, read_rules

ID = "DIAG017"
LEVEL = ERROR
TITLE = "the clock is right, and the zones are known"

_SLACK_S = 120.0
_TAIL_BYTES = 8192
_AT = re.compile(rb'"at": "([^"]*)"')


def find(context: Context) -> Iterator[Finding]:
    """Yield records of the future, and zones that are not this host's, or not known here."""
    newest_at = _find_newest(context.state)
    if newest_at > context.now + _SLACK_S:
        message = f"the clock was put back by {show_span(newest_at - context.now)}, or was wrong before"
        seen = f"the newest record is of {format_slot(int(newest_at))}, it is {format_slot(int(context.now))}"
        yield Finding(ID, LEVEL, message, "set it by NTP: no slot that was started is started again until then", seen)
    zone = read_host_zone()
    if context.target and context.target.timezone and not is_same_zone(context.target.timezone, zone):
        message = f"this host is in {zone}, its target in {context.target.timezone}: cron goes by the host's"
        yield Finding(ID, LEVEL, message, "see timezone: in envs/site.yaml, or timedatectl set-timezone")
    zones = {one.job.timezone for one in context.list_planned()} if context.loaded else set()
    if unknown := sorted(name for name in zones if name and not read_rules(name)):
        hint = "install tzdata (and tzdata-legacy): their jobs do not run"
        yield Finding(ID, LEVEL, "this host does not know the zones of some jobs", hint, sum_up(unknown))


def _find_newest(state: Path) -> float:
    """Return the instant of what was written last, POSIX seconds."""
    alive = state / SWEEP_ALIVE
    newest = alive.stat().st_mtime if alive.exists() else 0.0
    for file in list_files(str(state))[-1:]:
        with open(state / JOURNAL / file.name, "rb") as lines:
            lines.seek(max(file.size_bytes - _TAIL_BYTES, 0))
            for text in _AT.findall(lines.read()):
                with suppress(ValueError):  # of a damaged line
                    newest = max(newest, parse_instant(text.decode()))
    return newest
