"""Who else could change what a job will execute: the walk from a file up to ``/`` (SEC-1, SEC-19).

What is executed belongs to root or to the user who runs it, and nobody else can write to it or to a directory above
it; a sticky directory of root's is open to all and safe. Two others may own things, unless root runs the job:

- in a release (``.../releases/NAME``) whoever owns the release: the deploy user. The line of the crontab leads there;
- what a profile activates, and what it then finds, the ``account`` of the profile's site (``envs/site.yaml``).

What only its group can change is told of by ``crontab install`` and ``runner check``, and keeps no job from running.
Each run pays for this module; what it finds wrong is judged and told by ``doubts``.
"""

from __future__ import annotations

import posix

from runner.launch.outcome import CannotStart
from runner.launch.plan import HOME_PLAN, PLANS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from runner.launch.doubts import Doubt
    from runner.launch.gates import Place
    from runner.launch.plan import Plan

# What the line of the crontab executes before it knows of a job, and where the rest of our code comes from.
_WRAPPER = (
    "wrappers/run-job", ".runner/python", ".runner/python._pth", ".runner/lib/encodings", ".runner/main.pyc",
    ".runner/launch.code", ".runner/runner/launch", ".runner/jobside/runner", HOME_PLAN,
)  # fmt: skip
_FIRST_BYTES = 256
_LINK, _DEVICE = 0o12, 0o2
# A directory in which all may make things and nobody may touch another's.
_SHARED = 0o041002
BY_ALL, BY_GROUP = 0o002, 0o020


class Walk:
    """What was looked at so far: each component once, whatever lies below it.

    Attributes
    ----------
    owners
        The uids whose things may be executed.
    doubts
        What was found.
    """

    __slots__ = ("_doubtful", "_real", "_uid", "doubts", "owners")

    def __init__(self, uid: int, doubtful: int = BY_ALL) -> None:
        """`uid` is of the user who runs the job, `doubtful` the bits of a mode that are told of."""
        self._uid = uid
        self._doubtful = doubtful
        self._real = {"": ""}
        self.owners = {0, uid}
        self.doubts: list[Doubt] = []
        self._look("", "/")
        self._real["/"] = ""

    def let_own(self, uid: int) -> None:
        """Trust one more owner; root trusts nobody."""
        if self._uid:
            self.owners.add(uid)

    def follow(self, path: str, directory: str = "") -> str:
        """Return the real path of an absolute one; whatever is on the way there is judged, links as well.

        Parameters
        ----------
        directory
            Where a relative path begins: that of a link.

        Raises
        ------
        OSError
            If it is not there, or cannot be looked at.
        """
        above, _, name = path.rpartition("/")
        if above in self._real and above:
            return self._step(self._real[above], name)
        real = "" if path[:1] == "/" else directory
        for name in path.split("/"):
            real = self._step(real, name)
        return real

    def require(self, paths: Iterable[str]) -> None:
        """Raise CannotStart if anybody else could change one of these; what is not there others tell of."""
        for path in paths:
            try:
                self.follow(path)
            except OSError:
                pass
        for doubt in self.doubts:
            if doubt.refused:
                raise CannotStart(f"{doubt.path} {doubt.why}: who can change it decides what runs (SEC-1)")

    def require_program(self, program: str) -> None:
        """Raise CannotStart if anybody else could change a program, or its interpreter."""
        self.require(list_program(program))

    def _step(self, directory: str, name: str) -> str:
        path = f"{directory}/{name}"
        real = self._real.get(path)
        if real is not None:
            return real
        if name in ("", "."):
            return directory
        return directory.rpartition("/")[0] if name == ".." else self._look(directory, path)

    def _look(self, directory: str, path: str) -> str:
        status = posix.lstat(path)
        mode, owner = status.st_mode, status.st_uid
        if owner not in self.owners or (mode & self._doubtful and is_changed_by_writing(mode, is_roots=owner == 0)):
            from runner.launch.doubts import judge

            self.doubts.append(judge(path, mode, owner, self.owners))
        self._real[path] = path  # a link that leads to itself leads nowhere
        if mode >> 12 == _LINK:
            try:
                self._real[path] = self.follow(posix.readlink(path), directory)
            except OSError:
                del self._real[path]
                raise
        return self._real[path]


def is_changed_by_writing(mode: int, *, is_roots: bool) -> bool:
    """Whether who can write to something of that mode can change what is found there.

    The mode of a link says nothing, and what is written to ``/dev/null`` nobody reads.
    """
    return mode >> 12 not in (_LINK, _DEVICE) and not (is_roots and mode & _SHARED == _SHARED)


def walk_home(place: Place, plan: Plan) -> Walk:
    """Look at all that a run of a plan executes or believes before its first program; CannotStart if it must not."""
    home = place.home
    walk = Walk(posix.geteuid())
    if place.release != "-":
        walk.let_own(posix.stat(home).st_uid)
    walk.require([*[f"{home}/{name}" for name in _WRAPPER], f"{home}/{PLANS}/{plan.name}.plan", place.state])
    return walk


def list_program(program: str) -> list[str]:
    """Return a program, and the interpreter that its first line names."""
    try:
        words = read_first_line(program)[2:].split(None, 1)
    except OSError:
        words = []  # one that can only be executed
    return [program, *[word.decode("utf-8", "surrogateescape") for word in words[:1]]]


def read_first_line(program: str) -> bytes:
    """Return the ``#!`` line of a program without its newline, empty if it has none; OSError if it cannot be read."""
    descriptor = posix.open(program, posix.O_RDONLY | posix.O_CLOEXEC | posix.O_NONBLOCK)
    try:
        first = posix.read(descriptor, _FIRST_BYTES)
    finally:
        posix.close(descriptor)
    return first.split(b"\n", 1)[0] if first[:2] == b"#!" else b""
