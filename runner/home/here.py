"""The machine and the account that we are on, and what the settings of a home say of them."""

from __future__ import annotations

import os
import pwd
import socket
from typing import TYPE_CHECKING

from runner.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

    from runner.home.settings import Settings, Target


def read_host() -> str:
    """Return this host's name, as the kernel and so the wrapper knows it."""
    return socket.gethostname()


def read_user() -> str:
    """Return the login name of whoever calls, by the password database and not the environment."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        raise UserError(f"the password database has no name for uid {os.geteuid()}: cron needs one") from None


def find_target(settings: Settings) -> Target | None:
    """Return the target of this host and user; None in a developer's clone."""
    return settings.target_here(read_host(), read_user())


def find_state(settings: Settings) -> Path:
    """Return the state directory of this host and user."""
    return settings.state_of(find_target(settings))


def find_database(settings: Settings) -> str:
    """Return the URL of the ledger of this host and user."""
    return settings.database_of(find_target(settings))
