"""A profile -> its activation, the ordered changes of an environment that the wrapper applies (PROF-4).

Placeholders are replaced here, but for ``{home}``, ``{account_home}`` and ``~``: a plan is the same on every machine,
and the wrapper knows where it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from runner.document.faults import Wrong, suggest
from runner.home.settings import Settings
from runner.launch.activation import Activation, Change
from runner.profiles.activator import Activator
from runner.profiles.profile import Profile, Require

_BRACES = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


def make_activation(profile: Profile, settings: Settings) -> Activation:
    """Return how `profile` is activated, from the variables that every job has; Wrong for a bad placeholder."""
    values = placeholder_values(profile, settings)

    def fill(text: str) -> str:
        return fill_placeholders(text, values)

    activation = Activation()
    activation.changes = [Change("set", name, fill(value)) for name, value in settings.base_env]
    for activator in profile.activate:
        activation.changes += _make_changes(activator, fill)
    activation.changes += [Change("prepend", "PATH", fill(path)) for path in reversed(profile.path.prepend)]
    activation.changes += [Change("append", "PATH", fill(path)) for path in profile.path.append]
    activation.changes += [Change("set", name, fill(value)) for name, value in profile.env]
    activation.changes += [Change("unset", name) for name in profile.unset]
    activation.changes.append(Change("set", "CAPO_PROFILE", escape_braces(profile.name)))
    activation.changes.append(Change("set", "CAPO_PATH", ":".join([fill(path) for path in settings.capo.path])))
    activation.requires = _list_requires(profile.require, fill)
    activation.mode, activation.stderr = profile.mode, profile.stderr
    activation.timeout_s, activation.max_age_s = profile.timeout_s, profile.max_age_s
    activation.stderr_allow = list(profile.stderr_allow)
    activation.watch = [fill(path) for path in profile.watch]
    return activation


def _make_changes(activator: Activator, fill: Callable[[str], str]) -> list[Change]:
    if activator.kind == "env":
        return [Change("set", name, fill(value)) for name, value in activator.details]
    if activator.kind == "venv":
        return [Change("venv", "", fill(tree)) for _, tree in activator.details]
    return [Change(activator.kind, details=[(key, fill(text)) for key, text in activator.details])]


def _list_requires(require: Require, fill: Callable[[str], str]) -> list[tuple[str, str]]:
    found = [("command", name) for name in require.commands]
    found += [("env", fill(text)) for text in require.env]
    found += [("file", fill(path)) for path in require.files]
    for name, wanted in require.versions:
        comparison = wanted.version.rstrip("0123456789.")
        number = wanted.version.removeprefix(comparison)
        found.append(("version", f"{name} {comparison} {number} {wanted.run}".rstrip()))
    return found


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
