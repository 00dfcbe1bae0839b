"""A profile: a named environment, one file ``envs/<profile>.yaml`` (profiles.md)."""

from __future__ import annotations

from dataclasses import dataclass

from runner.document.faults import Faults
from runner.document.fields import (
    choice,
    comparison,
    duration,
    list_of,
    map_of,
    name_like,
    pattern,
    scalar,
    secret_source,
    text,
    variable,
    word,
)
from runner.document.keys import Keys, declare, record_of
from runner.document.tree import Mapping, Node
from runner.home.activator import Activator, PathChange, read_activator

# Files of envs/ that are no profiles (PROF-1).
RESERVED = frozenset({"site", "archive", "datasets", "chains", "fleet"})

profile_name = name_like("[A-Za-z0-9][A-Za-z0-9._-]{0,63}", "a profile name", "letters, digits, . _ and -")


@dataclass(frozen=True, slots=True)
class Version:
    """What the version of a command must be, and the command line that tells it (empty: ``--version``)."""

    version: str
    run: str = ""


def _read_version(node: Node, faults: Faults) -> Version:
    if not isinstance(node, Mapping):
        return Version(scalar(comparison)(node, faults))
    given = dict(map_of(choice("version", "run"), scalar(text))(node, faults))
    return Version(comparison(given.get("version", "")), given.get("run", ""))


def _variable_or_value(value: str) -> str:
    name, equals, wanted = value.partition("=")
    return variable(name) + equals + wanted


@dataclass(frozen=True, slots=True)
class Require:
    """What must hold after activation (PROF-43)."""

    commands: tuple[str, ...] = declare(list_of(scalar(word)), "commands on PATH", "[]")
    versions: tuple[tuple[str, Version], ...] = declare(map_of(word, _read_version), "what they say they are", "{}")
    env: tuple[str, ...] = declare(list_of(scalar(_variable_or_value)), "NAME that is set, or NAME=value", "[]")
    files: tuple[str, ...] = declare(list_of(scalar(word)), "what can be read", "[]")
    properties: tuple[str, ...] = declare(list_of(scalar(word)), "keys of its property files", "[]")


@dataclass(frozen=True, slots=True)
class ProfileCapo:
    """Which property files belong to a profile, and which of their values a job gets (CAPO-37).

    ``home`` is whether ``~/.capo`` may have some; empty: only for dev (CAPO-35).
    """

    profile: str = declare(scalar(profile_name), "the name of the files", "", shown="the profile's own")
    path: tuple[str, ...] = declare(list_of(scalar(word)), "directories", "[]", shown="the site's")
    format: str = declare(scalar(choice("pycapo", "java")), "as which programs read them", "pycapo")
    home: str = declare(scalar(choice("yes", "no")), "whether ~/.capo may have values", "", shown="yes for dev")
    export: tuple[tuple[str, str], ...] = declare(map_of(variable, scalar(word)), "variable: key", "{}")


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
    activate: tuple[Activator, ...] = declare(list_of(read_activator), "what makes the environment, in order", "[]")
    path: PathChange = declare(record_of(Keys(PathChange)), "changes of PATH", "{}")
    env: tuple[tuple[str, str], ...] = declare(map_of(variable, scalar(text)), "literal values", "{}")
    unset: tuple[str, ...] = declare(list_of(scalar(variable)), "names to take away", "[]")
    secrets: tuple[tuple[str, str], ...] = declare(
        map_of(variable, scalar(secret_source)), "variables read from files", "{}"
    )
    capo: ProfileCapo = declare(record_of(Keys(ProfileCapo)), "its property files", "{}")
    require: Require = declare(record_of(Keys(Require)), "what must hold after activation", "{}")
    mode: str = declare(
        scalar(choice("snapshot", "live", "inside")),
        "kept, activated at every run, or the shell of the job",
        "snapshot",
    )
    timeout_s: float = declare(scalar(duration), "the most an activation takes", "10s", name="timeout")
    stderr: str = declare(scalar(choice("fail", "warn", "ignore")), "what lines on stderr mean", "fail")
    stderr_allow: tuple[str, ...] = declare(list_of(scalar(pattern)), "expressions of harmless lines", "[]")
    watch: tuple[str, ...] = declare(list_of(scalar(word)), "further files that the activation reads", "[]")
    max_age_s: float = declare(scalar(duration), "the age at which a snapshot is renewed", "24h", name="max_age")


PROFILE = Keys(Profile)
