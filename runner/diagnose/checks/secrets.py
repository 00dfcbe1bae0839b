"""Secrets can be read, and by us alone: files of jobs, profiles, mail and Slack, settings and properties (SEC-7)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from runner.diagnose.check import ERROR, WARNING, Finding
from runner.diagnose.context import Context, list_secret_files
from runner.home.settings import SETTINGS_FILE
from runner.launch.secrets import explain_exposed, is_exposed

ID = "DIAG024"
LEVEL = ERROR
TITLE = "only we can read secrets"

_PROPERTIES = ".properties"


def find(context: Context) -> Iterator[Finding]:
    """Yield which files are open, which belong to others, and which we cannot read ourselves."""
    for path in list_secret_files(context):
        yield from _look_at(path)
    settings = context.get_settings()
    urls = {settings.database, *(target.database for target in settings.targets)}
    if any(has_password(url) for url in urls) and is_exposed(mode := (context.home / SETTINGS_FILE).stat().st_mode):
        message = f"{SETTINGS_FILE} has the password of the database, and {explain_exposed(mode)}"
        yield Finding(ID, ERROR, message, "put it into ~/.pgpass, mode 600, and take it out of the URL")
    for path in _list_property_files(context):
        mode = path.stat().st_mode
        if mode & 0o004 and _has_secret(path):
            message = f"{path} has properties that are named like secrets, and {explain_exposed(mode)}"
            yield Finding(ID, WARNING, message, "chmod o-r")


def _look_at(path: Path) -> Iterator[Finding]:
    try:
        status = path.stat()
    except OSError as error:
        yield Finding(ID, ERROR, f"the secret {path} is not there: {error.strerror}", "its jobs cannot start")
        return
    if is_exposed(status.st_mode):
        yield Finding(ID, ERROR, f"the secret {path} {explain_exposed(status.st_mode)}", f"chmod 600 {path}")
    elif status.st_uid not in (0, os.geteuid()):
        yield Finding(ID, WARNING, f"the secret {path} belongs to uid {status.st_uid}, who can change it", "chown it")
    if not os.access(path, os.R_OK):
        yield Finding(ID, ERROR, f"the secret {path} cannot be read by us", "its jobs cannot start")


def has_password(url: str) -> bool:
    """Whether a database URL has a password in it."""
    from runner.database.database import hide_password

    return hide_password(url) != url


def _list_property_files(context: Context) -> list[Path]:
    """Return the property files of the profiles that are used here."""
    from runner.launch.environment import expand_path
    from runner.launch.outcome import CannotStart

    directories = {context.home / "envs/capo", *(Path(name) for name, _ in context.get_settings().capo.mirror)}
    for text in context.get_settings().capo.path:
        try:
            directories.add(Path(context.home, expand_path(text, str(context.home))))
        except CannotStart:
            continue  # said of the profile
    return sorted({path.resolve() for one in directories for path in one.glob(f"*{_PROPERTIES}")})


def _has_secret(path: Path) -> bool:
    from runner.profiles.properties.values import is_secret_key

    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError:
        return False
    keys = [line.replace(":", "=", 1).partition("=") for line in lines if line.strip()[:1] not in ("#", ";", "!")]
    return any(sign and value.strip() and is_secret_key(key.strip()) for key, sign, value in keys)
