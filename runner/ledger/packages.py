"""Lists of packages: each in the ledger once, whichever host made it first, and read from there or from the state."""

from __future__ import annotations

from pathlib import Path

from runner.database.database import Database
from runner.launch.packages import SUFFIX, name_packages
from runner.launch.state import SNAPSHOTS, read_file
from runner.ledger.tables import PACKAGE_LISTS


def drain_packages(database: Database, state: str) -> None:
    """Bring the lists of a state directory into the ledger; they stay where they are, too."""
    kept = {path.name.removesuffix(SUFFIX) for path in (Path(state) / SNAPSHOTS).glob(f"*{SUFFIX}")}
    if not kept:
        return
    known = {digest for (digest,) in database.read(f"SELECT digest FROM {PACKAGE_LISTS}")}
    rows = [(digest, _read_text(state, digest)) for digest in sorted(kept - known)]
    if rows:
        with database.writing():
            database.insert(PACKAGE_LISTS, ("digest", "packages"), rows, "ON CONFLICT (digest) DO NOTHING")


def find_packages(database: Database | None, state: str, digest: str) -> list[tuple[str, str]] | None:
    """Return name and version of each package of a list; None if this host and the ledger have it not."""
    rows = database.read(f"SELECT packages FROM {PACKAGE_LISTS} WHERE digest = ?", (digest,)) if database else []
    text = rows[0][0] if rows else _read_text(state, digest)
    pairs = [line.partition(" ") for line in text.splitlines()]
    return [(name, version) for name, _, version in pairs] or None


def _read_text(state: str, digest: str) -> str:
    if not digest.isalnum():  # an event is what the job's account made it, and this becomes part of a path
        return ""
    data = read_file(name_packages(state, digest)) or b""
    return data.decode("utf-8", "backslashreplace").replace("\0", "")
