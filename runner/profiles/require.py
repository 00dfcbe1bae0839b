"""What a profile requires and only a program can tell: versions of commands (PROF-43)."""

from __future__ import annotations

import shlex
import time

from runner.launch.activation import Activation
from runner.launch.environment import find_program
from runner.launch.log import Log
from runner.launch.outcome import OK, CannotStart
from runner.launch.version import compare_versions, find_version
from runner.profiles.shells import run_words


def check_requires(
    activation: Activation, profile: str, environment: dict[str, str], home: str, log: Log, until: float
) -> list[str]:
    """Return the files that the answers depend on; CannotStart if a version is not as required.

    `until` is the monotonic clock's time at which the activation has taken too long.
    """
    inputs = []
    for kind, text in activation.requires:
        if kind == "version":
            command, comparison, wanted, run = parse_version_requirement(text)
            program = find_program(command, environment["PATH"], home)
            first, *rest = _split(run, profile) or [program, "--version"]
            words = [find_program(first, environment["PATH"], home), *rest]
            attempt, ending = run_words(words, environment, activation, log, until - time.monotonic())
            said = (attempt.out.tail or attempt.err.head).decode("utf-8", "replace")
            found = find_version(said) if ending.outcome == OK else ""
            if not found or not compare_versions(found, comparison, wanted):
                there = f"is {found}" if found else "does not tell its version"
                raise CannotStart(f"profile {profile}: require: {command} {there}, not {comparison}{wanted}")
            inputs.append(program)
    return inputs


def _split(command: str, profile: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError as error:
        raise CannotStart(f"profile {profile}: require: {command}: {error}") from None


def parse_version_requirement(text: str) -> tuple[str, str, str, str]:
    """Return command, comparison, version and the command line that tells it (empty: ``--version``)."""
    command, comparison, wanted, *run = text.split(" ", 3)
    return command, comparison, wanted, run[0] if run else ""
