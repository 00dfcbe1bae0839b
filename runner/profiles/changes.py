"""A profile -> its activation, the ordered changes of an environment that the wrapper applies (PROF-4).

Placeholders are replaced here, but for ``{home}``, ``{account_home}`` and ``~``: a plan is the same on every machine,
and the wrapper knows where it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from runner.document.faults import Wrong, suggest
from runner.home.activator import Activator, PathChange
from runner.home.settings import Settings
from runner.launch.activation import Activation, Change
from runner.profiles.profile import Profile, Require

Fill = Callable[[str], str]
_BRACES = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


def make_activation(profile: Profile, settings: Settings) -> Activation:
    """Return how `profile` is activated, from the variables that every job has; Wrong for a bad placeholder."""
    values = placeholder_values(profile, settings)

    def fill(text: str) -> str:
        return fill_placeholders(text, values)

    activation = Activation()
    activation.changes = [change for _, change in _list_changes(profile, settings, fill)]
    if profile.mode == "inside" and not any(activator.kind == "setup" for activator in profile.activate):
        raise Wrong("mode: inside needs a setup, in whose shell the words of jobs run")
    activation.requires = _list_requires(profile.require, fill)
    activation.mode, activation.stderr = profile.mode, profile.stderr
    activation.owner = values["account"]
    activation.timeout_s, activation.max_age_s = profile.timeout_s, profile.max_age_s
    activation.stderr_allow = list(profile.stderr_allow)
    activation.watch = [fill(path) for path in profile.watch]
    return activation


def list_origins(profile: Profile, settings: Settings) -> list[str]:
    """Return for each change of the profile's activation the key that makes it."""
    return [origin for origin, _ in _list_changes(profile, settings, str)]


def _list_changes(profile: Profile, settings: Settings, fill: Fill) -> Iterator[tuple[str, Change]]:
    """Yield the changes in the order of PROF-4, each behind the key that makes it."""
    base = settings.base
    for name, value in settings.base_env:
        yield "base.env", Change("set", name, fill(value))
    yield from _list_common(base.activate, base.path, fill, "base.")
    for name in base.unset:
        yield "base.unset", Change("unset", name)
    yield from _list_common(profile.activate, profile.path, fill, "")
    for name, value in profile.env:
        yield "env", Change("set", name, fill(value))
    for name in profile.unset:
        yield "unset", Change("unset", name)
    capo = profile.capo
    yield "capo", Change("set", "CAPO_PROFILE", escape_braces(capo.profile or profile.name))
    path = _fill_capo_path(profile, settings, fill)
    yield "capo", Change("paths", "CAPO_PATH", path)
    if capo.export or profile.require.properties:
        details: list[tuple[str, str]] = [
            ("profile", capo.profile or profile.name),
            ("path", path),
            ("format", capo.format),
        ]
        details += [("home", capo.home or ("yes" if profile.environment == "dev" else "no"))]
        details += [("export", f"{name} {key}") for name, key in capo.export]
        details += [("property", key) for key in profile.require.properties]
        yield "capo.export", Change("capo", details=details)


def _list_common(
    activators: tuple[Activator, ...], path: PathChange, fill: Fill, where: str
) -> Iterator[tuple[str, Change]]:
    for number, activator in enumerate(activators):
        for change in _make_changes(activator, fill):
            yield f"{where}activate[{number}].{activator.kind}", change
    for directory in reversed(path.prepend):
        yield f"{where}path.prepend", Change("prepend", "PATH", fill(directory))
    for directory in path.append:
        yield f"{where}path.append", Change("append", "PATH", fill(directory))


def _make_changes(activator: Activator, fill: Fill) -> list[Change]:
    if activator.kind == "env":
        return [Change("set", name, fill(value)) for name, value in activator.details]
    if activator.kind == "venv":
        return [Change("venv", "", fill(tree)) for _, tree in activator.details]
    return [Change(activator.kind, details=[(key, fill(text)) for key, text in activator.details])]


def _list_requires(require: Require, fill: Fill) -> list[tuple[str, str]]:
    found = [("command", name) for name in require.commands]
    found += [("env", fill(text)) for text in require.env]
    found += [("file", fill(path)) for path in require.files]
    for name, wanted in require.versions:
        comparison = wanted.version.rstrip("0123456789.")
        number = wanted.version.removeprefix(comparison)
        found.append(("version", f"{name} {comparison} {number} {wanted.run}".rstrip()))
    return found


def make_capo_path(profile: Profile, settings: Settings) -> str:
    """Return where the properties of `profile` are looked for, with ``{home}`` in it; Wrong for a bad placeholder."""
    values = placeholder_values(profile, settings)
    return _fill_capo_path(profile, settings, lambda text: fill_placeholders(text, values))


def _fill_capo_path(profile: Profile, settings: Settings, fill: Fill) -> str:
    return ":".join([fill(directory) for directory in profile.capo.path or settings.capo.path])


def placeholder_values(profile: Profile, settings: Settings) -> dict[str, str]:
    """Return what the placeholders of profiles.md mean for `profile`; the value of ``layout`` holds others."""
    sites = dict(settings.sites)
    account = sites[profile.site].account if profile.site in sites else ""
    return {
        "home": "{home}",
        "profile": profile.name,
        "site": profile.site,
        "environment": profile.environment,
        "account": account,
        "account_home": f"{{~{account}}}" if account else "",
        "layout": settings.layout,
    }


def find_tree(profile: Profile, settings: Settings) -> str:
    """Return where the layout has the software of a profile, as `expand_path` reads it; empty where it has none."""
    if not settings.layout:
        return ""
    try:
        return fill_placeholders("{layout}", placeholder_values(profile, settings)).rstrip("/")
    except Wrong:
        return ""  # a profile of no site can do without


def fill_placeholders(text: str, values: dict[str, str]) -> str:
    """Return `text` with its placeholders replaced; literal braces stay doubled, for the wrapper to undo."""

    def fill(found: re.Match[str]) -> str:
        name = found[1]
        if name is None:
            if len(found[0]) == 2:
                return found[0]
            raise Wrong(f'a single "{found[0]}" in "{text}"', "write {{ and }} for braces")
        if not values.get(name):
            raise Wrong(f'{{{name}}} in "{text}" has no value', suggest(name, [key for key in values if values[key]]))
        # Filled where it is used: a profile of no site can do without a layout.
        return fill_placeholders(values[name], {**values, name: ""}) if name == "layout" else values[name]

    return _BRACES.sub(fill, text)


def escape_braces(text: str) -> str:
    """Return literal `text` as it stands in a change."""
    return text.replace("{", "{{").replace("}", "}}")
