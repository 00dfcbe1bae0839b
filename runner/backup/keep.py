"""Backups in one directory: their names, and how many are kept."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from runner.backup.manifest import Manifest
from runner.launch.state import TEMPORARY

_SUFFIX = ".tar.gz"
_STAMP = "[0-9]" * 8 + "T" + "[0-9]" * 6 + "Z"
# No backup takes longer.
_TEMPORARY_KEEP_S = 86400.0


def name_backup(manifest: Manifest) -> str:
    """Return the name of a backup in a directory of many: whose it is, and when it was taken; it sorts by time."""
    stamp = manifest.taken_at.replace("-", "").replace(":", "")
    return f"{_begin(manifest)}{stamp}{_SUFFIX}"


def remove_older(directory: Path, manifest: Manifest, keep: int, now: float) -> list[Path]:
    """Remove all but the newest `keep` backups of this home and host, and what killed ones left; return the former."""
    name = f"{_begin(manifest)}{_STAMP}{_SUFFIX}"
    old = sorted(directory.glob(name))[:-keep]
    for path in old:
        path.unlink()
    for path in directory.glob(f"{name}*{TEMPORARY}"):
        with suppress(FileNotFoundError):  # its writer has just ended
            if now - path.stat().st_mtime > _TEMPORARY_KEEP_S:
                path.unlink()
    return old


def _begin(manifest: Manifest) -> str:
    return f"{manifest.name}-{manifest.host}-"
