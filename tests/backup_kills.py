"""Kill -9 a backup or a restore at every step of its work, and see what is there.

``python backup_kills.py WORK STATE FILE EVERY`` forks a child for each n-th step that kills itself there, until one
gets through, and prints what each left as one JSON object a line: whether FILE or STATE is whole, absent, or neither.
It is a program of its own because a process with threads must not fork.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from kills import run_and_die

from runner.backup.manifest import Manifest
from runner.backup.restore import read_backup, restore_backup
from runner.backup.write import write_backup
from runner.errors import RunnerError
from runner.launch.state import DATABASE, JOURNAL

OLD = b"a backup of yesterday\n"


def run(work: str, state: Path, file: Path, every: int) -> list[dict[str, Any]]:
    """Run this program; return what it printed."""
    command = [sys.executable, __file__, work, str(state), str(file), str(every)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [json.loads(line) for line in output.splitlines()]


def make_manifest(state: Path) -> Manifest:
    """Return the manifest of a state directory whose ledger is in it."""
    ledger = f"sqlite:///{state / DATABASE}"
    return Manifest("lab", "host", str(state), "2026-11-26T12:00:00Z", "-", ledger, has_ledger=True, has_logs=True)


def digest_tree(state: Path) -> dict[str, str]:
    """Return what is in each file of a state directory but the database, and but what each restore adds."""
    files = [path for path in sorted(state.rglob("*")) if path.is_file() and not path.name.startswith(DATABASE)]
    kept = {path: path.read_bytes() for path in files if path.parent.name != JOURNAL or path.suffix != ".jsonl"}
    return {str(path.relative_to(state)): hashlib.sha256(data).hexdigest() for path, data in kept.items()}


def try_backups(state: Path, file: Path) -> Iterator[tuple[Callable[[], object], Callable[[], str]]]:
    """Yield, again and again, how to write a backup in the place of an old one, and how to see what is there."""

    def look() -> str:
        if file.read_bytes() == OLD:
            return "old"
        try:
            return "whole" if read_backup(file).files else "neither"
        except RunnerError as error:
            return str(error)

    while True:
        file.write_bytes(OLD)
        yield lambda: write_backup(make_manifest(state), file), look


def try_restores(state: Path, file: Path) -> Iterator[tuple[Callable[[], object], Callable[[], str]]]:
    """Yield, again and again, how to restore a backup, and how to see what is there."""
    write_backup(make_manifest(state), file)
    restored = state.with_name("restored")
    restore_backup(file, restored, "host")
    whole = digest_tree(restored)

    def look() -> str:
        if not restored.exists():
            return "absent"
        return "whole" if digest_tree(restored) == whole else "neither"

    while True:
        shutil.rmtree(restored, ignore_errors=True)
        yield lambda: restore_backup(file, restored, "host"), look


def main(work: str, state: str, file: str, every: str) -> None:
    """Try all steps, `every` how many of them; each is finished by a second call."""
    steps, survived = 0, False
    tries = {"backup": try_backups, "restore": try_restores}[work](Path(state), Path(file))
    while not survived:
        action, look = next(tries)
        steps += int(every)
        survived = run_and_die(action, steps)
        left = look()
        if left in ("old", "absent"):
            action()
        litter = [path.name for path in Path(file).parent.iterdir() if path.name.endswith((".tmp", ".restoring"))]
        print(json.dumps({"left": left, "then": look(), "litter": litter, "survived": survived}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
