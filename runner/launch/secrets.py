"""The secrets of a job: variables whose values are read from files when the run starts (PROF-4, SEC-7).

They are in the job's environment and nowhere else: not in the plan, the log, the journal or the digest of the
environment. What the job or its profile says of them is scrubbed.
"""

from __future__ import annotations

import posix

from runner.launch.environment import expand_path
from runner.launch.outcome import CannotStart

_MOST_BYTES = 65536


def load_secrets(environment: dict[str, str], secrets: list[tuple[str, str]], home: str) -> None:
    """Set each variable to what its file holds, without the newline at its end.

    Raises
    ------
    CannotStart
        A file cannot be read, everybody can read it, or it holds nothing or a NUL; the text names the file and
        never its content.
    """
    for name, path in secrets:
        file = expand_path(path, home)
        try:
            mode, data = _read(file)
            value = data.removesuffix(b"\n").removesuffix(b"\r")
        except OSError as error:
            raise CannotStart(f"secret {name} in {file}: {error.strerror}") from None
        if is_exposed(mode):
            raise CannotStart(f"secret {name} in {file}: it {explain_exposed(mode)}: chmod 600")
        if not value or b"\0" in value:
            raise CannotStart(f"secret {name} in {file}: it {'has a NUL in it' if value else 'is empty'}")
        environment[name] = value.decode("utf-8", "surrogateescape")


def is_exposed(mode: int) -> bool:
    """Whether users who have nothing to do with it can read or write a file; its group may."""
    return bool(mode & 0o006)


def explain_exposed(mode: int) -> str:
    """Return what is wrong with its mode, as ssh says it of keys."""
    return f"can be {'read' if mode & 0o004 else 'written'} by everybody (mode {mode & 0o7777:04o})"


def _read(path: str) -> tuple[int, bytes]:
    """Return the mode of a file and what it holds; unlike ours in the state directory, it may be reached by a link."""
    descriptor = posix.open(path, posix.O_RDONLY | posix.O_CLOEXEC | posix.O_NONBLOCK)
    try:
        return posix.fstat(descriptor).st_mode, posix.read(descriptor, _MOST_BYTES)
    finally:
        posix.close(descriptor)
