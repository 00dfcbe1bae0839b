"""Which crontabs a host has: that of a target, and the others in which its block must not stand (CRON-49, CRON-50)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from runner.crontab import crond
from runner.crontab.block import has_block
from runner.crontab.compile import name_block
from runner.crontab.crond import CronFile
from runner.crontab.dialects import DEBIAN, DIALECTS, Dialect
from runner.crontab.tables import Table, find_crontab
from runner.errors import TryLater, UserError
from runner.home.account import get_account
from runner.home.here import read_user


@dataclass(frozen=True, slots=True)
class Spot:
    """Whose block is meant, and in which kind of crontab it stands.

    Attributes
    ----------
    home, target
        Names of both, as in the block's.
    user
        Whose jobs its lines start.
    kind
        ``user`` or ``cron-d``.
    cron
        ``debian`` or ``cronie``; empty where the host is to be asked.
    """

    home: str
    target: str
    user: str
    kind: str = "user"
    cron: str = ""

    @property
    def block(self) -> str:
        """How the markers call the block."""
        return name_block(self.home, self.target)

    @property
    def file(self) -> str:
        """The name of its file in /etc/cron.d."""
        return f"runner-{self.home}-{self.target}"


def find_table(spot: Spot, environ: Mapping[str, str]) -> Table:
    """Return the crontab of a block.

    Raises
    ------
    UserError
        If there is no such user, or the crontab is another's and we are not root.
    TryLater
        If there is no program that keeps it.
    """
    if spot.kind == "user":
        return find_crontab(spot.user, environ)
    account = get_account(spot.user)
    return CronFile(crond.DIRECTORY / spot.file, account, read_system_dialect(spot.cron, environ))


def find_standing(spot: Spot, environ: Mapping[str, str]) -> Table:
    """Return the crontab in which a block stands: its own, or one of the other kind if its target was so before."""
    own = find_table(spot, environ)
    if has_block(own.read() or b"", spot.block):
        return own
    others = (other for other in find_elsewhere(spot, environ) if has_block(other.read() or b"", spot.block))
    return next(others, own)


def check_right(table: Table) -> None:
    """Raise UserError if we may not write a crontab; whose a user's is was asked when it was found."""
    if table.system and os.geteuid() != 0:
        raise UserError(f"only root may write {table.name}")


def find_elsewhere(spot: Spot, environ: Mapping[str, str]) -> tuple[Table, ...]:
    """Return every other crontab of this host from which cron would start the same block a second time.

    Of the files in cron.d only those that we can read, and that cron does not ignore or would not once ours is
    replaced.
    """
    account, dialect = get_account(spot.user), read_system_dialect(spot.cron, environ)
    own = spot.file if spot.kind != "user" else ""
    files = [CronFile(path, account, dialect) for path in sorted(crond.DIRECTORY.glob("*")) if path.name != own]
    others: list[Table] = [
        file for file in files if os.access(file.path, os.R_OK) and not file.find_lasting_flaws(crond.DIRECTORY / own)
    ]
    if own:
        with suppress(TryLater):  # a host without the program has no such crontab
            others.append(find_crontab(spot.user, environ))
    return tuple(others)


def find_links(table: Table, elsewhere: Iterable[Table]) -> tuple[Table, ...]:
    """Return the other names of a file in cron.d, of which cron would read the last one once the file is taken out."""
    if not isinstance(table, CronFile) or not table.path.exists():
        return ()
    files = (other for other in elsewhere if isinstance(other, CronFile) and not other.path.is_symlink())
    return tuple(file for file in files if file.path != table.path and file.path.samefile(table.path))


def find_copies(spot: Spot, environ: Mapping[str, str]) -> dict[str, str]:
    """Return path -> why cron ignores it, of each file in cron.d that holds the block but is none that cron reads.

    A file that was renamed or copied, say by an editor: its lines do not run.
    """
    account, dialect = get_account(spot.user), read_system_dialect(spot.cron, environ)
    files = [CronFile(path, account, dialect) for path in sorted(crond.DIRECTORY.glob("*")) if path.name != spot.file]
    return {
        file.name: file.find_flaws(dialect)[0]
        for file in files
        if os.access(file.path, os.R_OK) and file.find_flaws(dialect) and has_block(file.read() or b"", spot.block)
    }


def read_system_dialect(cron: str, environ: Mapping[str, str]) -> Dialect:
    """Return the cron that reads /etc/cron.d: the declared one, else that of ``crontab``, else Debian's."""
    if cron:
        return DIALECTS[cron]
    try:
        return find_crontab(read_user(), environ).read_dialect()
    except (TryLater, UserError):
        return DEBIAN
