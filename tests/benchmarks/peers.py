"""Programs that the archive is measured against, in a virtual environment of their own: none is ours to need."""

from __future__ import annotations

import subprocess
import venv
from pathlib import Path

PEERS = ("awscli==1.46.3", "ccdproc==2.5.1", "parfive==2.3.1")
_PLACE = Path(__file__).parents[2] / ".venv-peers"


def find_peers() -> Path:
    """Return the ``bin`` directory with the peers; installing them happens once."""
    stamp = _PLACE / "installed"
    if not stamp.exists() or stamp.read_text() != repr(PEERS):
        venv.create(_PLACE, with_pip=True, clear=True)
        pip = [_PLACE / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", *PEERS]
        subprocess.run(pip, check=True, stderr=subprocess.DEVNULL)
        stamp.write_text(repr(PEERS))
    return _PLACE / "bin"
