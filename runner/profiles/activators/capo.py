"""Properties that a job gets as variables, and those that must be there, by the strict rules (CAPO-37, PROF-43)."""

from __future__ import annotations

from runner.launch.activation import Change
from runner.launch.environment import expand_path
from runner.launch.outcome import CannotStart
from runner.profiles.activators.effect import Effect, Scene
from runner.profiles.properties.accept import judge_own, read_for_java, read_strictly
from runner.profiles.properties.files import list_files
from runner.profiles.properties.values import fold_key


def capture(change: Change, scene: Scene) -> Effect:
    """Read the property files; CannotStart for the first fault of them, or a key that is not there."""
    details = dict(change.details)
    path = ":".join([expand_path(directory, scene.home) for directory in details["path"].split(":")])
    own = f"{scene.environment['HOME']}/.capo"
    files = list_files(details["profile"], f"{path}:{own}")
    read = read_for_java if details["format"] == "java" else read_strictly
    accepted = read(files, scene.environment)
    of_own = judge_own(accepted.properties.values(), files[-1], is_allowed=details["home"] == "yes")
    for fault in (*accepted.faults, *of_own):
        if fault.level == "error":
            raise CannotStart(str(fault))

    def find(key: str) -> str:
        name = key if details["format"] == "java" else fold_key(key)
        if name not in accepted.properties:
            raise CannotStart(f"no property {key} in {' '.join(accepted.files) or path}")
        return name

    exports = [text.split(" ", 1) for kind, text in change.details if kind == "export"]
    wanted = [(name, accepted.properties[find(key)]) for name, key in exports]
    for kind, key in change.details:
        if kind == "property":
            find(key)
    changes = [Change("set", name, one.value) for name, one in wanted]
    return Effect(changes, files, secrets=tuple(name for name, one in wanted if one.is_secret))
