"""What a job tells of itself: files that it made, files that it read, and notes.

They are events of the journal, drained into the ledger. ``runner/job.py`` writes the same ones for Python jobs.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from runner.launch.instant import format_instant
from runner.launch.journal import LOST_SEQ, Value, append_event
from runner.launch.state import JOURNAL

# The greatest sequence number that both databases have.
_MOST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Product:
    """A file that the system knows.

    Attributes
    ----------
    path
        Absolute.
    size_bytes, digest
        Of its bytes; the digest is ``sha256:HEX``. None is unknown.
    source
        Whence it came, without a password; None where the job itself made or read it.
    """

    path: str
    size_bytes: int | None
    digest: str | None
    source: str | None


@dataclass(frozen=True, slots=True)
class Maker:
    """The run that makes products.

    Attributes
    ----------
    state
        The state directory of its home.
    run_id, plan, job
        Of the run.
    """

    state: str
    run_id: str
    plan: str
    job: str


def find_maker(environ: Mapping[str, str]) -> Maker | None:
    """Return the run whose environment this is, None outside of a run."""
    state, run_id = environ.get("RUNNER_STATE"), environ.get("RUNNER_RUN_ID")
    if not state or not run_id:
        return None
    plan = environ.get("RUNNER_WORK", "").rpartition("/")[2]
    return Maker(state, run_id, plan, environ.get("RUNNER_JOB", ""))


def look_at(path: Path, *, with_digest: bool) -> Product:
    """Return what a file is now; of a directory or the like only its path is known. OSError if it is not there."""
    path = Path(os.path.abspath(path))  # noqa: PTH100
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        return Product(str(path), None, None, None)
    digest = None
    if with_digest:
        with path.open("rb") as file:
            digest = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
    return Product(str(path), status.st_size, digest, None)


def record_product(maker: Maker, product: Product, *, sync: bool = False) -> None:
    """Append a product of a run; OSError if that cannot be.

    Without `sync` it is on the disk when the run's ``end`` is, which follows it in the same file and is synced.
    """
    _append(maker, "product", f"{product.path}\0{product.digest or ''}", asdict(product), sync=sync)


def record_input(maker: Maker, product: Product) -> None:
    """Append a file that a run has read; OSError if that cannot be."""
    _append(maker, "input", f"input\0{product.path}\0{product.digest or ''}", asdict(product), sync=True)


def record_note(maker: Maker, text: str) -> None:
    """Append what a run has to say; OSError if that cannot be."""
    _append(maker, "note", f"note\0{text}", {"text": text}, sync=True)


def _append(maker: Maker, kind: str, content: str, fields: dict[str, Value], *, sync: bool) -> None:
    event: dict[str, Value] = {
        "event": kind,
        "at": format_instant(time.time()),
        "run_id": maker.run_id,
        "seq": make_seq(content),
        "job": maker.job,
        "plan": maker.plan,
        **fields,
    }
    append_event(f"{maker.state}/{JOURNAL}", event, sync=sync)


def make_seq(content: str) -> int:
    """Return the number of something told among the events of its run: the same is one event, however often told."""
    number = int.from_bytes(hashlib.sha256(content.encode("utf-8", "surrogateescape")).digest()[:8])
    return LOST_SEQ + 1 + number % (_MOST - LOST_SEQ)
