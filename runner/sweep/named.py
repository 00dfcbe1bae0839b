"""Which slots the journal names, and as what: the truth about what was started, skipped and lost (RUN-38, RUN-17)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from runner.launch.outcome import LOST
from runner.launch.records import BY_MISSED, BY_RERUN
from runner.launch.state import JOURNAL
from runner.ledger.files import list_files
from runner.ledger.record import CHECKED, Event, parse_event

_SLOT = re.compile(rb'"slot": "([^"]*)"')


@dataclass(slots=True)
class Named:
    """The slots of one plan that the journal names.

    Attributes
    ----------
    handled
        Started, or skipped for good; a missed slot that came upon a running job is tried again.
    lost
        Of runs that are closed as lost.
    rerun
        Started again after that.
    """

    handled: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)
    rerun: set[str] = field(default_factory=set)

    def add(self, event: Event) -> None:
        """Enter one event of the plan."""
        kind, slot, trigger = event["event"], event["slot"], event["trigger"]
        is_ours = trigger in (BY_MISSED, BY_RERUN)
        if kind == "end" and event["outcome"] == LOST:
            self.lost.add(slot)
        elif kind == "start" or (kind == "skip" and not (is_ours and event["reason"] == "overlap")):
            (self.rerun if trigger == BY_RERUN else self.handled).add(slot)


def find_named(state: str, slots: Mapping[str, Collection[str]]) -> dict[str, Named]:
    """Return what the journal says of these slots, by plan; it is read from the day of the oldest of them on."""
    named = {plan: Named() for plan, wanted in slots.items() if wanted}
    wanted = {slot.encode() for some in slots.values() for slot in some}
    for file in list_files(state) if wanted else []:
        if file.name < min(wanted)[:10].decode():
            continue
        with open(f"{state}/{JOURNAL}/{file.name}", "rb") as lines:
            for event in (_parse(line, wanted) for line in lines):
                if event and event["plan"] in named:
                    named[event["plan"]].add(event)
    return named


def _parse(line: bytes, wanted: set[bytes]) -> Event | None:
    found = _SLOT.search(line)
    if not found or found[1] not in wanted:
        return None
    try:
        event = parse_event(line.strip())
    except ValueError:
        return None
    return event if event["event"] in CHECKED else None
