"""Jobs do not run as root: whoever may push to the home could do everything on the host (SEC-2)."""

from __future__ import annotations

from collections.abc import Iterator

from runner.diagnose.check import WARNING, Finding
from runner.diagnose.context import Context

ID = "DIAG025"
LEVEL = WARNING
TITLE = "jobs do not run as root"


def find(context: Context) -> Iterator[Finding]:
    """Yield that the target of this host and user is root's, once its lines are installed."""
    if context.target is not None and context.target.user == "root" and context.is_installed():
        hint = "make a service account with least rights, name it in targets: of envs/site.yaml, and install there"
        message = "jobs run as root: whoever may change the home may do everything on this host (SEC-2)"
        yield Finding(ID, LEVEL, message, hint)
