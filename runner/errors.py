"""The errors of every room but ``launch``, and the exit code of each branch (DESIGN section 7).

::

    RunnerError
    |-- UserError       exit 2   the user's mistake: nothing was changed
    |   `-- FaultsFound          several mistakes in documents, each with its place
    `-- TryLater        exit 75  the site's trouble: database, lock, network; the same call may work later

A job's failure is data (an outcome), never an exception. Anything else that is raised is a bug and keeps
its traceback (exit 70). Only ``cli`` and ``sweep`` turn errors into exit codes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

DONE = 0
ANSWER_IS_NO = 1
USER_ERROR = 2
BUG = 70
TRY_LATER = 75


def clean(text: str) -> str:
    """Return `text` with control characters shown and not acted on (SEC-10)."""
    return text if text.isprintable() else "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)


class RunnerError(Exception):
    """Anything foreseen; its text is one line for a person."""

    exit_code = BUG


class UserError(RunnerError):
    """The user's mistake."""

    exit_code = USER_ERROR


class TryLater(RunnerError):
    """The site's trouble; nothing was lost and the same call may work later."""

    exit_code = TRY_LATER


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One mistake in a document.

    Attributes
    ----------
    file
        Path as the user would type it: relative to the home where it lies in one.
    line, column
        Counted from 1; 0 where the fault is in no one place of the file.
    level
        ``error`` or ``warning``.
    message, hint
        What is wrong, and what to do about it (may be empty).
    """

    file: str
    line: int
    column: int
    level: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        warning = "warning: " if self.level == "warning" else ""
        return clean(f"{place}: {warning}{self.message}" + (f"; {self.hint}" if self.hint else ""))


class FaultsFound(UserError):
    """Mistakes in documents, all of them in one go.

    Attributes
    ----------
    faults
        Sorted by place; at least one is an error.
    """

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(faults))
        super().__init__("\n".join(str(fault) for fault in self.faults))
