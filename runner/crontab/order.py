"""What an install is asked to do, what its steps hand on, and how it may end. Values only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from runner.crontab.dialects import DEBIAN, Dialect
from runner.crontab.preview import Preview, Wanted
from runner.crontab.tables import Table
from runner.plans.trusted import Executed


class Answer(Enum):
    """How an install or uninstall ended, where no error ended it."""

    DONE = "done"
    """The crontab is what was wanted, and was not before."""
    UNCHANGED = "unchanged"
    """It was already; nothing was written (CRON-53)."""
    SHOWN = "shown"
    """A dry run ends after the diff."""
    DECLINED = "declined"
    """The person said no."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done, and whom to ask.

    Attributes
    ----------
    wanted
        What shall stand in the crontab.
    crontab
        Where that is kept.
    now
        When this was ordered, POSIX seconds.
    show
        Called once with the preview.
    confirm
        Called with a preview that changes something; whether to go on.
    home
        Where the plans of the lines are looked for; an uninstall needs none.
    state
        Where backups and the record go; an uninstall can do without.
    executed
        What cron will execute, to be looked at before (CRON-55); an uninstall needs none.
    elsewhere
        The crontabs in which the block must not stand as well (CRON-49).
    dry_run
        Stop after the diff.
    """

    wanted: Wanted
    crontab: Table
    now: float
    show: Callable[[Preview], object]
    confirm: Callable[[Preview], bool]
    home: Path | None = None
    state: Path | None = None
    executed: Executed | None = None
    elsewhere: tuple[Table, ...] = ()
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """What the steps hand on.

    Attributes
    ----------
    action
        What the audit calls it.
    flaws
        Why cron ignores the crontab as it is.
    trouble
        What was said when it could not be written.
    """

    order: Order
    action: str = "crontab install"
    lock: int | None = None
    dialect: Dialect = DEBIAN
    old: bytes | None = None
    flaws: tuple[str, ...] = ()
    planned: Preview | None = None
    backup: Path | None = None
    trouble: str = ""

    @property
    def preview(self) -> Preview:
        """What is planned, for the steps after the planning."""
        if self.planned is None:
            raise RuntimeError("this step needs the plan of an earlier one")
        return self.planned
