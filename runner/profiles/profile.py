"""A profile: a named environment, one file ``envs/<profile>.yaml`` (profiles.md)."""

from __future__ import annotations

from dataclasses import dataclass

from runner.document.faults import Faults, Wrong
from runner.document.fields import list_of, map_of, name_like, scalar, text, variable, word
from runner.document.keys import NOT_BUILT, Keys, declare, record_of
from runner.document.tree import Mapping, Node

# Files of envs/ that are no profiles (PROF-1).
RESERVED = frozenset({"site", "archive", "datasets", "chains", "fleet"})
_ACTIVATORS_LATER = ("conda", "env", "modules", "setup")

profile_name = name_like("[A-Za-z0-9][A-Za-z0-9._-]{0,63}", "a profile name", "letters, digits, . _ and -")


@dataclass(frozen=True, slots=True)
class Activator:
    """One item of ``activate``: what kind, and its value as it was written."""

    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class PathChange:
    """Directories before and behind what PATH is then."""

    prepend: tuple[str, ...] = declare(list_of(scalar(word)), "directories in front of PATH", "[]")
    append: tuple[str, ...] = declare(list_of(scalar(word)), "directories behind it", "[]")


def _read_activator(node: Node, faults: Faults) -> Activator:
    if not isinstance(node, Mapping) or len(node.entries) != 1:
        raise Wrong("an activator is one key with its value", "like venv: /data/venvs/wfc3")
    ((key, value),) = node.entries.values()
    if key.text in _ACTIVATORS_LATER:
        raise Wrong(f"the activator {key.text} is {NOT_BUILT}", "only venv can be given")
    if key.text != "venv":
        raise Wrong(f'no activator is called "{key.text}"', "one of " + ", ".join(sorted(("venv", *_ACTIVATORS_LATER))))
    return Activator(key.text, scalar(word)(value, faults))


@dataclass(frozen=True, slots=True)
class Profile:
    """One profile as its file says; nothing in its values is replaced yet.

    Attributes
    ----------
    name
        The stem of its file.
    site, environment
        Empty where neither the file nor the name says.
    """

    name: str
    site: str = declare(scalar(word), "where", "")
    environment: str = declare(scalar(word), "which of the parallel installations", "")
    description: str = declare(scalar(text), "what it is for", "")
    activate: tuple[Activator, ...] = declare(list_of(_read_activator), "what makes the environment, in order", "[]")
    path: PathChange = declare(record_of(Keys(PathChange)), "changes of PATH", "{}")
    env: tuple[tuple[str, str], ...] = declare(map_of(variable, scalar(text)), "literal values", "{}")
    unset: tuple[str, ...] = declare(list_of(scalar(variable)), "names to take away", "[]")


PROFILE = Keys(
    Profile, later=("secrets", "capo", "require", "mode", "timeout", "stderr", "stderr_allow", "watch", "max_age")
)
