"""``python ask_mast.py TIMEOUT_S ADDRESS...``: what MAST lists for each address, as a line of JSON each.

A process of its own, because astroquery reads once where its server is: when it is imported.
"""

from __future__ import annotations

import json
import sys

from runner.archive.fetch.source import Refused
from runner.archive.fetch.sources.connections import Connections
from runner.archive.fetch.sources.mast import MastSource
from runner.errors import UserError


def ask(address: str, timeout_s: float) -> dict[str, object]:
    """Return the names, sizes and addresses of what is listed, or why nothing is."""
    try:
        source = MastSource(address, timeout_s, Connections(timeout_s))
        return {"files": [(remote.name, remote.size_bytes, remote.url) for remote in source.list()]}
    except UserError as error:
        return {"mistake": str(error)}
    except Refused as refused:
        return {"refused": refused.reason, "permanent": refused.is_permanent, "down": refused.is_down}


if __name__ == "__main__":
    for address in sys.argv[2:]:
        print(json.dumps(ask(address, float(sys.argv[1]))), flush=True)
