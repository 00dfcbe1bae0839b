"""A repository to build releases from, with a home in it, and the installation that is built from it.

The remote is a bare repository of its own; commits are made in a clone beside it, by the real git. The crontab is a
fake, which stands first on PATH.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fake_crontab import FakeCrontab, make_fake_crontab
from homes import REPOSITORY, Answer
from lab import CALLER, need_program

BRANCH = "main"
SITE = "name: lab\nstate: {state}\nmail: {{via: cron, ops: ops@example.org}}\n"
# A slot that no test is near: two calls within 15 minutes of one are one run (RUN-5).
RARELY = "30 2 29 2 *"
JOBS = f"jobs:\n  hello: {{when: '{RARELY}', run: jobs/hello.sh, profile: local}}\n"
BROKEN = JOBS.replace("when", "whenn")
# As of whoever makes commits; nothing of the account that runs the tests.
_GIT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_AUTHOR_NAME": "Ana",
    "GIT_AUTHOR_EMAIL": "ana@example.org",
    "GIT_COMMITTER_NAME": "Ana",
    "GIT_COMMITTER_EMAIL": "ana@example.org",
}


@dataclass(frozen=True, slots=True)
class Remote:
    """A bare repository, and a clone to commit in."""

    bare: Path
    clone: Path

    @property
    def url(self) -> str:
        return f"file://{self.bare}"

    def git(self, *words: str, env: dict[str, str] | None = None) -> str:
        """Call git in the clone; return its stdout."""
        command = ["git", "-C", str(self.clone), *words]
        done = subprocess.run(command, env=_GIT | (env or {}), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def write(self, name: str, text: str, mode: int = 0o644) -> None:
        """Write a file of the home, to be committed."""
        path = self.clone / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)

    def commit(self, subject: str, *options: str) -> str:
        """Commit all, and push; return the commit."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", subject, *options)
        return self.push()

    def push(self, *refs: str) -> str:
        """Push; return the newest commit."""
        self.git("push", "--quiet", "--force", self.url, f"HEAD:refs/heads/{BRANCH}", *refs)
        return self.git("rev-parse", "HEAD")


class Installation:
    """A base directory, and the command ``runner release`` called on it as a program of its own."""

    def __init__(self, directory: Path) -> None:
        need_program("git")
        self.base = directory / "ql"
        self.state = self.base / "state"
        self.crontab: FakeCrontab = make_fake_crontab(directory / "bin")
        self.remote = make_remote(directory, SITE.format(state=self.state))
        self.env = {**CALLER, "PATH": f"{self.crontab.directory}:/usr/bin:/bin", "HOME": str(directory)}

    def runner(self, *words: str) -> Answer:
        """Call ``runner WORDS``."""
        command = [sys.executable, "-P", "-m", "runner.cli.main", *words]
        done = subprocess.run(command, env=self.env, cwd="/", capture_output=True, text=True, check=False)
        return Answer(done.returncode, done.stdout, done.stderr)

    def release(self, *words: str) -> Answer:
        """Call ``runner release WORDS --base BASE``."""
        return self.runner("release", *words, "--base", str(self.base))

    def build(self, *words: str) -> Answer:
        """Build from the remote."""
        return self.release("build", "--remote", self.remote.url, *words)

    def build_well(self, *words: str) -> str:
        """Build, which must succeed; return the commit that is in use then."""
        answer = self.build(*words)
        assert answer.code == 0, answer.err
        return self.current

    @property
    def current(self) -> str:
        """The commit of the release in use."""
        return (self.base / "current").readlink().name

    @property
    def home(self) -> Path:
        """The release in use."""
        return self.base / "releases" / self.current

    def states(self) -> dict[str, str]:
        """Return subject and state of each build, as listed."""
        return {row["subject"]: row["state"] for row in self.release("list", "--json").objects}

    def log(self, commit: str) -> str:
        """Return the log of the build of a commit."""
        return (self.base / "builds" / f"{commit}.log").read_text()

    def run(self, plan: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a plan as the line of the crontab does."""
        return subprocess.run(self.line(plan, *words), env=self.env, capture_output=True, text=True, check=False)

    def line(self, plan: str, *words: str) -> list[str]:
        """Return the words of a line of the crontab."""
        return [str(self.base / "current/wrappers/run-job"), plan, *words]

    def events(self, kind: str) -> list[dict[str, Any]]:
        """Return the events of a kind in the journal."""
        files = sorted(self.state.glob("journal/????-??-??.jsonl"))
        lines = [line for file in files for line in file.read_text().splitlines() if line]
        return [event for line in lines if (event := json.loads(line))["event"] == kind]

    def tree(self) -> set[str]:
        """Return what is in the base beside state, cache and logs."""
        found = (path.relative_to(self.base) for path in self.base.rglob("*"))
        return {str(path) for path in found if path.parts[0] not in ("state", "cache.git", "builds", "lock")}


def make_remote(directory: Path, site: str) -> Remote:
    """Return a repository with a home in it, of one commit."""
    remote = Remote(directory / "remote.git", directory / "clone")
    for path, options in ((remote.bare, ["--bare"]), (remote.clone, [])):
        path.mkdir()
        command = ["git", "init", "--quiet", f"--initial-branch={BRANCH}", *options, str(path)]
        subprocess.run(command, env=_GIT, check=True)
    shutil.copytree(REPOSITORY / "wrappers", remote.clone / "wrappers")
    remote.write("envs/site.yaml", site)
    remote.write("envs/local.yaml", "description: nothing to activate\n")
    remote.write("jobs/all.yaml", JOBS)
    remote.write("jobs/hello.sh", '#!/bin/sh\necho "hello from $RUNNER_RELEASE"\n', 0o755)
    remote.commit("the first")
    return remote


def is_sealed(path: Path) -> bool:
    """Whether nothing below a directory can be written to by its mode."""
    paths = [path, *path.rglob("*")]
    return not [one for one in paths if not one.is_symlink() and os.lstat(one).st_mode & 0o222]
