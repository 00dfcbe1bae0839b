"""Running a setup in the shell that it was written for, and reading back the environment that it leaves."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from runner.launch.activation import Activation
from runner.launch.aside import run_aside
from runner.launch.attempt import Attempt, Stopper
from runner.launch.environment import find_program
from runner.launch.log import Log
from runner.launch.orphans import become_subreaper
from runner.launch.outcome import OK, TIMED_OUT, CannotStart, Ending
from runner.launch.shell import FAILED, NO_DUMP, SHELLS, TOOLS, MemoryFile, Setup, checked, into, write_setup

# Files that a shell would read before its script (PROF-26).
_READ_BY_SHELLS = ("BASH_ENV", "ENV")
_STATE_OF = "/proc/self/limits /proc/self/status"


@dataclass(frozen=True, slots=True)
class Dump:
    """The environment of a shell before and after its setup, and how umask, limits and directory changed."""

    before: Mapping[str, str]
    after: Mapping[str, str]
    notes: tuple[str, ...] = ()


def run_setup(setup: Setup, environment: Mapping[str, str], activation: Activation, log: Log, left_s: float) -> Dump:
    """Run a setup; return what it did. Its stdout goes to `log`.

    Raises
    ------
    CannotStart
        It failed, by any of the signs of PROF-41; the text is the failing line.
    """
    files = {name: MemoryFile() for name in ("bare", "code", "dump", "old", "new")}
    paths = {name: file.path for name, file in files.items()}
    script = MemoryFile("".join([f"{line}\n" for line in write_script(setup, paths)]))
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
    stopper = Stopper()
    become_subreaper()
    try:
        clean = {name: value for name, value in environment.items() if name not in _READ_BY_SHELLS}
        return run_aside(words, clean, log, stopper, left_s, activation.stderr_allow)
    finally:
        become_subreaper(is_one=False)
        stopper.let_go()


def write_script(setup: Setup, paths: Mapping[str, str]) -> list[str]:
    """Return the lines of the script: dump, setup, dump, each with its check."""

    def dump(environment: str, state: str) -> list[str]:
        lines = checked(setup, f"/usr/bin/env -0 {into(setup)} {paths[environment]}", NO_DUMP)
        return lines + checked(setup, f"/bin/cat {_STATE_OF} {into(setup)} {paths[state]}", NO_DUMP)

    return [*dump("bare", "old"), *write_setup(setup, paths["code"]), *dump("dump", "new")]


def _refuse_failure(attempt: Attempt, ending: Ending, activation: Activation, script: str, left_s: float) -> None:
    """Raise CannotStart with the failing line, if there is one (PROF-41)."""
    kept = attempt.err.head
    if attempt.err.tail:
        kept = kept[: kept.rfind(b"\n") + 1]  # the last line of it may be half of one
    lines = [_clean(line, script) for line in kept.decode("utf-8", "replace").splitlines()]
    unexpected = [line for line in lines if line and not _is_allowed(line, activation.stderr_allow)]
    if ending.outcome == TIMED_OUT:
        raise CannotStart(f"timeout after {left_s:.3g} s" + (f": {unexpected[-1]}" if unexpected else ""))
    if ending.outcome != OK:
        what = {FAILED: "it ended with an error", NO_DUMP: "its environment could not be read"}
        cause = what.get(ending.exit_code, ending.reason)
        raise CannotStart(unexpected[-1] if unexpected else cause)
    if attempt.err.unexpected and activation.stderr == "fail":  # of all lines, also of those that are not kept
        raise CannotStart(unexpected[0] if unexpected else "it said more than is allowed on stderr")


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
