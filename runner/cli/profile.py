"""``runner profile``: which commands there are; each one's module is imported when it is called."""

from __future__ import annotations

import click

from runner.cli.lazy import LazyCommands

_MODULES = {
    "list": "profile_show",
    "show": "profile_show",
    "diff": "profile_show",
    "capture": "profile_show",
    "exec": "profile_use",
    "activate": "profile_use",
    "deactivate": "profile_use",
    "pull": "profile_pull",
}


@click.group("profile", commands=LazyCommands(_MODULES))
def profile_command() -> None:
    """See, compare, capture and use profiles."""
