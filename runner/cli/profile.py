"""``runner profile``: which commands there are; each one's module is imported when it is called."""

from __future__ import annotations

from importlib import import_module

import click

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


class _ProfileGroup(click.Group):
    """A group whose commands stand in `_MODULES`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands."""
        return list(_MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command; its module is imported now."""
        if cmd_name not in _MODULES:
            return None
        module = import_module(f"runner.cli.{_MODULES[cmd_name]}")
        return getattr(module, f"{cmd_name}_command")  # type: ignore[no-any-return]


@click.group("profile", cls=_ProfileGroup)
def profile_command() -> None:
    """See, compare, capture and use profiles."""
