"""A job as `runner show` prints it: each key, its value, and where that came from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from runner.document.keys import Key
from runner.document.quote import show_node
from runner.document.tree import Mapping, Node, Scalar
from runner.registry.job import JOB, Job

DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Row:
    """One key, or one variable of a map whose levels merge.

    Attributes
    ----------
    key
        As in YAML; ``env.NAME`` for a variable.
    value
        As it was written.
    origin
        ``jobs/wfc3.yaml:7:5``, the same with ``(defaults)``, or ``default``.
    """

    key: str
    value: str
    origin: str


def show_job(job: Job) -> tuple[Row, ...]:
    """Return every key of a job in the order of DESIGN section 5, the merged maps a row for each name."""
    return tuple(row for key in JOB.by_name.values() for row in _show_key(job, key))


def _show_key(job: Job, key: Key) -> Iterator[Row]:
    found = [
        (*level.entries[key.name], suffix)
        for level, suffix in ((job.source.entry, ""), (job.source.defaults, " (defaults)"))
        if key.name in level.entries
    ]
    if key.name in ("env", "secrets") and found:
        yield from _show_merged(job, key, found)
    elif found:
        name, value, suffix = found[0]
        yield Row(key.name, show_node(value), _origin(job, name, suffix))
    else:
        yield Row(key.name, key.shown, DEFAULT)


def _show_merged(job: Job, key: Key, found: list[tuple[Scalar, Node, str]]) -> Iterator[Row]:
    rows: dict[str, Row] = {}
    for _, node, suffix in reversed(found):
        for name, value in node.entries.values() if isinstance(node, Mapping) else ():
            full = f"{key.name}.{name.text}"
            rows[full] = Row(full, show_node(value), _origin(job, name, suffix))
    yield from rows.values()


def _origin(job: Job, key: Scalar, suffix: str) -> str:
    return f"{job.source.file}:{key.line}:{key.column}{suffix}"
