"""Replicas of property directories are fresh, and nobody has edited them (PROF-93)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from runner.diagnose.check import WARNING, Finding
from runner.diagnose.context import Context
from runner.diagnose.words import show_span, sum_up
from runner.home.here import read_host
from runner.home.site import find_site

ID = "DIAG013"
LEVEL = WARNING
TITLE = "replicas of properties are fresh and unedited"


def find(context: Context) -> Iterator[Finding]:
    """Yield what is old and what is edited; at the master are the originals."""
    settings = context.get_settings()
    if not settings.capo.mirror or find_site(settings, read_host()) == settings.capo.master:
        return
    for directory, origin in settings.capo.mirror:
        yield from _look_at(Path(directory), origin, settings.capo.max_age_s, context.now)


def _look_at(directory: Path, origin: str, max_age_s: float, now: float) -> Iterator[Finding]:
    from runner.profiles.origins import look
    from runner.profiles.pull import find_record
    from runner.profiles.replicas import measure_lag

    pull = f"runner profile pull {directory}"
    record = find_record(directory)
    lag_s = measure_lag(record, now)
    if lag_s is None:
        yield Finding(ID, LEVEL, f"{directory} was never pulled from {origin}", pull)
        return
    if lag_s > max_age_s:
        message = f"{directory} is {show_span(lag_s)} old, at most {show_span(max_age_s)} are allowed (capo.max_age)"
        yield Finding(ID, LEVEL, message, f"why does its job fail? {pull}", f"last pulled at {record.pulled_at}")
    found = {name: seen.digest for name, seen in look(directory).items()}
    edited = sorted(name for name, digest in found.items() if not record.has_pulled(name, digest))
    if edited:
        hint = f"take the edit to {origin}; the next pull moves it to {directory}/.local"
        yield Finding(ID, LEVEL, f"{directory} was edited here", hint, sum_up(edited))
    if gone := sorted(record.files.keys() - found.keys()):
        yield Finding(ID, LEVEL, f"files of {directory} were removed here", pull, sum_up(gone))
