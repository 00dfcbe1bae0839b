"""Which profile a command without a job means, and by which rule (PROF-11 to PROF-13)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from runner.document.faults import describe_unknown
from runner.errors import UserError
from runner.launch.environment import expand_path, is_same_directory, named_tree
from runner.launch.outcome import CannotStart

BY_ARGUMENT = "the argument"
BY_VARIABLE = "CAPO_PROFILE"
BY_PLACE = "the place of the utility"


@dataclass(frozen=True, slots=True)
class Choice:
    """A profile, the rule that decided on it, and what must be said of its name (empty: nothing)."""

    profile: str
    rule: str
    warning: str = ""

    def explain(self) -> str:
        """Return the choice in words, for ``--explain`` and the log of a run."""
        return f"profile {self.profile}, by {self.rule}"


def choose_profile(
    asked: str | None, variable: str | None, place: str, known: Iterable[str], renamed: Mapping[str, str]
) -> Choice:
    """Return the profile that a command means.

    Parameters
    ----------
    asked
        The argument or ``-P``; empty counts as absent.
    variable
        CAPO_PROFILE of the caller, likewise.
    place
        The profile in whose tree the calling utility is (see `find_place`), empty if in none.
    known, renamed
        The names that there are, and old name to new.

    Raises
    ------
    UserError
        Nothing names a profile, or what does names none that there is.
    """
    names = sorted(known)
    for rule, name in ((BY_ARGUMENT, asked), (BY_VARIABLE, variable), (BY_PLACE, place)):
        if name:
            profile, warning = resolve_name(name, names, renamed)
            if profile not in names:
                where = "CAPO_PROFILE: " if rule == BY_VARIABLE else ""
                raise UserError(where + describe_unknown("profile", name, names))
            return Choice(profile, rule, warning)
    raise UserError(f"no profile is chosen: give -P PROFILE, or set CAPO_PROFILE (there are {', '.join(names)})")


def resolve_name(name: str, known: Iterable[str], renamed: Mapping[str, str]) -> tuple[str, str]:
    """Return what a profile is called today, and the warning if `name` is an old one (PROF-13)."""
    if name in renamed and name not in known:
        return renamed[name], f"profile {name} is now called {renamed[name]}"
    return name, ""


def find_place(utility: Path, trees: Mapping[str, str], home: Path) -> str:
    """Return the profile whose tree has a utility in its ``bin``, empty if no tree's place counts (PROF-12).

    Parameters
    ----------
    trees
        Profile to tree, as the layout has them (`find_tree`).
    """
    try:
        directory = utility.resolve(strict=True).parent
    except (OSError, RuntimeError):
        return ""
    fitting = [(name, tree) for name, path in trees.items() if (tree := _expand(path, home)) is not None]
    fitting = [(name, tree) for name, tree in fitting if directory == tree.resolve() / "bin"]
    if len(fitting) > 1:  # one name leads to the tree of another: it counts as the one that it is
        fitting = [(name, tree) for name, tree in fitting if not tree.is_symlink()]
    return fitting[0][0] if len(fitting) == 1 and _is_environment(fitting[0][1]) else ""


def _expand(path: str, home: Path) -> Path | None:
    try:
        return Path(expand_path(path, str(home))) if path else None
    except CannotStart:
        return None  # an account that this machine has not got


def _is_environment(tree: Path) -> bool:
    """Whether a tree is an environment of its own, and not the copy of one, which would switch to that."""
    if not any((tree / mark).is_file() for mark in ("pyvenv.cfg", "conda-meta/history")):
        return False
    try:
        script = (tree / "bin/activate").read_bytes()
    except OSError:
        return True
    other = named_tree(script.decode("utf-8", "surrogateescape"))
    return not other or is_same_directory(other, str(tree))
