"""The Pythons of this machine in which a job's script may run: ours, the system's, and others that PATH has."""

from __future__ import annotations

import subprocess
import sys
from shutil import which

OLDEST = (3, 8)


def find_pythons() -> list[str]:
    """Return the interpreters that start and are not too old, each version once."""
    names = [sys.executable, "/usr/bin/python3", *[f"python3.{minor}" for minor in range(OLDEST[1], 16)]]
    found: dict[str, str] = {}
    for path in filter(None, map(which, names)):
        said = subprocess.run([path, "-c", "import sys; print(sys.version)"], capture_output=True, text=True)
        if said.returncode == 0:
            found.setdefault(said.stdout, path)
    return list(found.values())
