"""``with-profile NAME COMMAND...``: one command in a profile, at the price of a snapshot (PROF-52).

Where there is no snapshot that is still true, ``runner profile exec`` does the same by way of the profile's YAML.
"""

from __future__ import annotations

import posix
import sys
import time

from runner.launch.environment import (
    add_jobside,
    apply_changes,
    base_environment,
    check_environment,
    find_program,
)
from runner.launch.gates import is_profile_name, read_place
from runner.launch.outcome import CODE_BUG, CODE_CANNOT_EXECUTE, CannotStart
from runner.launch.refusal import explain_refusal
from runner.launch.snapshot import find_refusal, find_snapshot, identify_activation, read_activation
from runner.launch.state import read_file

USAGE = "usage: with-profile NAME COMMAND [ARGUMENT...]\n"
_FROM_FILE = "--words"
# Python ignores these two; a command that it becomes would inherit that.
_SIGPIPE, _SIGXFSZ = 13, 25


def start(home: str, interpreter: str) -> NoReturn:
    """Become the command of ``--with-profile DIRECTORY NAME COMMAND...``, in that directory: the caller's.

    ``--words FILE COUNT`` in place of name and command stands for the last COUNT words of a file of words that end in
    NUL, which is removed: words that a csh could not pass on.
    """
    directory, words = sys.argv[2], sys.argv[3:]
    try:
        posix.chdir(directory)
        if words[:1] == [_FROM_FILE]:
            words = _take_words(words[1], int(words[2]))
        if words[1:2] == ["--"]:
            del words[1]
        if len(words) < 2 or not is_profile_name(words[0]):
            _leave(USAGE, 2)
        environment = _find_environment(home, *words[:2])
        if environment is None:
            _become_runner(home, interpreter, words)
        become(words[1:], environment)
    except CannotStart as cause:
        _leave(f"with-profile: {cause}\n", cause.code)
    except OSError as error:
        _leave(f"with-profile: {error.filename or directory}: {error.strerror}\n", CODE_CANNOT_EXECUTE)
    except BaseException:
        sys.excepthook(*sys.exc_info())  # a bug
        posix._exit(CODE_BUG)


def become(words: list[str], environment: dict[str, str]) -> NoReturn:
    """Become a command of a person's, found on the PATH of the environment; CannotStart if that cannot be.

    Directory, streams and the terminal are the caller's; a word with a slash begins there, not in the home.
    """
    import _signal

    program = words[0]
    if "/" not in program:
        program = find_program(program, environment.get("PATH", ""), "")
    for number in (_SIGPIPE, _SIGXFSZ):
        _signal.signal(number, _signal.SIG_DFL)
    exported = {_encode(name): _encode(value) for name, value in environment.items()}
    try:
        posix.execve(program, words, exported)
    except OSError as error:
        raise explain_refusal(program, error) from None


def _find_environment(home: str, profile: str, program: str) -> dict[str, str] | None:
    """Return what a job of the profile would have, None if only its YAML can tell; CannotStart if that is not whole."""
    place = read_place(home)
    snapshot = None if place.fault else find_snapshot(place.state, profile, place.host)
    if snapshot is None:
        return None
    activation = read_activation(snapshot)
    environment = base_environment(place.user, place.user_home)
    identity = identify_activation(activation, environment, place.home, place.host)
    if activation.mode != "snapshot" or find_refusal(snapshot, identity, time.time(), with_sources=True):
        return None
    apply_changes(environment, snapshot.changes)
    check_environment(environment, activation, profile, home)
    if place.plan.guard:
        from runner.launch.guard import guard_command

        for warning in guard_command(place, activation, profile, environment, [program]):
            sys.stderr.write(f"with-profile: {warning}\n")
    if snapshot.secrets:
        from runner.launch.secrets import load_secrets

        load_secrets(environment, snapshot.secrets, home)
    add_jobside(environment, home)
    return environment


def _take_words(file: str, count: int) -> list[str]:
    data = read_file(file)
    posix.unlink(file)
    if not count or not data:
        return []
    return [word.decode("utf-8", "surrogateescape") for word in data.split(b"\0")[:-1][-count:]]


def _become_runner(home: str, interpreter: str, words: list[str]) -> NoReturn:
    command = [interpreter, "-I", "-X", "utf8", "-m", "runner.cli.main", "--home", home, "profile", "exec"]
    become([*command, words[0], "--", *words[1:]], {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"})


def _leave(said: str, code: int) -> NoReturn:
    sys.stderr.write(said)
    sys.stderr.flush()
    posix._exit(code)


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn
