"""The last replaced texts of each target's crontab, and whether we made it (CRON-64, CRON-65)."""

from __future__ import annotations

from pathlib import Path

from runner.crontab.block import digest_of
from runner.errors import UserError
from runner.launch.instant import format_instant
from runner.launch.state import BACKUPS, write_file

KEPT = 10


def keep_backup(state: Path, target: str, text: bytes, now: float) -> Path:
    """Keep a text that is about to be replaced, mode 0600, and of this target's only the last ten."""
    stamp = format_instant(now).replace("-", "").replace(":", "")
    path = state / BACKUPS / f"{target}@{stamp}@{digest_of(text)}.crontab"
    write_file(str(path), text)
    for old in list_backups(state, target)[KEPT:]:
        old.unlink(missing_ok=True)
    return path


def list_backups(state: Path, target: str) -> list[Path]:
    """Return the texts that are kept of a target, the newest first."""
    return sorted((state / BACKUPS).glob(f"{target}@*.crontab"), reverse=True)


def get_backup(state: Path, target: str, number: int) -> Path:
    """Return the text that was replaced `number` changes ago, 1 being the last one; UserError if it is not kept."""
    kept = list_backups(state, target)
    if not 1 <= number <= len(kept):
        raise UserError(f"of the crontab of {target} {len(kept)} replaced texts are kept in {state / BACKUPS}")
    return kept[number - 1]


def note_origin(state: Path, target: str, *, made_by_us: bool) -> None:
    """Remember whether there was no crontab at all before our block came into it."""
    mark = _origin_mark(state, target)
    if made_by_us:
        write_file(str(mark), b"there was no crontab before ours\n")
    else:
        mark.unlink(missing_ok=True)


def is_made_by_us(state: Path | None, target: str) -> bool:
    """Whether an install made this crontab; without a memory of it, no."""
    return state is not None and _origin_mark(state, target).exists()


def _origin_mark(state: Path, target: str) -> Path:
    return state / BACKUPS / f"{target}@made-by-us"
