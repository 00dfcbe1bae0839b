"""The git remote of the home answers, without asking anybody for a password."""

from __future__ import annotations

from collections.abc import Iterator

from runner.diagnose.check import WARNING, Finding
from runner.diagnose.context import Context
from runner.errors import TryLater

ID = "DIAG026"
LEVEL = WARNING
TITLE = "the git remote of the home answers"


def find(context: Context) -> Iterator[Finding]:
    """Yield why the remote cannot be asked; a home without git or remote has none."""
    from runner.diagnose.git import LIMIT_S, call_git, find_cache, has_git

    if cache := find_cache(context.home):
        try:
            cache.ask(LIMIT_S)
        except TryLater as error:
            yield _describe(cache.remote, str(error))
        return
    if not has_git(context.home):
        return
    named = call_git(context.home, "remote")
    remotes = named.out.split()
    if not remotes:
        return
    remote = "origin" if "origin" in remotes else remotes[0]
    answer = call_git(context.home, "ls-remote", "--quiet", "--heads", remote)
    if answer.code != 0:
        yield _describe(call_git(context.home, "remote", "get-url", remote).out.strip(), answer.trouble)


def _describe(url: str, trouble: str) -> Finding:
    message = f"the git remote {url} does not answer: nothing new is built"
    return Finding(ID, LEVEL, message, "keys, network, or the server; git ls-remote as this user", trouble)
