"""Properties as text for a shell: safe to ``eval`` (CAPO-34), or as pycapo has always written it (CAPO-7)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from runner.errors import Fault
from runner.launch.shell import quote
from runner.profiles.properties.pycapo import VARIABLE, Reading
from runner.profiles.properties.values import Property, find_same_names, name_in_shell


def assign_in_sh(name: str, value: str) -> str:
    """Return an assignment for sh, bash and their like."""
    return f"{name}={quote(value, is_csh=False)}"


def assign_in_csh(name: str, value: str) -> str:
    """Return an assignment for csh and tcsh, where ``eval "`...`"`` puts lines one behind another (PROF-53)."""
    quoted = value.replace("'", "'\\''").replace("!", "\\!")
    return f"setenv {name} '{quoted}';"


ASSIGN: dict[str, Callable[[str, str], str]] = {"bash": assign_in_sh, "tcsh": assign_in_csh}


def write_as_pycapo(one: Property) -> str:
    """Return the line of pycapo, in which nothing of the value is quoted."""
    return f'{name_in_shell(one.key)}="{one.value.strip()}" # {one.file.strip()}\n'


def is_unsafe_to_eval(value: str) -> bool:
    """Whether a shell that evaluates pycapo's line may do anything but assign `value`.

    ``${...}`` does not count: it is a reference that Java's programs replace as well.
    """
    return any(sign in value for sign in '"`') or "$" in value.replace("${", "") or value.endswith("\\")


def find_dangers(shown: Iterable[Property], *, for_eval: bool) -> list[Fault]:
    """Return a warning for each danger of pycapo's own reading and writing in what is shown (CAPO-15)."""
    properties = list(dict.fromkeys(shown))
    dangers = []
    for one in properties:
        if "\n" in one.raw:
            dangers.append(_warn(one, "the value goes on in an indented line"))
        if len(VARIABLE.findall(one.raw)) > 1 and VARIABLE.match(one.raw):
            dangers.append(_warn(one, "each ${env:...} has the value of the first"))
        if for_eval and is_unsafe_to_eval(one.value.strip()):
            dangers.append(_warn(one, "the value is not safe to eval", "use --strict"))
    if for_eval:
        pairs = find_same_names(properties)
        dangers += [_warn(one, f"{one.key} has the shell name of {before.key}") for before, one in pairs]
    return dangers


def find_losses(readings: Iterable[Reading]) -> list[Fault]:
    """Return a warning for each file of which no program gets all (CAPO-15)."""
    lost = [reading.lost[0] for reading in readings if reading.lost]
    return [_warn(one, f"{one.key} and what follows it below a [section] is lost") for one in lost]


def _warn(one: Property, message: str, hint: str = "") -> Fault:
    return Fault(one.file, one.line, one.column, "warning", message, hint)
