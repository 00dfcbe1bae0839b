"""Why the kernel would not execute a program, in words that name the remedy's place (RUN-22)."""

from __future__ import annotations

import posix

from runner.launch.outcome import CODE_NOT_FOUND, CannotStart
from runner.launch.trust import read_first_line

_ENOENT, _ENOEXEC, _EACCES, _E2BIG = 2, 8, 13, 7


def explain_refusal(program: str, error: OSError) -> CannotStart:
    """Return why the kernel would not execute `program`, in words that name the remedy's place (RUN-22)."""
    if error.errno == _ENOENT:
        try:
            posix.stat(program)
        except OSError:
            return CannotStart(f'no file "{program}"', CODE_NOT_FOUND)
        return CannotStart(f"{program}: {_explain_interpreter(program)}")
    if error.errno == _ENOEXEC:
        return CannotStart(f"{program}: no #! line, and not a program of this machine")
    if error.errno == _EACCES:
        return CannotStart(f"{program}: not executable (chmod +x), or not permitted to this user")
    if error.errno == _E2BIG:
        return CannotStart(f"{program}: arguments and environment are too long")
    return CannotStart(f"{program}: {error.strerror}")


def _explain_interpreter(program: str) -> str:
    try:
        first = read_first_line(program)
    except OSError as error:
        return str(error.strerror)
    if not first:
        return "the loader it was linked for is missing"
    if first.endswith(b"\r"):
        return "interpreter name ends in a carriage return (the file has DOS line ends)"
    words = first[2:].split()
    return f'bad interpreter "{words[0].decode("utf-8", "backslashreplace") if words else ""}"'
