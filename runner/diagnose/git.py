"""Asking git of a home, or of what it was built from: no hook, no prompt, no foreign protocol, and never for long."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runner.errors import UserError
from runner.home.release import find_base
from runner.releases.base import Base

if TYPE_CHECKING:
    from runner.releases.cache import Cache

LIMIT_S = 8
# No hook and no program that the repository names is run, and no protocol is spoken but these (SEC-2).
_SETTINGS = (
    "core.hooksPath=/dev/null", "core.fsmonitor=false", "protocol.allow=never", "protocol.file.allow=always",
    "protocol.https.allow=always", "protocol.ssh.allow=always",
)  # fmt: skip
_ENVIRONMENT = {"GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "true", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C.UTF-8"}
_SSH_OPTIONS = "-o BatchMode=yes -o ConnectTimeout=5"


@dataclass(frozen=True, slots=True)
class Answer:
    """What git said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def trouble(self) -> str:
        """The first lines of what it complained of, in one; a negative code is that of our own kill."""
        if self.code < 0:
            return f"no answer within {LIMIT_S} s"
        return " ".join(" ".join(self.err.split("\n")[:3]).split()) or f"exit {self.code}"


def has_git(home: Path) -> bool:
    """Whether a home is under git."""
    return any((directory / ".git").exists() for directory in (home, *home.parents))


def find_cache(home: Path) -> Cache | None:
    """Return the repository that a home was built from, None if it is no release; UserError if it is shut to us."""
    base = find_base(home)
    if base is None or not (path := Base(base).cache).is_dir():
        return None
    if not os.access(path, os.R_OK | os.X_OK):
        raise UserError(f"{path} is only for the account that builds: diagnose as that one")
    from runner.releases.cache import Cache

    return Cache(path)


def call_git(home: Path, *words: str) -> Answer:
    """Call git in a home and return its answer; a git that is not there or does not end is one that failed."""
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    from git import Git
    from git.exc import GitCommandNotFound

    environment = _ENVIRONMENT
    if words[:1] == ("ls-remote",):
        ssh = call_git(home, "config", "core.sshCommand").out.strip() or "ssh"
        environment = {**_ENVIRONMENT, "GIT_SSH_COMMAND": f"{ssh} {_SSH_OPTIONS}"}
    settings = [word for setting in _SETTINGS for word in ("-c", setting)]
    try:
        code, out, err = Git(str(home)).execute(
            ["git", *settings, *words],
            env=environment,
            with_extended_output=True,
            with_exceptions=False,
            kill_after_timeout=LIMIT_S,
            strip_newline_in_stdout=False,
        )
    except GitCommandNotFound:
        return Answer(127, "", "no program git on PATH")
    return Answer(code, _text(out), _text(err))


def _text(said: str | bytes) -> str:
    return said if isinstance(said, str) else said.decode("utf-8", "backslashreplace")
