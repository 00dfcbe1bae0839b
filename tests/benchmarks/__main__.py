"""``deploy/bench``: every figure that the project promises, measured in one run (ratios, not times).

``python tests/benchmarks [NAME...] [--long] [--json FILE]``; exits 1 if a figure does not hold. With ``--long`` the
figures that take minutes come as well, of which the tests play a twentieth.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

from measure import Figure

BENCHMARKS = (
    "launch", "stream", "profile", "with_profile", "compile", "ledger", "sweep", "mail",
    "fetch", "s3", "headers", "index", "find", "diagnose", "release",
)  # fmt: skip
LONG = ("stream", "kills", "fuzz", "fetch", "index", "release")
NAMES = tuple(dict.fromkeys((*BENCHMARKS, *LONG)))


def main() -> int:
    """Run the benchmarks that were asked for, print each figure as it comes."""
    parser = argparse.ArgumentParser(prog="deploy/bench", description="Measure what the project promises.")
    parser.add_argument("names", nargs="*", choices=[[], *NAMES], help=", ".join(NAMES))
    parser.add_argument("--long", action="store_true", help=f"also what takes minutes: {', '.join(LONG)}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures there, one object a line")
    options = parser.parse_args()
    names = options.names or NAMES
    if not options.long and (only_long := {*options.names} - {*BENCHMARKS}):
        parser.error(f"only with --long: {', '.join(sorted(only_long))}")
    figures = []
    with tempfile.TemporaryDirectory(prefix="runner-bench-") as directory:
        for figure in measure_all(names, Path(directory), is_long=options.long):
            figures.append(figure)
            print_figure(figure)
    if options.json:
        options.json.write_text("".join(json.dumps({**asdict(f), "holds": f.holds}) + "\n" for f in figures))
    return 0 if all(figure.holds for figure in figures) else 1


def measure_all(names: Sequence[str], directory: Path, *, is_long: bool) -> Iterator[Figure]:
    """Yield the figures of benchmarks, in their order."""
    wanted = [("run_benchmarks", name) for name in BENCHMARKS] + [("run_long", name) for name in LONG if is_long]
    for function, name in wanted:
        if name in names:
            place = directory / f"{function}-{name}"
            place.mkdir()
            yield from getattr(import_module(f"{name}_bench"), function)(place)


def print_figure(figure: Figure) -> None:
    """Print one figure: its value, its limit, and whether it holds."""
    sign = ">=" if figure.at_least else "<="
    verdict = "holds" if figure.holds else "DOES NOT HOLD"
    print(
        f"{figure.name:<44} {figure.value:>10.2f} {sign} {figure.limit:<8g} {figure.unit:<16} {verdict:<14}"
        f" {figure.detail}",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
