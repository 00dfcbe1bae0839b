"""How a home becomes a release: ``release`` of the settings, and where a release stands.

::

    BASE/                     for one installation, as /srv/ql
        current               link to the release in use; what the lines of the crontab lead through
        releases/COMMIT/      a home as it was at that commit
        environments/DIGEST/  what its packages are installed in, ``.venv`` of each release that needs them
"""

from __future__ import annotations

import posixpath
import shlex
from dataclasses import dataclass
from pathlib import Path

from runner.document.faults import Wrong
from runner.document.fields import choice, duration, scalar, text, whole, word
from runner.document.keys import Keys, declare
from runner.launch.gates import name_release

CURRENT = "current"
RELEASES = "releases"


def _inside(value: str) -> str:
    if word(value).startswith("/") or posixpath.normpath(value).startswith(".."):
        raise Wrong(f'"{value}" is not below the home', "write its path from there")
    return value


def _command(value: str) -> str:
    try:
        words = shlex.split(text(value))
    except ValueError as error:
        raise Wrong(f"cannot be split into words: {error}", "close the quotes") from None
    if not words:
        raise Wrong("a command line without a command", 'leave the key out, or write one like "python -m pytest"')
    return value


@dataclass(frozen=True, slots=True)
class Release:
    """What a commit must be and have to become a release.

    Attributes
    ----------
    requirements
        Empty: ``requirements.txt``, if there is one.
    prove
        A command line; empty for none.
    timeout_s
        For each command of a build.
    signed, allowed_signers
        Taken from the release in use, so that no commit decides on its own signature.
    """

    keep: int = declare(scalar(whole(1, 1000)), "how many releases are kept", "5")
    requirements: str = declare(
        scalar(_inside), "lock file of the packages in .venv", "", shown="requirements.txt, if there is one"
    )
    prove: str = declare(scalar(_command), "command line that must end well in a new release", "", shown="none")
    timeout_s: float = declare(scalar(duration), "the most that a command of a build may take", "30m", name="timeout")
    signed: str = declare(scalar(choice("none", "commit", "tag")), "what must be signed: none, commit, tag", "none")
    allowed_signers: str = declare(
        scalar(word), "ssh keys whose signatures count; a path, from the home on if relative", "envs/allowed_signers"
    )


RELEASE = Keys(Release)


def find_base(home: Path) -> Path | None:
    """Return the installation that a home is a release of, by its real path; None if it is no release."""
    return None if name_release(str(home)) == "-" else home.parent.parent


def find_entrance(home: Path) -> Path:
    """Return the path to a home that stays the same when its release is replaced (CRON-13)."""
    base = find_base(home)
    return base / CURRENT if base else home


def is_sealed(home: Path) -> bool:
    """Whether nothing in a home may change any more: it was built as a release, and nobody can write to it."""
    return not home.stat().st_mode & 0o222
