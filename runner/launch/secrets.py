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
        A file cannot be read, or holds nothing or a NUL; the text names the file and never its content.
    """
    for name, path in secrets:
        file = expand_path(path, home)
        try:
            value = _read(file).removesuffix(b"\n").removesuffix(b"\r")
        except OSError as error:
            raise CannotStart(f"secret {name} in {file}: {error.strerror}") from None
        if not value or b"\0" in value:
            raise CannotStart(f"secret {name} in {file}: it {'has a NUL in it' if value else 'is empty'}")
        environment[name] = value.decode("utf-8", "surrogateescape")


def _read(path: str) -> bytes:
    """Return what a file holds; unlike ours in the state directory, it may be reached by a link."""
    descriptor = posix.open(path, posix.O_RDONLY | posix.O_CLOEXEC | posix.O_NONBLOCK)
    try:
        return posix.read(descriptor, _MOST_BYTES)
    finally:
        posix.close(descriptor)
