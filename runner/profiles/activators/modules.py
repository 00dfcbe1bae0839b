"""Environment modules, by the command of environment-modules or of Lmod, which both speak Python (PROF-25)."""

from __future__ import annotations

import ast
import os

from runner.launch.activation import Change
from runner.launch.environment import apply_changes, expand_path
from runner.launch.outcome import OK, CannotStart
from runner.launch.shell import MemoryFile
from runner.profiles.activators.effect import Effect, Scene
from runner.profiles.difference import find_changes
from runner.profiles.shells import run_words

_SUCCESS = "_mlstatus = True"


def capture(change: Change, scene: Scene) -> Effect:
    """Load the modules; CannotStart with the message of one that cannot be loaded."""
    command = expand_path(dict(change.details)["command"], scene.home)
    path = [expand_path(text, scene.home) for key, text in change.details if key == "path"]
    names = [text for key, text in change.details if key == "load"]
    before = dict(scene.environment) | ({"MODULEPATH": ":".join(path)} if path else {})
    if not os.access(command, os.X_OK):
        raise CannotStart(f"no program {command}")
    after = dict(before)
    apply_changes(after, read_code(_ask([command, "python", "load", *names], before, scene)))
    loaded = [file for file in after.get("_LMFILES_", "").split(":") if file]
    choices = list_choices(after.get("MODULEPATH", "").split(":"), names, loaded)
    return Effect(find_changes(scene.environment, after), [command, *path, *choices, *loaded])


def list_choices(path: list[str], names: list[str], loaded: list[str]) -> list[str]:
    """Return what decides which file a module's name means: on the whole path, its directories and their defaults."""
    modules = dict.fromkeys(name.partition("/")[0] for name in names)
    wanted = [f"{directory}/{module}" for directory in path if directory for module in modules]
    directories = dict.fromkeys([*wanted, *[file.rpartition("/")[0] for file in loaded]])
    return [f"{directory}{name}" for directory in directories for name in ("", "/.version", "/.modulerc")]


def _ask(words: list[str], environment: dict[str, str], scene: Scene) -> str:
    """Return the code for Python that the module command prints; its exit status says nothing."""
    answer = MemoryFile()
    try:
        into = ["/bin/sh", "-c", 'exec "$@" >"$0"', answer.path]
        attempt, ending = run_words([*into, *words], environment, scene.activation, scene.log, scene.left_s)
        code = answer.read().decode("utf-8", "surrogateescape")
    finally:
        answer.close()
    if ending.outcome != OK or code.strip().rpartition("\n")[2] != _SUCCESS:
        said = _choose_line(attempt.err.head.decode("utf-8", "replace"))
        raise CannotStart(said or ending.reason or "it did not say that it succeeded")
    return code


def read_code(code: str) -> list[Change]:
    """Return what code for Python does to ``os.environ``; it is read, never run. CannotStart if it does more."""
    try:
        return [change for statement in ast.parse(code).body for change in _read_statement(statement)]
    except (SyntaxError, ValueError):
        raise CannotStart("its answer for Python is none") from None


def _read_statement(statement: ast.stmt) -> list[Change]:
    text = ast.unparse(statement)
    if isinstance(statement, ast.Import) or text.startswith("_mlstatus = "):
        return []
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        return [Change("set", _read_name(statement.targets[0]), ast.literal_eval(statement.value))]
    if isinstance(statement, ast.Delete):
        return [Change("unset", _read_name(target)) for target in statement.targets]
    raise CannotStart(f"it does more than change variables: {text}")


def _read_name(target: ast.expr) -> str:
    if not (isinstance(target, ast.Subscript) and ast.unparse(target.value) == "os.environ"):
        raise CannotStart(f"it does more than change variables: {ast.unparse(target)}")
    return str(ast.literal_eval(target.slice))


def _choose_line(said: str) -> str:
    """Return what says most of a message, on one line: the paragraph that speaks of an error, else the first."""
    paragraphs = [" ".join(part.split()) for part in said.split("\n\n") if part.strip()]
    return next((part for part in paragraphs if "error" in part.lower()), paragraphs[0] if paragraphs else "")
