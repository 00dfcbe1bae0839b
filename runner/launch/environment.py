"""The environment of a job, built from nothing, and the program its first word means (RUN-19, RUN-22, PROF-4)."""

from __future__ import annotations

import posix

from runner.launch.activation import Activation, Change
from runner.launch.outcome import CODE_NOT_FOUND, CannotStart
from runner.launch.state import read_file

JOBSIDE = ".runner/jobside"
_LISTS_SEPARATOR = ":"


def base_environment(user: str, user_home: str) -> dict[str, str]:
    """Return what every job has; `user` and its directory are of the password database, not the caller's (PROF-2)."""
    return {
        "HOME": user_home,
        "LOGNAME": user,
        "USER": user,
        "SHELL": "/bin/sh",
        "LANG": "C.UTF-8",
        "PATH": "/usr/bin:/bin",
        # Git would ask for a password on the terminal that a job has not got (FAULT-13).
        "GIT_TERMINAL_PROMPT": "0",
    }


def add_jobside(environment: dict[str, str], home: str) -> None:
    """Let Python find ``runner.job``, behind all that profile and entry have on PYTHONPATH.

    A home with a colon in its path has no place there: a part of it would be taken for a directory (SEC-5).
    """
    if ":" not in home:
        theirs = environment.get("PYTHONPATH")
        environment["PYTHONPATH"] = f"{theirs}:{home}/{JOBSIDE}" if theirs else f"{home}/{JOBSIDE}"


def enter_directory(cwd: str, home: str) -> None:
    """Make `cwd`, or the home where it is empty, the working directory; CannotStart if that cannot be."""
    directory = expand_path(cwd, home) if cwd else home
    directory = directory if directory[0] == "/" else f"{home}/{directory}"
    try:
        posix.chdir(directory)
    except OSError as error:
        raise CannotStart(f"cwd {directory}: {error.strerror}") from None


def apply_rules(environment: dict[str, str], activation: Activation, profile: str, home: str) -> None:
    """Apply the changes of an activation that needs no program; CannotStart if one fails (RUN-21)."""
    for change in activation.changes:
        apply_changes(environment, resolve(change, profile, home))


def resolve(change: Change, profile: str, home: str) -> list[Change]:
    """Return what a change by rule does on this machine: literal ``set unset prepend append``."""
    if change.verb == "venv":
        return _resolve_venv(expand_path(change.value, home), profile)
    if change.verb == "set":
        return [Change("set", change.name, fill_home(change.value, home))]
    if change.verb == "paths":
        paths = [expand_path(path, home) for path in change.value.split(_LISTS_SEPARATOR)]
        return [Change("set", change.name, _LISTS_SEPARATOR.join(paths))]
    return [Change(change.verb, change.name, expand_path(change.value, home))]


def apply_changes(environment: dict[str, str], changes: list[Change]) -> None:
    """Apply literal changes, in order."""
    for change in changes:
        if change.verb == "set":
            environment[change.name] = change.value
        elif change.verb == "unset":
            environment.pop(change.name, None)
        else:
            value, old = change.value, environment.get(change.name)
            pair = (value, old) if change.verb == "prepend" else (old, value)
            environment[change.name] = _LISTS_SEPARATOR.join([part for part in pair if part])


def check_environment(environment: dict[str, str], activation: Activation, profile: str, home: str) -> None:
    """Raise CannotStart unless PATH is safe (PROF-5) and what the profile requires at each run is there (PROF-43)."""
    if not environment.get("HOME"):
        raise CannotStart(f"profile {profile}: it leaves no HOME")
    _check_path(environment.get("PATH", ""), profile)
    for kind, text in activation.requires:
        name, equals, value = text.partition("=")
        if kind == "command" and not _find_on_path(text, environment["PATH"]):
            raise CannotStart(f"profile {profile}: require: no command {text} on PATH {environment['PATH']}")
        if kind == "env" and (not environment.get(name) or (equals and environment[name] != fill_home(value, home))):
            raise CannotStart(f"profile {profile}: require: {name} is not {'as required' if equals else 'set'}")
        if kind == "file" and not posix.access(path := expand_path(text, home), posix.R_OK):
            raise CannotStart(f"profile {profile}: require: {path} cannot be read")


