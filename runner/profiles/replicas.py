"""Replicas of property directories: what a pull does to each file, decided without a disk (PROF-90 to PROF-93).

The master wins, and nothing that was edited at the replica is lost: it is kept aside first.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from runner.launch.instant import format_instant, parse_instant
from runner.profiles.properties.files import SUFFIX, is_profile_name

# Beside the files of a replica; no profile can be called so.
RECORD = ".replica.json"
KEPT = ".local"

Digests = Mapping[str, str]


class Deed(StrEnum):
    """What is done to a file of the replica."""

    ADD = "add"
    """It is not there yet."""
    REPLACE = "replace"
    """It is as it was pulled, and the origin has another one."""
    OVERWRITE = "overwrite"
    """It is something else than what was pulled: kept aside, then replaced."""
    MOVE = "move"
    """The origin has none of that name: kept aside and taken away."""


@dataclass(frozen=True, slots=True)
class Step:
    """One file to be changed, and why."""

    name: str
    deed: Deed
    why: str

    @property
    def keeps(self) -> bool:
        """Whether the file that is there is kept aside."""
        return self.deed in (Deed.OVERWRITE, Deed.MOVE)


@dataclass(frozen=True, slots=True)
class Record:
    """What ``.replica.json`` says.

    Attributes
    ----------
    origin
        Where the files are from.
    pulled_at
        The end of the last good pull, empty before the first.
    files
        Name to SHA-256, as pulled.
    coming
        The same of a pull that has begun to replace files; empty once it is through.
    """

    origin: str = ""
    pulled_at: str = ""
    files: Digests = field(default_factory=dict)
    coming: Digests = field(default_factory=dict)

    def has_pulled(self, name: str, digest: str) -> bool:
        """Whether a file with that digest is from the origin, and nobody's edit."""
        return bool(digest) and digest in (self.files.get(name), self.coming.get(name))


def plan_pull(origin: Digests, replica: Digests, record: Record, left: Collection[str] = ()) -> tuple[Step, ...]:
    """Return what makes the replica a copy of its origin, by name.

    Parameters
    ----------
    origin, replica
        Name to SHA-256; empty where it is no plain file that we can read.
    left
        Names that are no plain files at the origin: of these the replica's file stays as it is.
    """
    names = sorted((origin.keys() | replica.keys()) - set(left))
    steps = [_plan_file(name, origin.get(name), replica.get(name), record) for name in names]
    return tuple(step for step in steps if step)


def _plan_file(name: str, wanted: str | None, found: str | None, record: Record) -> Step | None:
    if wanted == found:
        return None
    if found is None:
        return Step(name, Deed.ADD, "somebody deleted it here" if name in record.files else "new at the origin")
    is_pulled = record.has_pulled(name, found)
    if wanted is None:
        known = name in record.files or name in record.coming
        why = "deleted at the origin" if known else "never was at the origin"
        return Step(name, Deed.MOVE, why if is_pulled or not known else f"{why}, edited here")
    if is_pulled:
        return Step(name, Deed.REPLACE, "changed at the origin")
    return Step(name, Deed.OVERWRITE, "edited here" if name in record.files else "not from the origin")


def is_too_few(origin: int, replica: int, record: Record) -> bool:
    """Whether an origin has less than half the files of last time: rather a mistake there than so many deletions.

    Where no pull is on record, it is the files that are there which count.
    """
    before = len(record.files) if record.pulled_at else replica
    return 2 * origin < before


def begin_record(name: str, origin: Digests, replica: Digests, record: Record) -> Record:
    """Return what is noted before the first file is replaced: wherever the pull is broken off, each file is known."""
    ours = {name: digest for name, digest in replica.items() if record.has_pulled(name, digest)}
    return Record(name, record.pulled_at, {**record.files, **ours}, dict(origin))


def end_record(name: str, origin: Digests, left: Collection[str], record: Record, now: float) -> Record:
    """Return what is noted of a good pull."""
    kept = {name: record.files[name] for name in left if name in record.files}
    return Record(name, format_instant(now), {**kept, **origin})


def is_property_file(name: str) -> bool:
    """Whether a file of that name can have the properties of a profile (PROF-1); all others are none of ours."""
    return name.endswith(SUFFIX) and is_profile_name(name.removesuffix(SUFFIX))


def measure_lag(record: Record, now: float) -> float | None:
    """Return the age of the last good pull in seconds, None if there was none."""
    return now - parse_instant(record.pulled_at) if record.pulled_at else None


def encode_record(record: Record) -> bytes:
    """Return the text of ``.replica.json``."""
    values = {
        "origin": record.origin,
        "pulled_at": record.pulled_at,
        "files": dict(sorted(record.files.items())),
        "coming": dict(sorted(record.coming.items())),
    }
    return json.dumps(values, indent=1).encode() + b"\n"


def parse_record(data: bytes) -> Record:
    """Return what ``.replica.json`` says; ValueError if it is damaged."""
    found = json.loads(data)
    try:
        record = Record(found["origin"], found["pulled_at"], found["files"], found["coming"])
        texts = [record.origin, *record.files.values(), *record.coming.values()]
        measure_lag(record, 0.0)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(str(error)) from None
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("a digest is no text")
    return record
