"""Which files a run has brought: ``product`` events of the journal, drained into the ledger."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass

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
        Of its bytes; the digest is ``sha256:HEX``.
    source
        Whence it came, without a password.
    """

    path: str
    size_bytes: int
    digest: str
    source: str


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


def record_product(maker: Maker, product: Product) -> None:
    """Append a product of a run; OSError if that cannot be.

    It is on the disk when the run's ``end`` is, which follows it in the same file and is synced.
    """
    event: dict[str, Value] = {
        "event": "product",
        "at": format_instant(time.time()),
        "run_id": maker.run_id,
        "seq": make_seq(product),
        "job": maker.job,
        "plan": maker.plan,
        "path": product.path,
        "size_bytes": product.size_bytes,
        "digest": product.digest,
        "source": product.source,
    }
    append_event(f"{maker.state}/{JOURNAL}", event, sync=False)


def make_seq(product: Product) -> int:
    """Return the number of a product among the events of its run: the same product is one event, however often told."""
    name = f"{product.path}\0{product.digest}".encode("utf-8", "surrogateescape")
    number = int.from_bytes(hashlib.sha256(name).digest()[:8])
    return LOST_SEQ + 1 + number % (_MOST - LOST_SEQ)
