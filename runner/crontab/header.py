"""The comment of a block that says for whom it is, both ways: its own copy of the target (CRON-21, FAULT-49). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from runner.crontab.lint import COMMENT_BYTES
from runner.home.settings import Target
from runner.launch.hosts import matches_host

_HEADER = re.compile(r"# for .*\n(?:#   .*\n)*")
_WORDS = re.compile(r"(\S+) on ([^ ,]+(?: [^ ,]+)*)(?:, site ([^ ,]+))?(?:, environment ([^ ,]+))?")


@dataclass(frozen=True, slots=True)
class Header:
    """For which user, hosts, site and environment a block was compiled; the last two may be empty."""

    user: str
    hosts: tuple[str, ...]
    site: str
    environment: str


def format_header(target: Target) -> list[str]:
    """Return the comment that names user, hosts, site and environment, in as many lines as it needs (CRON-28)."""
    words = [target.user, "on", *target.hosts]
    words += [f"{words.pop()},", "site", target.site] if target.site else []
    words += [f"{words.pop()},", "environment", target.environment] if target.environment else []
    lines = ["# for"]
    for word in words:
        if len(lines[-1]) + 1 + len(word) > COMMENT_BYTES:
            lines.append("#  ")
        lines[-1] += f" {word}"
    return lines


def parse_header(body: bytes) -> Header | None:
    """Return what the lines of a block say of themselves; None if they do not begin as we write them."""
    match = _HEADER.match(body.decode("ascii", "replace"))
    text = " ".join(match[0].replace("#", " ").split()).removeprefix("for ") if match else ""
    words = _WORDS.fullmatch(text)
    return Header(words[1], tuple(words[2].split()), words[3] or "", words[4] or "") if words else None


def find_misplacement(there: bytes, ours: bytes, host: str) -> str:
    """Return why the block that stands in a crontab is none for ours to replace, or an empty text.

    Parameters
    ----------
    there, ours
        The lines of both.
    host
        The name of this host: hosts may come and go in the list of a target.
    """
    was, wanted = parse_header(there), parse_header(ours)
    if was is None or wanted is None:
        return ""
    pairs = (("user", was.user, wanted.user), ("site", was.site, wanted.site),
             ("environment", was.environment, wanted.environment))  # fmt: skip
    wrong = [f"{what} {old or 'none'}, not {new or 'none'}" for what, old, new in pairs if old != new]
    if not matches_host(was.hosts, host):
        wrong.append(f"host {' '.join(was.hosts)}, not {host}")
    return "; ".join(wrong)
