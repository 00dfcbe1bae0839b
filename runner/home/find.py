"""Which home a command is about (DESIGN section 7)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from runner.errors import UserError


def find_home(option: str | None, environ: Mapping[str, str], cwd: Path) -> Path:
    """Return the real path of the home.

    Parameters
    ----------
    option
        The value of ``--home``; else ``RUNNER_HOME`` counts if it is not empty, else the nearest directory
        upwards from `cwd` that is a home.

    Raises
    ------
    UserError
        If there is none, or what was named is none.
    """
    for name, value in (("--home", option), ("RUNNER_HOME", environ.get("RUNNER_HOME"))):
        if value:
            return _check_home(cwd / value, name)
    here = cwd.resolve()
    for directory in (here, *here.parents):
        if is_home(directory):
            return directory
    raise UserError(f'{cwd} is in no home; make one with "runner init DIR", or name it with --home')


def is_home(directory: Path) -> bool:
    """Whether a directory holds ``jobs/`` and ``envs/``."""
    return (directory / "jobs").is_dir() and (directory / "envs").is_dir()


def _check_home(directory: Path, name: str) -> Path:
    if not is_home(directory):
        raise UserError(f'{directory} ({name}) is no home: it has no jobs/ and envs/; make one with "runner init DIR"')
    return directory.resolve()
