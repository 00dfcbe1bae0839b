"""Where commits come from: which addresses are let in, and what of them is never shown (SEC-2)."""

from __future__ import annotations

import re

from runner.errors import UserError, clean
from runner.launch.scrub import scrub_text

_HOST = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_USER = r"(?:[A-Za-z0-9_][A-Za-z0-9._-]*@)?"
_ALLOWED = (
    re.compile(rf"https://{_HOST}(?::\d+)?/[^\s]+"),
    re.compile(rf"ssh://{_USER}{_HOST}(?::\d+)?/[^\s]+"),
    re.compile(rf"{_USER}{_HOST}:(?!-|//)[^\s:]+"),  # what ssh calls HOST:PATH
    re.compile(r"file:///[^\s]+"),
    re.compile(r"/[^\s]+"),
)
_LOGIN = re.compile(r"(?P<before>[A-Za-z][A-Za-z0-9+.-]*://)[^/@\s]+@")
# Of refs that a person may name: what git-check-ref-format lets through, and less.
_BRANCH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]*")


def hide_login(text: str) -> str:
    """Return a text in which no address has a user or password, and nothing else has the shape of a secret."""
    return scrub_text(_LOGIN.sub(r"\g<before>***@", text))


def check_remote(url: str) -> str:
    """Return an address that may be fetched from.

    Raises
    ------
    UserError
        If it is of another protocol than https, ssh and file, or has a password or token in it: that would stand in
        the list of processes.
    """
    if any(allowed.fullmatch(url) for allowed in _ALLOWED):
        return url
    shown = clean(hide_login(url))
    if re.match(r"https?://[^/]*@", url):
        hint = "put user and password into ~/.netrc of the account that builds, or use ssh with a key"
        raise UserError(f"--remote {shown}: a login in an address is for all to see; {hint}")
    raise UserError(f"--remote {shown}: write https://HOST/PATH, ssh://USER@HOST/PATH, file:///PATH or /PATH")


def check_branch(branch: str) -> str:
    """Return a name that a branch may have; UserError if git, or we, would read something else in it."""
    if _BRANCH.fullmatch(branch) and not re.search(r"\.\.|//|\.lock$|/$|\.$|/\.", branch):
        return branch
    raise UserError(f'--branch "{clean(branch)}" is no name of a branch')
