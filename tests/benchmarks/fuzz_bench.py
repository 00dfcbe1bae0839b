"""A hundred thousand damaged files, and how many of them a parser broke at."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from measure import Figure, run_beside

_FUZZ = Path(__file__).parents[1] / "fuzz.py"
_INPUTS = 100_000
_SEED = 1


def run_long(directory: Path) -> Iterator[Figure]:
    """Yield how many inputs were read, or refused in words."""
    workers = os.cpu_count() or 1
    each = -(-_INPUTS // workers // 100) * 100
    command = [sys.executable, str(_FUZZ), "--count", str(each), "--seed"]
    printed = run_beside([[*command, str(_SEED + number)] for number in range(workers)])
    failures = 0
    for text in printed:
        *told, last = text.splitlines()
        failures += int(last.split()[0])
        print("\n".join(told), file=sys.stderr, end="\n" * bool(told))
    inputs = each * workers
    yield Figure("damaged files without a traceback", inputs - failures, inputs, "files", at_least=True)
