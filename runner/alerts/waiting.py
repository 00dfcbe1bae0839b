"""The alerts that wait in ``outbox/``, and what is remembered of them between two sweeps (ALERT-7, ALERT-11)."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from runner.launch import lines
from runner.launch.incident import FIRST, RECOVERED, REMINDER, WORSE
from runner.launch.instant import format_instant, parse_instant
from runner.launch.outbox import Entry, read_entry
from runner.launch.state import OUTBOX, read_file, write_file

DEAD = "dead"
HELD = ".held"
THREADS = ".threads"
# An alert that nobody has tried to send for so long is one that no sweep came for.
_LONG_S = 900.0
_MOST_THREADS = 1000
_KINDS = (FIRST, REMINDER, WORSE, RECOVERED)


@dataclass(frozen=True, slots=True)
class Undelivered:
    """How many alerts could not be delivered yet, since when the oldest waits (POSIX seconds), how many never will."""

    count: int
    oldest_at: float
    dead: int


def list_waiting(state: str) -> list[Path]:
    """Return the files of the alerts that wait, oldest first."""
    return sorted(path for path in Path(state, OUTBOX).glob("*.*") if is_alert(path.name))


def is_alert(name: str) -> bool:
    """Whether a file of the outbox is an alert by its name: others have theirs there, and some are half-written."""
    return name.rpartition(".")[2] in _KINDS and not name.startswith(".")


def read_waiting(state: str) -> tuple[list[Entry], list[tuple[Path, str]]]:
    """Return the alerts that wait, oldest first, and the files that are none, each with the reason."""
    entries, damaged = [], []
    for path in list_waiting(state):
        try:
            entry = read_entry(str(path))
            if entry and entry.name != path.name:
                raise ValueError("it says that it is another")
        except (OSError, ValueError) as error:
            damaged.append((path, getattr(error, "strerror", None) or str(error)))
        else:
            entries += [entry] if entry else []
    return entries, damaged


def is_due(entry: Entry, now: float) -> bool:
    """Whether an alert is to be tried now, by mail or at Slack."""
    return bool(entry.to and entry.due <= now) or (not entry.slack_done and entry.slack_due <= now)


def find_undelivered(state: str, now: float) -> Undelivered:
    """Return what `runner status` tells of mail that does not get through."""
    late = [entry for entry in read_waiting(state)[0] if entry.tries or entry.slack_tries or now - entry.at > _LONG_S]
    return Undelivered(len(late), min((entry.at for entry in late), default=0.0), count_dead(state))


def count_dead(state: str) -> int:
    """Return how many alerts somebody will never get."""
    return len(list(Path(state, OUTBOX, DEAD).glob("*")))


def read_held(state: str) -> dict[str, float]:
    """Return the groups of alerts that are held back, and until when (POSIX seconds)."""
    held = {}
    for until, group in _read_memory(state, HELD):
        with suppress(ValueError):
            held[group] = parse_instant(until)
    return held


def write_held(state: str, held: dict[str, float]) -> None:
    """Remember which groups are held back."""
    _write_memory(state, HELD, [(format_instant(until), group) for group, until in held.items()])


def read_threads(state: str) -> dict[str, str]:
    """Return the incidents that Slack knows, and the message that each began with."""
    return dict(_read_memory(state, THREADS))


def write_threads(state: str, threads: dict[str, str]) -> None:
    """Remember which incidents Slack knows, the newest of them."""
    _write_memory(state, THREADS, list(threads.items())[-_MOST_THREADS:])


def _read_memory(state: str, name: str) -> list[tuple[str, str]]:
    """Return what an earlier sweep has written down; if that is lost, something is sent that could wait."""
    try:
        return lines.decode(read_file(f"{state}/{OUTBOX}/{name}") or b"")
    except OSError:
        return []


def _write_memory(state: str, name: str, pairs: list[tuple[str, str]]) -> None:
    with suppress(OSError):  # a full disk
        if pairs or Path(state, OUTBOX, name).exists():
            write_file(f"{state}/{OUTBOX}/{name}", lines.encode(pairs), sync=False)
