"""A home as a developer writes it, and the command ``runner`` called on it in this process.

What a command wrote is compared by `Home.tree`, byte for byte and mode for mode. The crontab is a fake that
stands first on PATH, and /etc/cron.d another directory; without them a test would write that of whoever runs the tests.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fake_crontab import make_fake_crontab

from runner.cli.main import run
from runner.crontab import crond
from runner.home.here import read_user
from runner.launch.slot import use_zone

REPOSITORY = Path(__file__).parents[1]
SITE = "name: lab\nmail: {via: cron, ops: ops@example.org}\n"
REGISTRY = """\
defaults: {profile: local}
jobs:
  nightly: {when: "30 2 * * *", run: jobs/hello.sh}
  hourly: {when: "@hourly", run: jobs/hello.sh}
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one call of ``runner`` gave."""

    code: int
    out: str
    err: str

    @property
    def objects(self) -> list[dict[str, Any]]:
        """The JSON objects of stdout, one a line."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def faults(self) -> list[str]:
        """The lines about mistakes: on stdout where they are the answer, else on stderr."""
        return (self.out or self.err).splitlines()


class Home:
    """A home with two jobs, one profile and a crontab of its own, and whatever else a test writes."""

    def __init__(self, path: Path, machine_files: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.path = path
        self.state = path / "state"
        self.crontab = make_fake_crontab(path.parent / f"{path.name}-bin")
        self.cron_d = path.parent / f"{path.name}-cron.d"
        self.cron_d.mkdir()
        self._capture = capture
        shutil.copytree(REPOSITORY / "wrappers", path / "wrappers")
        shutil.copytree(machine_files / ".runner", path / ".runner", symlinks=True)
        self.write("envs/site.yaml", SITE)
        self.write("envs/local.yaml", "description: nothing to activate\n")
        self.write("jobs/all.yaml", REGISTRY)
        self.script("hello.sh")

    def write(self, name: str, text: str | bytes) -> Path:
        """Write a file of the home."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def script(self, name: str, body: str = "echo hello", *, interpreter: str = "/bin/sh", mode: int = 0o755) -> None:
        """Write a script into ``jobs/``."""
        self.write(f"jobs/{name}", f"#!{interpreter}\n{body}\n").chmod(mode)

    def job(self, keys: str, *, name: str = "job") -> None:
        """Write a registry of one job; `keys` are what it has beside its command and its profile."""
        self.write("jobs/all.yaml", f"jobs:\n  {name}: {{run: jobs/hello.sh, profile: local, {keys}}}\n")

    def target(self, keys: dict[str, str]) -> None:
        """Declare one target, of this host and user unless told otherwise."""
        given = {"hosts": f"[{socket.gethostname()}]", "user": read_user(), **keys}
        target = ", ".join(f"{key}: {value}" for key, value in given.items())
        self.write(
            "envs/site.yaml", f"name: lab\nmail: {{via: cron, ops: ops@example.org}}\ntargets:\n  here: {{{target}}}\n"
        )

    def runner(self, *words: str) -> Answer:
        """Call ``runner --home HOME WORDS``."""
        return self.call("--home", str(self.path), *words)

    def call(self, *words: str) -> Answer:
        """Call ``runner WORDS``."""
        self._capture.readouterr()
        try:
            code = run(list(words))
        finally:
            sys.stdout.flush()
            use_zone(None)
        return Answer(code, *self._capture.readouterr())

    def compile(self) -> None:
        """Compile, which must succeed."""
        answer = self.runner("compile")
        assert answer.code == 0, answer.err

    def read(self, name: str) -> bytes:
        """Return the bytes of a file of the home."""
        return (self.path / name).read_bytes()

    def compiled(self) -> dict[str, bytes]:
        """Return the compiled output."""
        output = self.path / "crontab.d"
        return {str(path.relative_to(output)): path.read_bytes() for path in output.rglob("*") if path.is_file()}

    def tree(self) -> dict[str, tuple[int, int, bytes]]:
        """Return mode, time of change and bytes (or target) of all that is in the home and its crontab."""
        places = (self.path, self.crontab.directory, self.cron_d)
        ours = (path for place in places for path in place.rglob("*"))
        return {str(path): _look_at(path) for path in ours if path.name not in ("calls", "environment")}


def _look_at(path: Path) -> tuple[int, int, bytes]:
    seen = path.lstat()
    if stat.S_ISLNK(seen.st_mode):
        return seen.st_mode, seen.st_mtime_ns, os.fsencode(path.readlink())
    if stat.S_ISREG(seen.st_mode):
        return seen.st_mode, seen.st_mtime_ns, path.read_bytes()
    return seen.st_mode, 0, b""


def make_home(
    path: Path, machine_files: Path, capture: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Home:
    """Return a home whose crontab is the one that is found."""
    home = Home(path, machine_files, capture)
    monkeypatch.setenv("PATH", f"{home.crontab.directory}:/usr/bin:/bin")
    monkeypatch.delenv("RUNNER_HOME", raising=False)
    monkeypatch.setattr(crond, "DIRECTORY", home.cron_d)
    return home
