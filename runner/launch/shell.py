"""Scripts for the shells that setups are written for (PROF-27, PROF-53).

Commands stand on separate lines with a check of the status behind each, since a shell that is given one line goes on
after an error and still ends well. A script is a file in memory: it has a name that any shell can open, is private,
and nothing of it is left behind whatever happens.
"""

from __future__ import annotations

import posix

from runner.launch.activation import Change
from runner.launch.environment import expand_path, fill_home
from runner.launch.plan import PLAIN, show_word
from runner.launch.state import write_all

# Without their rc files (PROF-26).
SHELLS = {
    "sh": ("sh",),
    "bash": ("bash", "--noprofile", "--norc"),
    "tcsh": ("tcsh", "-f"),
    "csh": ("csh", "-f"),
}
TOOLS = "/usr/bin:/bin"
FAILED, NO_DUMP = 97, 98


class Setup:
    """What a shell is to do: ``form`` is ``source eval run``, ``words`` the file or command, and its arguments.

    ``rc`` is a file to be sourced before, empty for none.
    """

    __slots__ = ("form", "is_csh", "rc", "shell", "words")

    def __init__(self, shell: str, form: str, words: list[str], rc: str = "") -> None:
        self.shell = shell
        self.form = form
        self.words = words
        self.rc = rc
        self.is_csh = shell in ("csh", "tcsh")


class MemoryFile:
    """A file that others of the same user can open by its ``path`` as long as we live."""

    __slots__ = ("_descriptor", "path")

    def __init__(self, text: str = "") -> None:
        self._descriptor = posix.memfd_create("runner", posix.MFD_CLOEXEC)
        self.path = f"/proc/{posix.getpid()}/fd/{self._descriptor}"
        self.write(text.encode("utf-8", "surrogateescape"))

    def write(self, data: bytes) -> None:
        """Add to it."""
        write_all(self._descriptor, data)

    def read(self) -> bytes:
        """Return what is in it now."""
        return posix.pread(self._descriptor, posix.fstat(self._descriptor).st_size, 0)

    def close(self) -> None:
        """Let it go."""
        posix.close(self._descriptor)


def read_setup(change: Change, home: str) -> Setup:
    """Return the setup of a plan, its files on this machine."""
    details = dict(change.details)
    form = next(form for form in ("source", "eval", "run") if form in details)
    target = expand_path(details[form], home) if form == "source" else fill_home(details[form], home)
    arguments = [fill_home(text, home) for key, text in change.details if key == "arg"]
    rc = expand_path(details["rc"], home) if "rc" in details else ""
    return Setup(details["shell"], form, [target, *arguments], rc)


def checked(setup: Setup, line: str, code: int) -> list[str]:
    """Return a line of a script and the check of its status behind it."""
    return [line, f"if ($status) exit {code}" if setup.is_csh else f"[ $? -eq 0 ] || exit {code}"]


def into(setup: Setup) -> str:
    """Return the sign that writes to a file whatever the shell was told about overwriting."""
    return ">!" if setup.is_csh else ">" if setup.shell == "sh" else ">|"


def write_setup(setup: Setup, code: str, *, is_silent: bool = False) -> list[str]:
    """Return the lines that do the setup; `code` is the path of a file for what ``eval`` prints."""
    silently = "" if not is_silent else " >& /dev/null" if setup.is_csh else " >/dev/null 2>&1"
    lines = checked(setup, write_source(setup, [setup.rc]) + silently, FAILED) if setup.rc else []
    if setup.form == "source":
        return lines + checked(setup, write_source(setup, setup.words) + silently, FAILED)
    if setup.form == "run":
        return lines + checked(setup, setup.words[0] + silently, FAILED)
    # By way of a file: the command's own status counts, and its lines stay lines.
    opened, closed = ("(", ")") if setup.is_csh else ("{", "}")
    lines += [f"{opened} {setup.words[0]}", *checked(setup, f"{closed} {into(setup)} {code}", FAILED)]
    return lines + checked(setup, write_source(setup, [code]) + silently, FAILED)


def write_source(setup: Setup, words: list[str]) -> str:
    """Return the line that reads a file with its arguments into the shell."""
    quoted = [quote(word, is_csh=setup.is_csh) for word in words]
    if setup.is_csh:
        return f"source {' '.join(quoted)}"
    if setup.shell == "sh" and len(words) > 1:  # its dot takes no arguments
        return f"set -- {' '.join(quoted[1:])}; . {quoted[0]}"
    return f". {' '.join(quoted)}"


def quote(word: str, *, is_csh: bool) -> str:
    """Return a word as a shell reads it back, byte for byte (PROF-53)."""
    quoted = show_word(word)
    return quoted.replace("!", "\\!").replace("\n", "\\\n") if is_csh else quoted


def is_variable_name(name: str) -> bool:
    """Whether every shell takes `name` for a variable's, and nothing else for a command."""
    return name.isascii() and name.isidentifier()


def write_variable(name: str, value: str | None, *, is_csh: bool) -> str:
    """Return the line that exports a variable, or takes it away where there is no value."""
    if value is None:
        return f"unsetenv {name}" if is_csh else f"unset {name}"
    quoted = quote(value, is_csh=is_csh)
    return f"setenv {name} {quoted}" if is_csh else f"export {name}={quoted}"


def write_command(setup: Setup, words: list[str]) -> str:
    """Return the line that runs words; the first stands bare where it can, or it would be no alias (PROF-53)."""
    first, *rest = words
    bare = first if first and PLAIN.issuperset(first) else quote(first, is_csh=setup.is_csh)
    return " ".join([bare, *[quote(word, is_csh=setup.is_csh) for word in rest]])
