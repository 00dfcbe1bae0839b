"""Where the demo plays: its directory, and the real commands it runs there before the reader's eyes."""

from __future__ import annotations

import os
import pwd
import shlex
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

HOME = "observatory"
RUNNER = (sys.executable, "-P", "-m", "runner.cli.main")


@dataclass(frozen=True, slots=True)
class Stage:
    """What one step of the demo hands to the next.

    Attributes
    ----------
    directory
        All that the demo writes lies below it.
    archive_url
        Where the archive is served while the demo plays.
    differences
        What was not as it must be, one line each.
    """

    directory: Path
    archive_url: str
    differences: tuple[str, ...] = ()

    @property
    def home(self) -> Path:
        """The home that the demo makes."""
        return self.directory / HOME

    @property
    def archive(self) -> Path:
        """What the archive serves."""
        return self.directory / "archive"

    @property
    def cron(self) -> Path:
        """The stand-ins for crontab(1), with its table, and for sendmail(8)."""
        return self.directory / "cron"


def list_mails(stage: Stage) -> list[Path]:
    """Return what the team has got so far, in its order."""
    return sorted((stage.directory / "mail").glob("[0-9]*"), key=lambda path: int(path.name))


def run_command(stage: Stage, command: str) -> Stage:
    """Show and run a command in the home; an exit code other than 0 is a difference.

    What it says on stderr is part of the play: the demo's own stderr is for differences.
    """
    print(f"$ {command}", flush=True)
    words = shlex.split(command)
    program = RUNNER if words[0] == "runner" else words[:1]
    done = subprocess.run(
        [*program, *words[1:]],
        cwd=_choose_cwd(stage), env=_choose_environment(stage),
        stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT, check=False,
    )  # fmt: skip
    if done.returncode == 0:
        return stage
    return replace(stage, differences=(*stage.differences, f"{command}: exit code {done.returncode}, not 0"))


def run_commands(stage: Stage, *commands: str) -> Stage:
    """Show and run one command after the other, each of which must succeed."""
    for command in commands:
        stage = run_command(stage, command)
        print()
    return stage


def ask(stage: Stage, command: str) -> str:
    """Run a command in the home unseen and return its stdout."""
    words = [*RUNNER, *shlex.split(command)[1:]]
    return subprocess.run(
        words, cwd=stage.home, env=_choose_environment(stage), check=True, capture_output=True, text=True
    ).stdout


def fire(stage: Stage, command: str) -> tuple[int, str]:
    """Run a command of the home as cron would; return its exit code and all that it said, which cron would mail."""
    account = pwd.getpwuid(os.getuid())
    environment = {
        "HOME": account.pw_dir, "LOGNAME": account.pw_name, "PATH": "/usr/bin:/bin", "SHELL": "/bin/sh",
    }  # fmt: skip
    program, *arguments = command.split()
    done = subprocess.run(
        [stage.home / program, *arguments],
        cwd="/", env=environment, check=False, text=True, errors="backslashreplace",
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    return done.returncode, done.stdout


def _choose_cwd(stage: Stage) -> Path:
    return stage.home if stage.home.is_dir() else stage.directory


def _choose_environment(stage: Stage) -> dict[str, str]:
    """Return the caller's environment with our home and our crontab(1) first."""
    path = os.environ.get("PATH", os.defpath)
    return {**os.environ, "PATH": f"{stage.cron}{os.pathsep}{path}", "RUNNER_HOME": str(stage.home)}
