"""A command whose words are read as pycapo's are: by argparse, from the options that click has declared (CAPO-1).

The two differ where scripts may notice: abbreviated options, ``-1`` as a key, an option that lacks its value.
Help, completion and choices stay click's.
"""

from __future__ import annotations

import argparse
from typing import NoReturn

import click


class PycapoCommand(click.Command):
    """The command, and its help in the form that pycapo's has."""

    usage = ""

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the line of usage."""
        formatter.write_usage(ctx.command_path, self.usage, "usage: ")

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the words; completion, which has but half of them, asks click alone."""
        if not ctx.resilient_parsing:
            args = self._spell_out(ctx, args)
        return super().parse_args(ctx, args)

    def _spell_out(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Return the words in the one form that click and argparse read alike."""
        reader = _Reader(ctx)
        options = [one for one in self.get_params(ctx) if isinstance(one, click.Option)]
        for option in options:
            action = "help" if "--help" in option.opts else "store_true" if option.is_flag else "store"
            reader.add_argument(*option.opts, dest=option.name, action=action)
        reader.add_argument("keys", nargs="*")
        found = vars(reader.parse_args(args))
        words = []
        for option in options:
            value, name = found.get(str(option.name)), max(option.opts, key=len)
            if value is not None and value is not False:
                words.append(name if value is True else f"{name}={value}")
        return [*words, "--", *found["keys"]]


class _Reader(argparse.ArgumentParser):
    """An argparse that tells click what is wrong, and leaves the help to it."""

    def __init__(self, ctx: click.Context) -> None:
        super().__init__(add_help=False)
        self._ctx = ctx

    def print_help(self, file: object = None) -> None:
        click.echo(self._ctx.get_help())

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        self._ctx.exit(status)

    def error(self, message: str) -> NoReturn:
        raise click.UsageError(message, self._ctx)
