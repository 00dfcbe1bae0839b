"""Who did what: the facts of an ``audit`` event (SEC-20). The person is the one behind sudo, if there is one."""

from __future__ import annotations

import posix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runner.launch.journal import Value


def make_audit(
    action: str, host: str, command: str, sudo_user: str | None, *, digest: str = "", detail: str = "", job: str = ""
) -> dict[str, Value]:
    """Return what an audit event says besides when; who calls is told by uid and login, `sudo_user` from outside."""
    import pwd

    uid = posix.getuid()
    try:
        user = pwd.getpwuid(uid).pw_name
    except KeyError:
        user = str(uid)
    return {
        "action": action,
        "job": job,
        "uid": uid,
        "user": user,
        "sudo_user": sudo_user,
        "host": host,
        "command": command,
        "digest": digest,
        "detail": detail,
    }
