"""What one environment became, as changes that can be applied to another (PROF-29, PROF-60)."""

from __future__ import annotations

from collections.abc import Mapping

from runner.launch.activation import Change
from runner.launch.environment import apply_changes

# What every shell keeps for itself, whatever it is told to do.
_OF_THE_SHELL = frozenset({"PWD", "OLDPWD", "SHLVL", "_", "PS1", "SHELLOPTS", "BASHOPTS", "COMP_WORDBREAKS"})
FUNCTION = "BASH_FUNC_"


def find_changes(before: Mapping[str, str], after: Mapping[str, str]) -> list[Change]:
    """Return the changes that make `after` of `before`, by name; what a shell keeps for itself does not count.

    A list that has grown at its ends only is prepended to and appended to, so that several changes compose.
    """
    names = sorted({name for name in before.keys() | after.keys() if is_exported(name)})
    return [change for name in names for change in _find_change(name, before.get(name), after.get(name))]


def is_exported(name: str) -> bool:
    """Whether a variable of a dump is anything that a job could want."""
    return name not in _OF_THE_SHELL and not name.startswith(FUNCTION)


def is_list(name: str, value: str = ":") -> bool:
    """Whether a variable holds a list of directories: PATH, MANPATH, ``*_PATH``, or ``*PATH`` with a colon."""
    return name.endswith("PATH") and (name in ("PATH", "MANPATH") or name.endswith("_PATH") or ":" in value)


def _find_change(name: str, old: str | None, new: str | None) -> list[Change]:
    if old == new:
        return []
    if new is None:
        return [Change("unset", name)]
    if old and is_list(name, new):
        front, found, back = f":{new}:".partition(f":{old}:")
        if found:
            changes = [Change("prepend", name, front[1:])] if front[1:] else []
            changes += [Change("append", name, back[:-1])] if back[:-1] else []
            grown = {name: old}
            apply_changes(grown, changes)
            if grown[name] == new:  # an empty element at an end means something to some, and is no change to us
                return changes
    return [Change("set", name, new)]
