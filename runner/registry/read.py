"""``jobs/*.yaml`` -> jobs: all files, and all mistakes of all of them in one go."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from runner.document.collector import collector_off
from runner.document.faults import Faults, Wrong, check_faults, suggest
from runner.document.fields import entries_of
from runner.document.parse import parse_document
from runner.document.tree import Mapping, Node, Scalar, is_empty, items_of
from runner.errors import Fault
from runner.registry.job import JOB, Job, Source, job_id
from runner.registry.schedule import explain_days, find_uneven_steps, spread

if TYPE_CHECKING:
    from collections.abc import Mapping as AnyMapping
    from typing import Any

JOBS = "jobs"
_SECTIONS = ("defaults", "jobs")
_MERGED = ("env", "secrets")


@dataclass(frozen=True, slots=True)
class Registry:
    """What ``jobs/`` holds.

    Attributes
    ----------
    jobs
        By id. After an error only those of which enough is known to look for further mistakes.
    faults
        Errors and warnings, sorted by place.
    """

    jobs: tuple[Job, ...]
    faults: tuple[Fault, ...]


def read_registry(home: Path, now: float | None = None) -> Registry:
    """Return the registry of a home, its faults being warnings only.

    Parameters
    ----------
    now
        From when on a warning counts the next slots; the clock's time unless given.

    Raises
    ------
    FaultsFound
        With every mistake of every file.
    """
    registry = examine_registry(home, now)
    check_faults(registry.faults)
    return registry


def examine_registry(home: Path, now: float | None = None) -> Registry:
    """Return the registry of a home with all its faults, errors too: for those who look for more of them."""
    texts, unreadable = read_texts(home)
    registry = parse_registry(texts, time.time() if now is None else now)
    return replace(registry, faults=tuple(sorted((*registry.faults, *unreadable))))


def read_texts(home: Path) -> tuple[dict[str, bytes], list[Fault]]:
    """Return path below the home to bytes of each file of the registry, and what hinders reading it."""
    texts = {}
    faults = []
    try:
        names = sorted(path.name for path in (home / JOBS).iterdir())
    except OSError as error:
        return {}, [Fault(JOBS, 0, 0, "error", f"cannot be read: {error.strerror}")]
    for name in names:
        file = f"{JOBS}/{name}"
        if name.startswith(".") or not name.endswith((".yaml", ".yml")):
            continue
        if name.endswith(".yml"):
            faults.append(Fault(file, 0, 0, "warning", "is not read", f"call it {name[:-4]}.yaml"))
            continue
        try:
            texts[file] = (home / file).read_bytes()
        except OSError as error:
            faults.append(Fault(file, 0, 0, "error", f"cannot be read: {error.strerror}"))
    return texts, faults


def parse_registry(texts: AnyMapping[str, bytes], now: float) -> Registry:
    """Return the registry whose files are `texts`, with all faults."""
    jobs: dict[str, Job] = {}
    found: list[Fault] = []
    with collector_off():
        for file, data in texts.items():
            faults = Faults(file)
            for job in _parse_file(data, now, faults):
                first = jobs.setdefault(job.id, job)
                if first is not job:
                    other = f"{first.source.file}:{first.source.id.line}:{first.source.id.column}"
                    faults.error(job.source.id, f'job id "{job.id}" is given twice, first at {other}')
            found += faults.found
    return Registry(tuple(jobs[name] for name in sorted(jobs)), tuple(sorted(set(found))))


def _parse_file(data: bytes, now: float, faults: Faults) -> Iterator[Job]:
    """Yield the jobs of one file of which enough is known."""
    root = parse_document(data, faults)
    if root is None:
        return
    sections: dict[str, Node] = {}
    for key, value in _entries(root, faults):
        if key.text in _SECTIONS:
            sections[key.text] = value
        else:
            faults.error(key, f'unknown key "{key.text}"', suggest(key.text, _SECTIONS))
    defaults, base = _read_keys(sections.get("defaults", Scalar("", 1, 1, True)), faults)
    jobs = sections.get("jobs")
    for key, value in _entries(jobs, faults) if jobs else ():
        job = _parse_job(key, value, defaults, base, faults)
        if job:
            yield _finish_job(job, now, faults)


def _entries(node: Node, faults: Faults) -> list[tuple[Scalar, Node]]:
    try:
        return entries_of(node)
    except Wrong as wrong:
        faults.wrong(node, wrong)
        return []


def _read_keys(node: Node, faults: Faults) -> tuple[Mapping, dict[str, Any]]:
    """Return the map of a job or of ``defaults:`` and its values."""
    if not isinstance(node, Mapping):
        _entries(node, faults)
        return Mapping({}, node.line, node.column), {}
    return node, JOB.read(node, faults)


def _parse_job(key: Scalar, value: Node, defaults: Mapping, base: dict[str, Any], faults: Faults) -> Job | None:
    """Return a job with its defaults filled in, or None if its command or its profile is not known."""
    try:
        job_id(key.text)
    except Wrong as wrong:
        faults.wrong(key, wrong)
    entry, own = _read_keys(value, faults)
    if isinstance(value, Mapping) or is_empty(value):
        for name in JOB.missing(defaults.entries | entry.entries):
            faults.error(key, f'job "{key.text}" has no "{name}"', JOB.by_name[name].about)
    values = {**JOB.defaults, **base, **own}
    if "steps" not in values or "profile" not in values:
        return None
    for name in _MERGED:
        if name in base and name in own:
            values[name] = tuple((dict(base[name]) | dict(own[name])).items())
    return Job(key.text, Source(faults.file, key, entry, defaults), **values)


def _finish_job(job: Job, now: float, faults: Faults) -> Job:
    """Return a job with its minute chosen, after a look at what its schedules really mean."""
    if not job.when:
        return job
    shifted = []
    for when, node in zip(job.when, items_of(job.find_value("when")), strict=False):
        for sentence in find_uneven_steps(when):
            faults.warn(node, sentence)
        try:
            shifted.append(spread(when, job.id, job.spread_s) if job.spread_s else when)
        except Wrong as wrong:
            faults.wrong(node, wrong)
            continue
        days = explain_days(shifted[-1], now, job.timezone)
        if days:
            faults.warn(node, days)
    return replace(job, when=tuple(shifted)) if job.spread_s else job
