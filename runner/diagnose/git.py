"""Asking git of a home: no hook, no prompt, no foreign protocol, and never for long."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

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
