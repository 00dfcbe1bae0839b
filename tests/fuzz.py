"""Damaged and random files for every parser: each reads them, or says in its own words why not.

``python fuzz.py [KIND...] [--count N] [--seed S] [--at NUMBER]`` plays N inputs, shared out among all kinds. Input
NUMBER of a kind follows from the seed alone, so that any one of them is played again by ``--at``; of a failure that
call is printed, with the input and the traceback.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from random import Random
from traceback import format_exc
from warnings import catch_warnings, simplefilter

import fuzz_crontab
import fuzz_fits
import fuzz_journal
import fuzz_properties
import fuzz_state
import fuzz_yaml
from fuzz_kind import Kind

KINDS = (
    *(*fuzz_yaml.KINDS, *fuzz_crontab.KINDS, *fuzz_properties.KINDS, *fuzz_journal.KINDS, *fuzz_state.KINDS),
    *fuzz_fits.KINDS,
)
SEED = 20261125
# CPU seconds: no input is longer than a few KiB.
MOST_S = 2.0


@dataclass(frozen=True, slots=True)
class Failure:
    """An input that a parser broke at, and how."""

    kind: str
    seed: int
    number: int
    data: bytes
    trouble: str

    def __str__(self) -> str:
        again = f"python tests/fuzz.py {self.kind} --seed {self.seed} --at {self.number}"
        return f"{again}\n{self.data!r}\n{self.trouble}"


def count_inputs(kind: Kind, count: int) -> int:
    """Return how many of `count` inputs are of a kind."""
    return count * kind.share // 100


def play(kind: Kind, seed: int, numbers: Iterable[int]) -> Iterator[Failure]:
    """Yield the failures among the inputs of these numbers."""
    for number in numbers:
        data = kind.make(Random(f"{seed} {kind.name} {number}"))
        begun = time.process_time()
        try:
            with catch_warnings():
                simplefilter("error")
                kind.read(data)
        except Exception:
            yield Failure(kind.name, seed, number, data, format_exc())
        if (seconds := time.process_time() - begun) > MOST_S:
            yield Failure(kind.name, seed, number, data, f"it took {seconds:.1f} s")


def main() -> int:
    """Play what the command line asks for; return how it exits."""
    names = [kind.name for kind in KINDS]
    parser = argparse.ArgumentParser(prog="fuzz", description="Damaged files for every parser.")
    parser.add_argument("kinds", nargs="*", choices=[[], *names], help=", ".join(names))
    parser.add_argument("--count", type=int, default=5_000, help="of all kinds together")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--at", type=int, metavar="NUMBER", help="only that one")
    options = parser.parse_args()
    failures = 0
    for kind in KINDS:
        if kind.name in (options.kinds or names):
            numbers = range(count_inputs(kind, options.count)) if options.at is None else [options.at]
            for failure in play(kind, options.seed, numbers):
                failures += 1
                print(failure, flush=True)
    print(f"{failures} failures")
    return min(failures, 1)


if __name__ == "__main__":
    sys.exit(main())
