"""What is known of a plan at a slot: values that ``evidence`` gathers and ``why`` explains."""

from __future__ import annotations

from dataclasses import dataclass

from runner.ledger.asked import Meant
from runner.ledger.tables import Run


@dataclass(frozen=True, slots=True)
class Crontab:
    """What the crontab, the compiled plan and the registry say of the slot.

    Attributes
    ----------
    has_plan, installed_since
        Whether the last install had the plan, and since when it has this schedule (POSIX seconds).
    compiled, registered
        Whether the schedule has the slot in the compiled plan, in the registry; None where there is none.
    is_enabled
        What the registry says, where it cannot be read the compiled plan.
    has_schedule
        Whether there is any schedule, in the crontab or in the compiled plan.
    note
        Why the registry does not count, or that the compiled plan differs from it; may be empty.
    """

    has_plan: bool = True
    installed_since: float = 1.0
    compiled: bool | None = True
    registered: bool | None = True
    is_enabled: bool = True
    has_schedule: bool = True
    note: str = ""


@dataclass(frozen=True, slots=True)
class Life:
    """Whether this host and its cron were at work: the signs nearest to the slot, as instants of records.

    ``seen_before`` and ``seen_after`` are those of any plan's runs on this host, ``boot_before`` and ``boot_after``
    the boots they were in, ``booted_at`` and ``boot_id`` those of the present boot, ``swept_at`` (POSIX seconds) when
    cron last called the sweep, 0.0 for never.
    """

    seen_before: str = ""
    seen_after: str = ""
    boot_before: str = ""
    boot_after: str = ""
    boot_id: str = ""
    booted_at: float = 0.0
    swept_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known of one plan at one slot.

    Attributes
    ----------
    host
        This host's name.
    runs
        Those of the slot or of its minute, skips included: this host's first, then the newest first.
    waiting
        The run that waits for its turn with this slot; empty if none does.
    nearest
        The slots before and after.
    elsewhere
        Why this host does not run the plan; empty if it does.
    pause
        By whom it was paused at the slot; empty if it was not.
    owed
        Whether the sweep has still to start the slot.
    missed
        The plan's key of that name.
    """

    plan: str
    meant: Meant
    now: float
    host: str = ""
    runs: tuple[Run, ...] = ()
    waiting: str = ""
    nearest: tuple[int | None, int | None] = (None, None)
    crontab: Crontab = Crontab()
    elsewhere: str = ""
    pause: str = ""
    owed: bool = False
    missed: str = "skip"
    life: Life = Life()

    @property
    def slot(self) -> int:
        """POSIX seconds."""
        return self.meant.slot
