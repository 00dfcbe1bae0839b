"""The checkout is clean: what cron runs is in git, where others see it and from where it can be had again."""

from __future__ import annotations

from collections.abc import Iterator

from runner.diagnose.check import NOTE, WARNING, Finding
from runner.diagnose.context import Context
from runner.diagnose.words import sum_up

ID = "DIAG027"
LEVEL = WARNING
TITLE = "the home is committed to git"

_OURS = ("jobs", "envs", "wrappers")


def find(context: Context) -> Iterator[Finding]:
    """Yield what differs from the last commit: a note where nothing is installed, in a developer's clone."""
    from runner.diagnose.git import call_git, has_git
    from runner.launch.gates import name_release

    if name_release(str(context.home)) != "-":
        return  # built of one commit
    level = WARNING if context.is_installed() else NOTE
    if not has_git(context.home):
        yield Finding(ID, NOTE, "the home is not under git", "git init; the state stays outside")
        return
    answer = call_git(context.home, "status", "--porcelain", "--untracked-files=normal", "--", *_OURS)
    if answer.code != 0:
        yield Finding(ID, level, "git cannot tell what was changed", "git status as this user", answer.trouble)
    elif changed := answer.out.splitlines():
        message = f"{len(changed)} file(s) of {', '.join(_OURS)} are not as in the last commit"
        yield Finding(ID, level, message, "commit or undo them: git status", sum_up([line[3:] for line in changed]))
