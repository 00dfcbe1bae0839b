"""A replica of a property directory for tests: its origin beside it, and the command that pulls it.

``python replicas.py ORIGIN REPLICA EVERY`` kills a pull at every so manieth step of its work, and prints what is
left and what the next pull makes of it, one JSON object a line. Both directories are as they were for each.
"""

from __future__ import annotations

import json
import shutil
import stat
import sys
import time
from pathlib import Path
from typing import Any

from homes import Answer, Home
from kills import run_and_die

from runner.profiles.pull import Mirror, apply_pull, prepare_pull

SITE = """\
name: lab
mail: {{ops: ops@example.org}}
sites: {{dsoc: {{hosts: ["nmngas*"]}}, naasc: {{hosts: {hosts}}}}}
capo: {{mirror: {{{mirror}: "{origin}"}}, master: {master}, max_age: 26h}}
"""
# What rsync starts in place of ssh: the words behind the host's name, here.
RSH = '#!/bin/sh\nshift\nexec sh -c "$*"\n'


class Replica:
    """A home whose site is naasc, a replica, and its origin, which is reached as a path unless told otherwise."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.origin = home.path.parent / "origin"
        self.directory = home.path.parent / "replica"
        self.origin.mkdir()
        self.declare()

    def declare(self, *, origin: str = "", master: str = "dsoc", hosts: str = '["*"]') -> None:
        """Write the settings."""
        values = {"mirror": self.directory, "origin": origin or self.origin, "master": master, "hosts": hosts}
        self.home.write("envs/site.yaml", SITE.format(**values))

    def originals(self, **files: str) -> None:
        """Write property files at the origin."""
        for name, text in files.items():
            (self.origin / f"{name}.properties").write_text(text)

    def edit(self, name: str, text: str) -> None:
        """Edit a file of the replica, as an editor does that renames."""
        path = self.directory / f"{name}.properties"
        path.with_suffix(".new").write_text(text)
        path.with_suffix(".new").rename(path)

    def pull(self, *words: str) -> Answer:
        """Call ``runner profile pull``."""
        return self.home.runner("profile", "pull", *words)

    @property
    def files(self) -> dict[str, str]:
        """The property files of the replica, by profile."""
        return {path.stem: path.read_text() for path in sorted(self.directory.glob("*.properties"))}

    @property
    def kept(self) -> dict[str, str]:
        """What was kept aside, by profile, and with the mode that it must have."""
        paths = sorted((self.directory / ".local").glob("*"))
        assert [path for path in paths if stat.S_IMODE(path.stat().st_mode) != 0o600] == []
        return {path.name.partition(".properties.")[0]: path.read_text() for path in paths}

    @property
    def record(self) -> dict[str, Any]:
        """What ``.replica.json`` says."""
        found: dict[str, Any] = json.loads((self.directory / ".replica.json").read_text())
        return found

    @property
    def litter(self) -> list[str]:
        """What stands in the replica that is neither a property file nor declared."""
        names = {".local", ".replica.json", ".replica.lock"}
        return sorted(
            path.name for path in self.directory.iterdir() if path.suffix != ".properties" and path.name not in names
        )


def pull(origin: Path, directory: Path) -> None:
    """Pull in this process."""
    with prepare_pull(Mirror(directory, str(origin)), "here", fewer=False, is_dry=False) as prepared:
        apply_pull(prepared, time.time, lambda _: None)


def read_all(directory: Path) -> dict[str, str]:
    """Return what the property files of a directory have."""
    return {path.name: path.read_text() for path in sorted(directory.glob("*.properties*"))}


def main(origin: Path, directory: Path, every: int) -> None:
    """Kill a pull at each step."""
    backup = shutil.copytree(directory, directory.with_name("backup"))
    steps, survived = 0, False
    while not survived:
        shutil.rmtree(directory)
        shutil.copytree(backup, directory)
        steps += every
        survived = run_and_die(lambda: pull(origin, directory), steps)
        left = {"left": read_all(directory), "kept_then": read_all(directory / ".local")}
        pull(origin, directory)
        now = {
            "files": read_all(directory),
            "kept": read_all(directory / ".local"),
            "all": [path.name for path in directory.iterdir()],
        }
        print(json.dumps({**left, **now}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
