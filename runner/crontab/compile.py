"""Plans to the block of one target (CRON-11 to 16, 18, 19, 21, 23 to 26). Pure; the same bytes everywhere."""

from __future__ import annotations

from collections.abc import Iterable

from runner.crontab.block import make_block
from runner.crontab.entry import SWEEP, Entry, format_lines
from runner.crontab.header import format_header
from runner.crontab.lint import CONTENT_TYPE, FIXED_SETTINGS, find_line_faults, find_path_fault
from runner.errors import UserError
from runner.home.settings import Mail, Target
from runner.launch.outbox import VIA_CRON
from runner.plans.check import WRAPPER

_MADE_BY = '# made by "runner compile" from jobs/: edit there, then "runner crontab install"'


def name_block(home_name: str, target: str) -> str:
    """Return how markers call a block (CRON-21)."""
    return f"{home_name}@{target}"


def compile_block(
    home_name: str, home_path: str, target: Target, entries: Iterable[Entry], mail: Mail, *, housekeeping: str
) -> str:
    """Return the block of one target, markers included, newline at the end.

    Where the target names its ``home``, that is where its lines find the wrapper, so that the block does not
    depend on the place it is compiled in (CRON-19). ``housekeeping`` is ``cron`` or ``external`` (CRON-18).

    Raises
    ------
    UserError
        If any line would not be read by cron as it is meant.
    """
    wrapper = f"{target.home or home_path}/{WRAPPER}"
    if fault := find_path_fault(wrapper):
        raise UserError(fault)
    lines = [*format_header(target), _MADE_BY, *FIXED_SETTINGS]
    if mail.via == VIA_CRON:
        lines.append(CONTENT_TYPE)
    column = target.user if target.kind == "cron-d" else ""
    call = f"{column} {wrapper}" if column else wrapper
    sweep = [f"* * * * * {call} {SWEEP}"] if housekeeping == "cron" else []
    for recipients, jobs in _group_lines(entries, call, mail, target.user, sweep):
        lines += [f'MAILTO="{",".join(recipients)}"', *jobs]
    if faults := find_line_faults(lines, column):
        raise UserError("\n".join(faults))
    return make_block(name_block(home_name, target.name), "".join(f"{line}\n" for line in lines))


def _group_lines(
    entries: Iterable[Entry], call: str, mail: Mail, user: str, sweep: list[str]
) -> list[tuple[tuple[str, ...], list[str]]]:
    """Return recipients and their lines: those of ops first, since the housekeeping line is theirs (CRON-25)."""
    # Without ops the account itself is told, as cron would do without a MAILTO: never nobody (ALERT-9).
    ops = tuple(sorted(set(mail.ops))) or (user,)
    groups = {ops: list(sweep)}
    for entry in sorted(entries, key=lambda entry: entry.plan):
        recipients = tuple(sorted(set(entry.mailto))) if mail.via == VIA_CRON else ops
        groups.setdefault(recipients or ops, []).extend(format_lines(entry, call))
    ordered = [ops, *sorted(groups.keys() - {ops})]
    return [(recipients, groups[recipients]) for recipients in ordered if groups[recipients]]
