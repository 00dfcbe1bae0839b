"""Locks work where the state directory is: else two runs of a job could overlap (FAULT-20)."""

from __future__ import annotations

from collections.abc import Iterator

from runner.diagnose.check import ERROR, Finding
from runner.diagnose.context import Context
from runner.home.locks import find_lock_trouble
from runner.launch.state import LOCKS

ID = "DIAG020"
LEVEL = ERROR
TITLE = "locks work in the state directory"


def find(context: Context) -> Iterator[Finding]:
    """Yield why locks there cannot be relied on."""
    if trouble := find_lock_trouble(context.state / LOCKS):
        hint = "write state: with a directory on a local disk into envs/site.yaml"
        yield Finding(ID, LEVEL, f"locks do not work in {context.state}: no job can start", hint, trouble)
