"""The page of one run in the lab notebook: what is known of it, and what its job told of itself."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from runner.ledger.record import Event
from runner.ledger.tables import Run


@dataclass(frozen=True, slots=True)
class Told:
    """A file that a job made or read: the fields of its event that are of the right type, else None."""

    path: str
    size_bytes: int | None
    digest: str | None
    source: str | None
    at: str


@dataclass(frozen=True, slots=True)
class Page:
    """One run.

    Attributes
    ----------
    packages
        Name and version of each; None if nobody knows them any more, empty where there were none.
    notes
        Instant and text.
    """

    run: Run
    packages: list[tuple[str, str]] | None
    inputs: list[Told]
    outputs: list[Told]
    notes: list[tuple[str, str]]

    def describe(self) -> dict[str, object]:
        """Return the fields of ``runner history RUN --json``: those of every run, and what only a page has."""
        named = None if self.packages is None else [{"name": name, "version": one} for name, one in self.packages]
        return {
            **self.run.describe(),
            "packages": named,
            "inputs": [asdict(one) for one in self.inputs],
            "outputs": [asdict(one) for one in self.outputs],
            "notes": [{"at": at, "text": text} for at, text in self.notes],
        }


def make_page(run: Run, packages: list[tuple[str, str]] | None, records: Iterable[str]) -> Page:
    """Return the page of a run; `records` are its events that make no run, as the journal has them."""
    events = sorted(map(json.loads, records), key=lambda event: str(event["at"]))
    told = {kind: [_make_told(one) for one in events if one["event"] == kind] for kind in ("input", "product")}
    notes = [(event["at"], str(event.get("text"))) for event in events if event["event"] == "note"]
    return Page(run, packages, told["input"], told["product"], notes)


def _make_told(event: Event) -> Told:
    """Return a file from an event that any job can have written, in any form."""
    size_bytes, digest, source = event.get("size_bytes"), event.get("digest"), event.get("source")
    return Told(
        path=str(event.get("path")),
        size_bytes=size_bytes if isinstance(size_bytes, int) else None,
        digest=digest if isinstance(digest, str) else None,
        source=source if isinstance(source, str) else None,
        at=event["at"],
    )
