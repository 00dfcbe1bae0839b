"""A thousand kills at moments of chance, and whether all that is on record is true (RUN-15 to RUN-17)."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from measure import Figure, run_beside

_GAME = Path(__file__).parents[1] / "random_kills.py"
_KILLS = 1_000
_SEED = 20261125


def run_long(directory: Path) -> Iterator[Figure]:
    """Yield how many kills in a hundred leave a truthful ledger; each core has a home of its own."""
    games = os.cpu_count() or 1
    each = -(-_KILLS // games)
    commands = [
        [sys.executable, str(_GAME), str(directory / f"home-{number}"), str(_SEED + number), str(each)]
        for number in range(games)
    ]
    reports = [json.loads(text) for text in run_beside(commands)]
    kills = sum((Counter(report["kills"]) for report in reports), Counter[str]())
    outcomes = sum((Counter(report["outcomes"]) for report in reports), Counter[str]())
    untruths = [text for report in reports for text in report["untruths"]]
    print("\n".join(untruths), file=sys.stderr, end="\n" * bool(untruths))
    share = 100 * (1 - len(untruths) / kills.total())
    name = f"{kills.total():,} kills, ledger truthful"
    yield Figure(name, share, 100, "%", f"of {_list(kills)}: {_list(outcomes)}", at_least=True)


def _list(counts: Counter[str]) -> str:
    return ", ".join(f"{what} {count}" for what, count in counts.most_common())
