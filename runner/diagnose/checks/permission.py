"""The user may keep a crontab: crontab(1), of ``/etc/cron.allow`` and ``/etc/cron.deny``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from runner.diagnose.check import WARNING, Finding
from runner.diagnose.context import Context

ID = "DIAG007"
LEVEL = WARNING
TITLE = "the user may keep a crontab"


def find(context: Context) -> Iterator[Finding]:
    """Yield which file keeps the user from it: the lines that are there run on, and nobody can change them."""
    target = context.target
    if target is None or target.kind != "user":
        return
    allowed, denied = context.etc / "cron.allow", context.etc / "cron.deny"
    if why := find_refusal(target.user, _read_names(allowed), _read_names(denied)):
        message = f"{target.user} may not keep a crontab: no install or uninstall can work"
        yield Finding(ID, LEVEL, message, f"as root: see {allowed} and {denied}", why)


def find_refusal(user: str, allowed: frozenset[str] | None, denied: frozenset[str] | None) -> str:
    """Return why a user may not; the first of the files decides, and root always may."""
    if user == "root":
        return ""
    if allowed is not None:
        return "" if user in allowed else "cron.allow does not name the user"
    return "cron.deny names the user" if denied is not None and user in denied else ""


def _read_names(path: Path) -> frozenset[str] | None:
    try:
        return frozenset(path.read_text(errors="replace").split())
    except FileNotFoundError:
        return None
    except PermissionError:
        return None  # Debian's are for root and the group crontab alone; then the program itself tells
