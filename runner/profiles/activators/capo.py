"""Properties that a job gets as variables, and those that must be there, by the strict rules (CAPO-37, PROF-43)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from runner.launch.activation import Change
from runner.launch.environment import expand_path
from runner.launch.outcome import CannotStart
from runner.profiles.activators.effect import Effect, Scene
from runner.profiles.properties.accept import Accepted, judge_own, read_for_java, read_strictly
from runner.profiles.properties.files import list_files
from runner.profiles.properties.values import Property, fold_key


def capture(change: Change, scene: Scene) -> Effect:
    """Read the property files; CannotStart for the first fault of them, or a key that is not there."""
    accepted, files = read_files(change, scene.home, scene.environment["HOME"], scene.environment)
    for fault in accepted.faults:
        if fault.level == "error":
            raise CannotStart(str(fault))

    def get(key: str) -> Property:
        found = find_property(change, accepted, key)
        if found is None:
            raise CannotStart(f"no property {key} in {' '.join(accepted.files or files)}")
        return found

    exports = [text.split(" ", 1) for kind, text in change.details if kind == "export"]
    wanted = [(name, get(key)) for name, key in exports]
    for kind, key in change.details:
        if kind == "property":
            get(key)
    changes = [Change("set", name, one.value) for name, one in wanted]
    return Effect(changes, files, secrets=tuple(name for name, one in wanted if one.is_secret))


def read_files(change: Change, home: str, own_home: str, environ: Mapping[str, str]) -> tuple[Accepted, list[str]]:
    """Return what the property files of a profile have, with all their faults, and where they were looked for."""
    details = dict(change.details)
    path = ":".join([expand_path(directory, home) for directory in details["path"].split(":")])
    files = list_files(details["profile"], f"{path}:{own_home}/.capo")
    accepted = (read_for_java if details["format"] == "java" else read_strictly)(files, environ)
    of_own = judge_own(accepted.properties.values(), files[-1], is_allowed=details["home"] == "yes")
    return replace(accepted, faults=(*accepted.faults, *of_own)), files


def find_property(change: Change, accepted: Accepted, key: str) -> Property | None:
    """Return the property that a profile calls `key`, None if there is none."""
    is_java = dict(change.details)["format"] == "java"
    return accepted.properties.get(key if is_java else fold_key(key))
