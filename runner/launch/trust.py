"""Who else could change what a job will execute: the walk from a file up to ``/`` (SEC-1)."""

from __future__ import annotations

import posix

from runner.launch.environment import real_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_IS_DIRECTORY = 0o040000
_TYPE = 0o170000
_STICKY = 0o1000


class Doubt:
    """One component of a path that somebody else can change.

    Attributes
    ----------
    path
        The component.
    why
        For a person.
    refused
        Whether nothing below it may be run; a component that only its group can change is a warning.
    """

    __slots__ = ("path", "refused", "why")

    def __init__(self, path: str, why: str, *, refused: bool) -> None:
        self.path = path
        self.why = why
        self.refused = refused


def find_doubts(paths: Iterable[str], uid: int) -> list[Doubt]:
    """Return what is doubtful of the real paths of some files and of every directory above them, each once.

    Parameters
    ----------
    uid
        Of the user who runs the job: what is executed must be that user's or root's.

    Raises
    ------
    OSError
        If a file is not there, or cannot be looked at.
    """
    doubts = []
    seen = set()
    for path in paths:
        component = real_path(path)
        while component not in seen:
            seen.add(component)
            status = posix.stat(component)
            doubt = judge(component, status.st_mode, status.st_uid, uid)
            if doubt:
                doubts.append(doubt)
            component = component.rpartition("/")[0] or "/"
    return doubts


def judge(path: str, mode: int, owner: int, uid: int) -> Doubt | None:
    """Return what is doubtful of one component, from its mode and its owner.

    In a sticky directory of root's nobody can replace what is another's.
    """
    if owner not in (0, uid):
        return Doubt(path, f"belongs to uid {owner}, neither root nor uid {uid}", refused=True)
    if owner == 0 and mode & _STICKY and mode & _TYPE == _IS_DIRECTORY:
        return None
    shown = f"mode {mode & 0o7777:04o}"
    if mode & 0o002:
        return Doubt(path, f"can be written by everybody ({shown})", refused=True)
    return Doubt(path, f"can be written by its group ({shown})", refused=False) if mode & 0o020 else None
