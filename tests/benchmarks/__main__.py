"""``deploy/bench``: every figure that the project promises, measured in one run (ratios, not times).

``python tests/benchmarks [NAME...] [--json FILE]``; exits 1 if a figure does not hold.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

BENCHMARKS = ("launch", "stream", "profile", "with_profile", "compile", "ledger")


def main() -> int:
    """Run the benchmarks that were asked for, print each figure as it comes."""
    parser = argparse.ArgumentParser(prog="deploy/bench", description="Measure what the project promises.")
    parser.add_argument("names", nargs="*", choices=[[], *BENCHMARKS], help=", ".join(BENCHMARKS))
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures there, one object a line")
    options = parser.parse_args()
    figures = []
    with tempfile.TemporaryDirectory(prefix="runner-bench-") as directory:
        for name in options.names or BENCHMARKS:
            (Path(directory) / name).mkdir()
            for figure in import_module(f"{name}_bench").run_benchmarks(Path(directory) / name):
                figures.append(figure)
                sign = ">=" if figure.at_least else "<="
                verdict = "holds" if figure.holds else "DOES NOT HOLD"
                print(
                    f"{figure.name:<44} {figure.value:>10.2f} {sign} {figure.limit:<8g} {figure.unit:<16} {verdict:<14}"
                    f" {figure.detail}",
                    flush=True,
                )
    if options.json:
        options.json.write_text("".join(json.dumps({**asdict(f), "holds": f.holds}) + "\n" for f in figures))
    return 0 if all(figure.holds for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
