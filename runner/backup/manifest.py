"""The form of a backup: a tar archive, compressed by gzip, whose first member says whose state follows.

All else stands below ``state/`` by its path in the state directory, regular files and directories only.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from runner.database.database import hide_password
from runner.home.here import find_database, find_state, read_host
from runner.home.settings import read_settings
from runner.launch.gates import name_release
from runner.launch.instant import format_slot
from runner.launch.state import DATABASE

FORMAT = 1
MANIFEST = "manifest.json"
STATE = "state"


@dataclass(frozen=True, slots=True)
class Manifest:
    """Whose state a backup holds, and of when.

    Attributes
    ----------
    name, host, state
        Of the home, the host and the path of its state directory.
    taken_at
        Instant at which it was begun, in UTC.
    release
        The commit in use then, ``-`` if the home was no release.
    ledger
        URL of the ledger, without password.
    has_ledger, has_logs
        Whether they are in the backup.
    """

    name: str
    host: str
    state: str
    taken_at: str
    release: str
    ledger: str
    has_ledger: bool
    has_logs: bool

    def encode(self) -> bytes:
        """Return the bytes of the member."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1).encode() + b"\n"


def make_manifest(home: Path, now: float, *, has_logs: bool) -> Manifest:
    """Return the manifest of a backup of a home's state that begins now (POSIX seconds)."""
    settings = read_settings(home)
    state, ledger = find_state(settings), find_database(settings)
    kept = state / DATABASE
    return Manifest(
        name=settings.name,
        host=read_host(),
        state=str(state),
        taken_at=format_slot(int(now)),
        release=name_release(os.path.realpath(home)),
        ledger=hide_password(ledger),
        has_ledger=ledger == f"sqlite:///{kept}" and kept.exists(),
        has_logs=has_logs,
    )


def decode_manifest(data: bytes) -> Manifest:
    """Return what the member says; ValueError, with the reason, if it is not of a backup that we can read."""
    try:
        fields = dict(json.loads(data))
        if fields.pop("format") != FORMAT:
            raise ValueError("a newer runner has written it")
        return Manifest(**fields)
    except (TypeError, KeyError):
        raise ValueError("its manifest is none of ours") from None
