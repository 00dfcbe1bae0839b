"""What the walk of ``trust`` has found, told to people: no run that may start needs this."""

from __future__ import annotations

from runner.launch.state import read_file
from runner.launch.trust import BY_ALL, BY_GROUP, Walk, is_changed_by_writing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class Doubt:
    """One component of a path that somebody else can change.

    Attributes
    ----------
    path
        The component.
    why
        For a person.
    remedy
        What to do about it.
    refused
        Whether nothing below it may be run.
    by_group
        Whether only its group can change it.
    """

    __slots__ = ("by_group", "path", "refused", "remedy", "why")

    def __init__(self, path: str, why: str, remedy: str, *, refused: bool, by_group: bool = False) -> None:
        self.path = path
        self.why = why
        self.remedy = remedy
        self.refused = refused
        self.by_group = by_group


def judge(path: str, mode: int, owner: int, owners: set[int]) -> Doubt:
    """Return what is doubtful of a component that belongs to none of `owners`, or that others can write to."""
    is_unknown = owner not in owners and _is_unknown_here(owner)
    is_open = mode & BY_ALL and is_changed_by_writing(mode, is_roots=is_unknown)
    if owner not in owners and not (is_unknown and is_open):
        trusted = " nor ".join([f"uid {uid}" if uid else "root" for uid in sorted(owners)])
        why = f"belongs to uid {owner}, {'neither' if len(owners) > 1 else 'not'} {trusted}"
        remedy = "chown it; of software say who owns it: account of the profile's site in envs/site.yaml"
        return Doubt(path, why, remedy, refused=not is_unknown)
    by_group = not mode & BY_ALL
    why = f"can be written by {'its group' if by_group else 'everybody'} (mode {mode & 0o7777:04o})"
    return Doubt(path, why, "chmod g-w" if by_group else "chmod o-w", refused=not by_group, by_group=by_group)


def find_doubts(paths: Iterable[str], walk: Walk) -> list[Doubt]:
    """Return what is doubtful of some files and of every directory and link on the way to them, each once.

    Raises
    ------
    OSError
        If a file is not there, or cannot be looked at.
    """
    for path in paths:
        walk.follow(path)
    return walk.doubts


def start_walk(uid: int) -> Walk:
    """Return a walk that also tells of what a group can change; `uid` is of the user who will run the jobs."""
    return Walk(uid, BY_ALL | BY_GROUP)


def _is_unknown_here(owner: int) -> bool:
    """Whether that is how a user namespace shows owners whom it does not know, root's too (user_namespaces(7))."""
    mapped, overflow = read_file("/proc/self/uid_map") or b"", read_file("/proc/sys/kernel/overflowuid") or b"0"
    return mapped.split() != [b"0", b"0", b"4294967295"] and int(overflow) == owner
