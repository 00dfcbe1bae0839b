"""A profile -> the ordered changes of an environment that the wrapper applies (PROF-4).

Placeholders are replaced here, but for ``{home}`` and ``~``: a plan is the same on every machine, and the
wrapper knows where it is.
"""

from __future__ import annotations

import re

from runner.document.faults import Wrong, suggest
from runner.document.keys import NOT_BUILT
from runner.home.settings import Settings
from runner.launch.plan import Change
from runner.profiles.profile import Profile

_BRACES = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


def make_changes(profile: Profile, settings: Settings) -> tuple[Change, ...]:
    """Return the changes that make `profile`, from the variables that every job has; Wrong for a bad placeholder."""
    values = placeholder_values(profile, settings)

    def fill(text: str) -> str:
        return fill_placeholders(text, values)

    changes = [Change("set", name, fill(value)) for name, value in settings.base_env]
    changes += [Change(activator.kind, "", fill(activator.value)) for activator in profile.activate]
    changes += [Change("prepend", "PATH", fill(path)) for path in reversed(profile.path.prepend)]
    changes += [Change("append", "PATH", fill(path)) for path in profile.path.append]
    changes += [Change("set", name, fill(value)) for name, value in profile.env]
    changes += [Change("unset", name) for name in profile.unset]
    changes.append(Change("set", "CAPO_PROFILE", escape_braces(profile.name)))
    changes.append(Change("set", "CAPO_PATH", make_capo_path(profile, settings)))
    return tuple(changes)


def make_capo_path(profile: Profile, settings: Settings) -> str:
    """Return where the properties of `profile` are looked for, with ``{home}`` still in it; Wrong as `make_changes`."""
    values = placeholder_values(profile, settings)
    return ":".join([fill_placeholders(path, values) for path in settings.capo.path])


def placeholder_values(profile: Profile, settings: Settings) -> dict[str, str]:
    """Return what the placeholders of profiles.md mean for `profile`; the value of ``layout`` holds others."""
    sites = dict(settings.sites)
    return {
        "home": "{home}",
        "profile": profile.name,
        "site": profile.site,
        "environment": profile.environment,
        "account": sites[profile.site].account if profile.site in sites else "",
        "layout": settings.layout,
    }


def fill_placeholders(text: str, values: dict[str, str]) -> str:
    """Return `text` with its placeholders replaced; literal braces stay doubled, for the wrapper to undo."""

    def fill(found: re.Match[str]) -> str:
        name = found[1]
        if name is None:
            if len(found[0]) == 2:
                return found[0]
            raise Wrong(f'a single "{found[0]}" in "{text}"', "write {{ and }} for braces")
        if name == "account_home":
            raise Wrong(f"{{account_home}} is {NOT_BUILT}", "write ~{account} in a path")
        if not values.get(name):
            raise Wrong(f'{{{name}}} in "{text}" has no value', suggest(name, [key for key in values if values[key]]))
        # Filled where it is used: a profile of no site can do without a layout.
        return fill_placeholders(values[name], {**values, name: ""}) if name == "layout" else values[name]

    return _BRACES.sub(fill, text)


def escape_braces(text: str) -> str:
    """Return literal `text` as it stands in a change."""
    return text.replace("{", "{{").replace("}", "}}")
