"""``runner profile``: the environments of a home."""

from __future__ import annotations

import click

from runner.cli.profile_use import activate_command, deactivate_command, exec_command


@click.group("profile")
def profile_command() -> None:
    """Use a profile without a job: for one command, or in your own shell."""


profile_command.add_command(exec_command)
profile_command.add_command(activate_command)
profile_command.add_command(deactivate_command)
