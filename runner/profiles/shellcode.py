"""Code by which a person's shell becomes what a profile says: assignments and no more, each value quoted (PROF-75)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from runner.errors import UserError
from runner.launch.shell import quote

SHELLS = ("bash", "tcsh")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


def write_code(before: Mapping[str, str], after: Mapping[str, str], shell: str) -> str:
    """Return the code that makes the environment `after` of `before`, empty if they are alike.

    Raises
    ------
    UserError
        A variable has a name that no shell could assign to.
    """
    names = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    for name in names:
        if not _IDENTIFIER.fullmatch(name):
            raise UserError(f"{name!r} is no name of a variable in {shell}; the profile can be used by profile exec")
    return "".join([_write_line(name, after.get(name), is_csh=shell == "tcsh") for name in names])


def _write_line(name: str, value: str | None, *, is_csh: bool) -> str:
    if value is None:
        return f"unsetenv {name}\n" if is_csh else f"unset {name}\n"
    quoted = quote(value, is_csh=is_csh)
    return f"setenv {name} {quoted}\n" if is_csh else f"export {name}={quoted}\n"
