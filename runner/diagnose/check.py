"""What a check is, what it finds, and which checks there are.

A check is one file of ``runner/diagnose/checks``, found by being there, or an entry point ``runner.checks`` of another
package that leads to such a module::

    ID = "DIAG099"                    # stable: people filter on it
    LEVEL = WARNING                   # the worst that it finds: error, warning or note
    TITLE = "the dome is shut"        # what holds where it finds nothing
    TIMEOUT_S = 20.0                  # if ten seconds are too few

    def find(context: Context) -> Iterator[Finding]:
        if not is_shut():
            yield Finding(ID, LEVEL, "the dome is open", "shut it", "sensor 4 says 12 deg")

Each runs in a process of its own (`run`): it may hang, crash, change the zone of libc and leave processes behind.
Modules import what is heavy where they use it, since all of them are imported to find out what there is.
"""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

from runner.diagnose import checks

if TYPE_CHECKING:
    from runner.diagnose.context import Context

ERROR, WARNING, NOTE = "error", "warning", "note"
# The worst first.
LEVELS = (ERROR, WARNING, NOTE)
ENTRY_POINTS = "runner.checks"
# What is found of the checks themselves.
ENGINE_ID = "DIAG000"
TIMEOUT_S = 10.0

_ID = re.compile("[A-Za-z][A-Za-z0-9-]{1,63}")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be.

    Attributes
    ----------
    id, level
        Of the check; how bad it is.
    message, hint
        What is wrong, and what to do about it (may be empty); a line each.
    evidence
        What was seen, on one line; may be empty.
    """

    id: str
    level: str
    message: str
    hint: str = ""
    evidence: str = ""

    def describe(self) -> dict[str, str]:
        """Return the fields of ``runner diagnose --json``."""
        return {name: getattr(self, name) for name in self.__slots__}


class Unanswered(Exception):
    """A check has nothing to say before something else is mended, which another check tells of."""


@dataclass(frozen=True, slots=True)
class Check:
    """A check that can be run.

    Attributes
    ----------
    level
        The worst that it finds.
    timeout_s
        How long it may take.
    """

    id: str
    level: str
    title: str
    find: Callable[[Context], Iterable[Finding]]
    timeout_s: float = TIMEOUT_S

    def describe(self) -> dict[str, str]:
        """Return the fields of ``runner diagnose --list --json``."""
        return {"id": self.id, "level": self.level, "title": self.title}


def list_checks() -> tuple[list[Check], list[Finding]]:
    """Return all checks by id, and a finding for each that could not be had."""
    found: dict[str, Check] = {}
    findings = []
    for name, load in [*_list_own(), *_list_foreign()]:
        try:
            check = make_check(load())
            if check.id in found:
                raise ValueError(f"another check has the id {check.id}")
        except Exception as error:  # of another package it may be anything
            message = f"the check {name} cannot be used: {type(error).__name__}: {error}"
            findings.append(Finding(ENGINE_ID, ERROR, message, "mend it, or remove the package that brings it"))
        else:
            found[check.id] = check
    return [found[key] for key in sorted(found)], findings


def _list_own() -> Iterator[tuple[str, Callable[[], ModuleType]]]:
    for module in pkgutil.iter_modules(checks.__path__, f"{checks.__name__}."):
        yield module.name, partial(import_module, module.name)


def _list_foreign() -> Iterator[tuple[str, Callable[[], ModuleType]]]:
    from importlib.metadata import entry_points

    for point in entry_points(group=ENTRY_POINTS):
        yield f"{point.name} ({point.value})", point.load


def make_check(module: ModuleType) -> Check:
    """Return the check of a module; AttributeError or ValueError if it is none."""
    check = Check(module.ID, module.LEVEL, module.TITLE, module.find, getattr(module, "TIMEOUT_S", TIMEOUT_S))
    if not _ID.fullmatch(check.id) or check.id == ENGINE_ID:
        raise ValueError(f"no check can have the id {check.id!r}")
    if check.level not in LEVELS:
        raise ValueError(f"its level is {check.level!r}, none of {', '.join(LEVELS)}")
    return check
