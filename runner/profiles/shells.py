"""Running a setup in the shell that it was written for, and reading back the environment that it leaves.

The script stands on separate lines with a check of the status behind each, since a shell that is given one line goes
on after an error and still ends well (PROF-27). Script and dumps are files in memory: they have a name that any shell
can open, are private, and nothing of them is left behind whatever happens.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from runner.launch.activation import Activation
from runner.launch.attempt import Attempt, Stopper
from runner.launch.environment import find_program
from runner.launch.log import Log
from runner.launch.outcome import OK, TIMED_OUT, CannotStart, Ending
from runner.launch.plan import Plan, Step
from runner.launch.state import write_all

# Without their rc files (PROF-26).
SHELLS = {
    "sh": ("sh",),
    "bash": ("bash", "--noprofile", "--norc"),
    "tcsh": ("tcsh", "-f"),
    "csh": ("csh", "-f"),
}
TOOLS = "/usr/bin:/bin"
_FAILED, _NO_DUMP = 97, 98
_STATE_OF = "/proc/self/limits /proc/self/status"


@dataclass(frozen=True, slots=True)
class Setup:
    """What a shell is to do: ``form`` is ``source eval run``, ``words`` the file or command, and arguments."""

    shell: str
    form: str
    words: tuple[str, ...]
    rc: str = ""

    @property
    def is_csh(self) -> bool:
        """Whether the shell speaks csh."""
        return self.shell in ("csh", "tcsh")


@dataclass(frozen=True, slots=True)
class Dump:
    """The environment of a shell before and after its setup, and how umask, limits and directory changed."""

    before: Mapping[str, str]
    after: Mapping[str, str]
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class MemoryFile:
    """A file that has a name as long as we live, and no place on any disk."""

    data: bytes = b""
    _descriptor: int = field(init=False)

    def __post_init__(self) -> None:
        self._descriptor = os.memfd_create("runner", os.MFD_CLOEXEC)
        self.write(self.data)

    @property
    def path(self) -> str:
        """What others of the same user can open it by."""
        return f"/proc/{os.getpid()}/fd/{self._descriptor}"

    def read(self) -> bytes:
        """Return what is in it now."""
        return os.pread(self._descriptor, os.fstat(self._descriptor).st_size, 0)

    def write(self, data: bytes) -> None:
        """Add to it."""
        write_all(self._descriptor, data)

    def close(self) -> None:
        """Let it go."""
        os.close(self._descriptor)


def run_setup(setup: Setup, environment: Mapping[str, str], activation: Activation, log: Log, left_s: float) -> Dump:
    """Run a setup; return what it did. Its stdout goes to `log`.

    Raises
    ------
    CannotStart
        It failed, by any of the signs of PROF-41; the text is the failing line.
    """
    files = {name: MemoryFile() for name in ("bare", "code", "dump", "old", "new")}
    paths = {name: file.path for name, file in files.items()}
    script = MemoryFile(
        "".join([f"{line}\n" for line in write_script(setup, paths)]).encode("utf-8", "surrogateescape")
    )
    try:
        shell, *options = SHELLS[setup.shell]
        words = [find_program(shell, TOOLS, "/"), *options, script.path]
        attempt, ending = run_words(words, environment, activation, log, left_s)
        _refuse_failure(attempt, ending, activation, script.path, left_s)
        before, after = [_parse_dump(files[name].read()) for name in ("bare", "dump")]
        old, new = [_parse_state(files[name].read()) for name in ("old", "new")]
        return Dump(before, after, tuple(_compare(before, after, old, new)))
    finally:
        for file in (script, *files.values()):
            file.close()


def run_words(
    words: list[str], environment: Mapping[str, str], activation: Activation, log: Log, left_s: float
) -> tuple[Attempt, Ending]:
    """Run a program by its absolute name, in a session of its own; its whole tree ends at the timeout (PROF-26)."""
    plan = Plan("activation", "activation", "-")
    plan.timeout_s, plan.grace_s, plan.survivors = max(left_s, 0.01), 0.5, "allow"
    plan.stderr_allow = activation.stderr_allow
    stopper = Stopper()
    try:
        attempt = Attempt(plan, dict(environment), "/", log, stopper, 0)
        try:
            ending = attempt.run([Step("success", words)], lambda pid: None)
        finally:
            attempt.close()
    finally:
        stopper.let_go()
    return attempt, ending


def write_script(setup: Setup, paths: Mapping[str, str]) -> list[str]:
    """Return the lines of the script: dump, rc file, setup, dump, each with its check."""
    check = "if ($status) exit {}" if setup.is_csh else "[ $? -eq 0 ] || exit {}"
    into = ">!" if setup.is_csh else ">" if setup.shell == "sh" else ">|"

    def checked(line: str, code: int) -> list[str]:
        return [line, check.format(code)]

    def dump(environment: str, state: str) -> list[str]:
        lines = checked(f"/usr/bin/env -0 {into} {paths[environment]}", _NO_DUMP)
        return lines + checked(f"/bin/cat {_STATE_OF} {into} {paths[state]}", _NO_DUMP)

    lines = dump("bare", "old")
    if setup.rc:
        lines += checked(_write_source(setup, (setup.rc,)), _FAILED)
    if setup.form == "source":
        lines += checked(_write_source(setup, setup.words), _FAILED)
    elif setup.form == "eval":
        # By way of a file: the command's own status counts, and its lines stay lines.
        group = ("(", ")") if setup.is_csh else ("{", "}")
        lines += [f"{group[0]} {setup.words[0]}", *checked(f"{group[1]} {into} {paths['code']}", _FAILED)]
        lines += checked(_write_source(setup, (paths["code"],)), _FAILED)
    else:
        lines += checked(setup.words[0], _FAILED)
    return lines + dump("dump", "new")


def _write_source(setup: Setup, words: tuple[str, ...]) -> str:
    quoted = " ".join([quote(word, is_csh=setup.is_csh) for word in words])
    if setup.is_csh:
        return f"source {quoted}"
    if setup.shell == "sh" and len(words) > 1:
        arguments = " ".join([quote(word, is_csh=False) for word in words[1:]])
        return f"set -- {arguments}; . {quote(words[0], is_csh=False)}"
    return f". {quoted}"


def quote(word: str, *, is_csh: bool) -> str:
    """Return a word as a shell reads it back, byte for byte (PROF-53)."""
    quoted = "'" + word.replace("'", "'\\''") + "'"
    return quoted.replace("!", "\\!").replace("\n", "\\\n") if is_csh else quoted


def _refuse_failure(attempt: Attempt, ending: Ending, activation: Activation, script: str, left_s: float) -> None:
    """Raise CannotStart with the failing line, if there is one (PROF-41)."""
    lines = [_clean(line, script) for line in attempt.err.head.decode("utf-8", "replace").splitlines()]
    unexpected = [line for line in lines if line and not _is_allowed(line, activation.stderr_allow)]
    if ending.outcome == TIMED_OUT:
        raise CannotStart(f"timeout after {left_s:.3g} s" + (f": {unexpected[-1]}" if unexpected else ""))
    if ending.outcome != OK:
        what = {_FAILED: "it ended with an error", _NO_DUMP: "its environment could not be read"}
        cause = what.get(ending.exit_code, ending.reason)
        raise CannotStart(unexpected[-1] if unexpected else cause)
    if unexpected and activation.stderr == "fail":
        raise CannotStart(unexpected[0])


def _clean(line: str, script: str) -> str:
    """Return a line of stderr without the name of our script and its number, which mean nothing to people."""
    return re.sub(f"^{re.escape(script)}: (line )?[0-9]+: ", "", line).strip()


def _is_allowed(line: str, expressions: list[str]) -> bool:
    return any(re.search(expression, line) for expression in expressions)


def _parse_dump(data: bytes) -> dict[str, str]:
    """Return the variables of ``env -0``; CannotStart if it is no whole dump: the shell has gone away before."""
    if not data.endswith(b"\0"):
        raise CannotStart("it left the shell before its end: no environment to be read")
    pairs = [entry.partition("=") for entry in data.decode("utf-8", "surrogateescape").split("\0")[:-1]]
    return {name: value for name, _, value in pairs}


def _parse_state(data: bytes) -> dict[str, str]:
    """Return limits and umask by name."""
    lines = [re.split(r"\s{2,}|:\t", line) for line in data.decode("ascii", "replace").splitlines()]
    return {line[0]: " ".join(line[1:3]) for line in lines if line[0].startswith(("Max ", "Umask"))}


def _compare(
    before: Mapping[str, str], after: Mapping[str, str], old: Mapping[str, str], new: Mapping[str, str]
) -> list[str]:
    """Return what a setup changed that no snapshot can hold (PROF-30)."""
    notes = [f"{name} from {old[name]} to {new.get(name, '?')}" for name in old if old[name] != new.get(name)]
    if before.get("PWD") != after.get("PWD"):
        notes.append(f"the directory to {after.get('PWD')}")
    notes += [f"the function {name}" for name in sorted(after) if name.startswith("BASH_FUNC_") and name not in before]
    return [f"it changes {note}, which only mode: inside keeps" for note in notes]
