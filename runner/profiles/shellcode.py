"""Code by which a person's shell becomes what a profile says: assignments and no more, each value quoted (PROF-75)."""

from __future__ import annotations

from collections.abc import Mapping

from runner.errors import UserError
from runner.launch.shell import is_variable_name, write_variable

SHELLS = ("bash", "tcsh")


def write_code(before: Mapping[str, str], after: Mapping[str, str], shell: str) -> str:
    """Return the code that makes the environment `after` of `before`, empty if they are alike.

    Raises
    ------
    UserError
        A variable has a name that no shell could assign to.
    """
    names = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    for name in names:
        if not is_variable_name(name):
            raise UserError(f"{name!r} is no name of a variable in {shell}; the profile can be used by profile exec")
    return "".join([f"{write_variable(name, after.get(name), is_csh=shell == 'tcsh')}\n" for name in names])
