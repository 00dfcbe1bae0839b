"""``mode: inside``: the words of a job run in the very shell of its profile's setup, for aliases, limits and umask.

The profile was activated before, as for any run, so that a setup that fails has started nothing and what it leaves was
judged. Here it is done once more, silently; then every variable gets the value that it had then, and the words follow.
"""

from __future__ import annotations

from runner.launch.environment import find_program
from runner.launch.outcome import STOPPED, TIMED_OUT, CannotStart, Ending, refuse
from runner.launch.plan import Step
from runner.launch.shell import (
    SHELLS,
    TOOLS,
    MemoryFile,
    Setup,
    into,
    is_variable_name,
    quote,
    read_setup,
    write_command,
    write_setup,
    write_variable,
)

# What a script has come to.
_AT_SETUP, _BEGUN = b"setup", b"begun"
# What every shell keeps for itself.
_OF_THE_SHELL = ("PWD", "OLDPWD", "SHLVL", "_")


class Inside:
    """The scripts that run the steps of a job, or one command, in the shell of a setup; ``steps`` start them."""

    __slots__ = ("_files", "_marks", "_setup", "steps")

    def __init__(
        self, activation: Activation, home: str, environment: dict[str, str], hidden: set[str], steps: list[Step]
    ) -> None:
        """Write a script for each step; CannotStart if its words cannot be said in that shell.

        `environment` was judged; the variables `hidden`, secrets, are in it and in no script.
        """
        self._setup = read_setup([change for change in activation.changes if change.verb == "setup"][-1], home)
        self._files: list[MemoryFile] = []
        self._marks: list[MemoryFile] = []
        shell, *options = SHELLS[self._setup.shell]
        program = find_program(shell, TOOLS, home)
        kept = hidden.union(_OF_THE_SHELL)
        gone = {change.name for change in activation.changes if change.verb == "unset"}.difference(environment)
        variables = {**environment, **dict.fromkeys(sorted(gone))}
        lines = [
            write_variable(name, value, is_csh=self._setup.is_csh)
            for name, value in variables.items()
            if name not in kept and is_variable_name(name)  # of another name no script can speak, and none is needed
        ]
        self.steps = []
        for step in steps:
            _refuse_newline(self._setup, step.words, environment["PATH"], home)
            code, mark = self._write([]), self._write([])
            self._marks.append(mark)
            script = self._write(write_script(self._setup, code.path, mark.path, lines, step.words))
            self.steps.append(Step(step.condition, [program, *options, script.path]))

    def judge(self, ending: Ending, stderr: bytes) -> Ending:
        """Return how the attempt ended; a step whose shell did not come to its words has not started (PROF-40)."""
        marks = [mark.read().strip() for mark in self._marks]
        if ending.outcome in (STOPPED, TIMED_OUT) or (_BEGUN in marks and _AT_SETUP not in marks):
            return ending
        last = stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
        return refuse(CannotStart(f"setup: {last or ending.reason or 'it left the shell before its end'}"))

    def close(self) -> None:
        """Let the scripts go."""
        for file in self._files:
            file.close()

    def _write(self, lines: list[str]) -> MemoryFile:
        file = MemoryFile("".join([f"{line}\n" for line in lines]))
        self._files.append(file)
        return file


def watch_inside(run: Run, attempt: Attempt, environment: dict[str, str], steps: list[Step], watch: Watch) -> Ending:
    """Watch the steps of a job in the shell of its profile; CannotStart if they cannot be said there."""
    plan, home = run.plan, run.place.home
    hidden = {name for name, _ in plan.secrets}
    whole = [Step(step.condition, [_find_first(step.words[0], home), *step.words[1:]]) for step in steps]
    for step in whole:
        if "/" in step.words[0]:
            run.walk.require_program(step.words[0])
    inside = Inside(plan.activation, home, environment, hidden, whole)
    try:
        return inside.judge(watch(run, attempt, inside.steps), attempt.err.tail or attempt.err.head)
    finally:
        inside.close()


def _find_first(word: str, home: str) -> str:
    """Return the first word of a command; one with a slash is taken from the release, as everywhere."""
    return find_program(word, "", home) if "/" in word else word


def write_script(setup: Setup, code: str, mark: str, variables: list[str], words: list[str]) -> list[str]:
    """Return the lines: the setup, silently; the variables as they were judged; a mark that it went well; the words."""
    lines = [_write_mark(setup, _AT_SETUP, mark), *(["shopt -s expand_aliases"] if setup.shell == "bash" else [])]
    lines += [*write_setup(setup, code, is_silent=True), *variables]
    return [*lines, _write_mark(setup, _BEGUN, mark), write_command(setup, words)]


def _write_mark(setup: Setup, text: bytes, mark: str) -> str:
    return f"echo {text.decode()} {into(setup)} {quote(mark, is_csh=setup.is_csh)}"


def _refuse_newline(setup: Setup, words: list[str], path: str, home: str) -> None:
    """Raise CannotStart for words that an alias of csh would lose: a newline ends them there (PROF-53)."""
    if not setup.is_csh or not any("\n" in word for word in words) or "/" in words[0]:
        return
    try:
        find_program(words[0], path, home)
    except CannotStart:
        raise CannotStart(f"a word with a newline cannot be given to the alias {words[0]}") from None


TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.launch.activation import Activation
    from runner.launch.attempt import Attempt
    from runner.launch.records import Run

    Watch = Callable[[Run, Attempt, list[Step]], Ending]
