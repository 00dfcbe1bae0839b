"""``runner demo``: a complete small observatory."""

from __future__ import annotations

from pathlib import Path

import click

from runner.demo.play import run_demo


@click.command("demo")
@click.argument("directory", required=False, type=click.Path(file_okay=False, path_type=Path))
def demo_command(directory: Path | None) -> int:
    """Play a night of a small observatory in DIRECTORY (a new temporary one), from the registry to the mail.

    No network, no root, under a minute; nothing is written outside DIRECTORY.
    """
    return run_demo(directory)