def fill_home(value: str, home: str) -> str:
    """Return a value of a plan with ``{home}`` and ``{~ACCOUNT}`` replaced, ``{{`` and ``}}`` as the braces they mean.

    ``{~ACCOUNT}`` is what the compiler makes of ``{account_home}``: only the machine knows it. CannotStart if not.
    """
    if "{" not in value and "}" not in value:
        return value
    # In this order: in {{{home}}} the braces around {home} are literal ones.
    value = value.replace("{{", "\0")
    if "{~" in value:
        value, *others = value.split("{~")
        for other in others:
            account, _, rest = other.partition("}")
            value += _find_account_home(account, "{account_home}") + rest
    return value.replace("{home}", home).replace("}}", "}").replace("\0", "{")


def expand_path(value: str, home: str) -> str:
    """Return a path of a plan: as `fill_home`, and a leading ``~`` or ``~name`` by the password database (PROF-2)."""
    if value[:1] == "~":
        name, slash, rest = value[1:].partition("/")
        return _find_account_home(name, value) + slash + fill_home(rest, home)
    return fill_home(value, home)


def _find_account_home(name: str, value: str) -> str:
    """Return the directory that the password database has for an account, our own if it has no name."""
    import pwd

    try:
        entry = pwd.getpwnam(name) if name else pwd.getpwuid(posix.getuid())
    except KeyError:
        raise CannotStart(f"no user {name!r} for {value!r}") from None
    return entry.pw_dir


def find_program(word: str, path: str, home: str) -> str:
    """Return the file that a command's first word means, absolute; CannotStart if there is none.

    A word with a slash is taken from the release, one without from `path` (DESIGN section 5).
    """
    if "/" in word:
        return word if word[0] == "/" else f"{home}/{word}"
    found = _find_on_path(word, path)
    if not found:
        raise CannotStart(f'no program "{word}" on PATH {path}', CODE_NOT_FOUND)
    return found


def _find_on_path(word: str, path: str) -> str:
    """Return the file of a command, empty if there is none."""
    for directory in path.split(_LISTS_SEPARATOR):
        candidate = f"{directory}/{word}"
        if _is_executable(candidate):
            return candidate
    return ""


def _resolve_venv(tree: str, profile: str) -> list[Change]:
    """Return what activates a virtual environment, by rule, no script sourced (PROF-20)."""
    settings = _read_text(f"{tree}/pyvenv.cfg")
    if settings is None:
        raise CannotStart(f"profile {profile}: venv: no {tree}/pyvenv.cfg")
    if not _is_executable(f"{tree}/bin/python"):
        raise CannotStart(f"profile {profile}: venv: no program {tree}/bin/python")
    other = named_tree(_read_text(f"{tree}/bin/activate") or "")
    if other and not is_same_directory(other, tree):
        raise CannotStart(f"profile {profile}: venv: {tree} was copied from {other}; make it anew")
    return [
        Change("set", "VIRTUAL_ENV", tree),
        Change("set", "VIRTUAL_ENV_PROMPT", tree.rstrip("/").rpartition("/")[2]),
        Change("prepend", "PATH", f"{tree}/bin"),
        Change("unset", "PYTHONHOME"),
    ]


def named_tree(script: str) -> str:
    """Return the tree that an ``activate`` script would switch to, empty if it computes it."""
    for line in script.split("\n"):
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if name == "VIRTUAL_ENV" and equals:
            value = value.strip("\"'")
            return value if value[:1] == "/" else ""
    return ""


def _check_path(path: str, profile: str) -> None:
    for element in path.split(_LISTS_SEPARATOR):
        if element[:1] != "/":
            raise CannotStart(f"profile {profile}: PATH has the element {element!r}, which is not absolute (SEC-5)")
        if _is_open_to_all(element):
            raise CannotStart(f"profile {profile}: PATH has {element}, in which anybody may put programs (SEC-5)")


def _is_executable(path: str) -> bool:
    try:
        return posix.stat(path).st_mode >> 12 == 0o10 and posix.access(path, posix.X_OK)
    except OSError:
        return False


def _is_open_to_all(directory: str) -> bool:
    try:
        return bool(posix.stat(directory).st_mode & 0o002)
    except OSError:
        return False


def real_path(path: str) -> str:
    """Return a path without symbolic links, as the kernel follows them."""
    descriptor = posix.open(path, posix.O_PATH | posix.O_CLOEXEC)
    try:
        return posix.readlink(f"/proc/self/fd/{descriptor}")
    finally:
        posix.close(descriptor)


def is_same_directory(one: str, other: str) -> bool:
    """Whether two paths lead to one directory."""
    try:
        first, second = posix.stat(one), posix.stat(other)
    except OSError:
        return False
    return (first.st_dev, first.st_ino) == (second.st_dev, second.st_ino)


def _read_text(path: str) -> str | None:
    try:
        data = read_file(path)
    except OSError:
        return None
    return None if data is None else data.decode("utf-8", "surrogateescape")
