"""What an install or uninstall would do: planned here, shown by ``cli``, done by ``install`` (CRON-60 to 62). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import unified_diff

from runner.crontab.block import (
    Block,
    digest_of,
    find_block,
    find_blocks,
    has_block,
    lacks_newline,
    put_in,
    read_below,
    split_lines,
    take_out,
)
from runner.crontab.dialects import Dialect
from runner.crontab.entry import Entry, parse_entries, recall_zones
from runner.crontab.header import find_misplacement
from runner.crontab.lint import find_foreign_faults, find_foreign_warnings, find_table_faults
from runner.crontab.mask import show_lines
from runner.crontab.meaning import JobChange, format_local, list_changes, list_soon
from runner.crontab.repair import repair_table
from runner.crontab.shared import find_shared_scripts
from runner.errors import UserError
from runner.launch.installed import Installed
from runner.launch.instant import format_slot


@dataclass(frozen=True, slots=True)
class Wanted:
    """What shall stand in one user's crontab.

    Attributes
    ----------
    name
        Of the block, see `runner.crontab.compile.name_block`.
    target, host, user
        Whose crontab it is.
    system
        Whether it is a file of /etc/cron.d, all ours and with a user column.
    block
        As `runner.crontab.compile.compile_block` wrote it; empty in order to take the block out.
    entries
        What the block was compiled from.
    warnings
        Of the compiler (CRON-5, CRON-6, CRON-39), to be shown along.
    scripts
        How foreign lines may call a script that a job runs, and its place in the registry (CRON-56).
    overwrite_edits
        Whether a block that was edited by hand may go (CRON-48).
    written
        Lines that we once wrote, for damaged marks to be repaired; None in order not to (CRON-48).
    installed
        What the last install wrote down of the plans that are in the crontab now.
    """

    name: str
    target: str
    host: str
    user: str
    system: bool = False
    block: str = ""
    entries: tuple[Entry, ...] = ()
    warnings: tuple[str, ...] = ()
    scripts: Mapping[str, str] = field(default_factory=dict)
    overwrite_edits: bool = False
    written: frozenset[bytes] | None = None
    installed: Mapping[str, Installed] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Foreign:
    """The lines that are not ours: how many, the digest of their bytes, how many of them below our block."""

    lines: int
    digest: str
    below: int


@dataclass(frozen=True, slots=True)
class Preview:
    """A crontab before and after, and what the difference means.

    Attributes
    ----------
    target, host, user
        Whose crontab it is.
    old, new
        Its bytes; None where there is no crontab.
    text_diff
        Unified, without the values of secrets, empty if nothing changes.
    jobs
        The plans whose firings change.
    soon
        Slot and plan of what fires in the next ten minutes.
    foreign
        What is kept byte for byte.
    longest_bytes, limit_bytes
        Our longest line but for comments, and what the daemon takes.
    warnings
        For a person, a line each.
    flaws
        Why cron ignores the crontab as it is, whatever its text is.
    """

    target: str
    host: str
    user: str
    old: bytes | None
    new: bytes | None
    text_diff: str
    jobs: tuple[JobChange, ...]
    soon: tuple[tuple[int, str], ...]
    foreign: Foreign
    longest_bytes: int
    limit_bytes: int
    warnings: tuple[str, ...]
    flaws: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether there is anything to do: gated lines may stay the same where the slots behind them change."""
        return self.old != self.new or bool(self.jobs) or bool(self.flaws and self.new is not None)


def plan_install(old: bytes | None, wanted: Wanted, dialect: Dialect, now: float) -> Preview:
    """Return what an install of the wanted block would do to a crontab.

    Raises
    ------
    UserError
        If a block in the crontab is damaged or ours was edited by hand, or if the new text would not do
        what it says.
    """
    (table, repairs), text = _repair(old or b"", wanted), wanted.block.encode()
    found = _find_unedited(table, wanted)
    if wanted.system and old is not None and not has_block(old, wanted.name):
        raise UserError("the file was not made by us: it has no block of ours; move it away first (CRON-50)")
    (own,) = find_blocks(text)
    if found and (wrong := find_misplacement(found.body, own.body, wanted.host)):
        raise UserError(
            f"line {found.line}: the block of {wanted.name} that stands there is for {wrong}; if it is to go, take it"
            ' out with "runner crontab uninstall" first (CRON-49)'
        )
    new = put_in(table, wanted.name, text)
    above = new[: new.rindex(text)]
    column = wanted.user if wanted.system else ""
    if faults := find_table_faults(new, own.body, column) + find_foreign_faults(above, dialect):
        raise UserError("\n".join(faults))
    shared = find_shared_scripts(table, wanted.scripts)
    warnings = (*repairs, *find_foreign_warnings(above), *_warn_of_move(table, found), *shared)
    return _preview(old, table, new, found, wanted, dialect, warnings, now)


def plan_uninstall(old: bytes | None, wanted: Wanted, dialect: Dialect, now: float, *, made_by_us: bool) -> Preview:
    """Return what taking our block out would do to a crontab; it needs nothing else (CRON-64).

    The crontab itself goes only if nothing is left in it and an install of ours had made it.

    Raises
    ------
    UserError
        If a block in the crontab is damaged or ours was edited by hand.
    """
    table, repairs = _repair(old or b"", wanted)
    found = _find_unedited(table, wanted)
    foreign = take_out(table, found)
    new: bytes | None = foreign
    if foreign == (old or b""):
        new = old
    elif (made_by_us or wanted.system) and not foreign:
        new = None
    return _preview(old, table, new, found, wanted, dialect, repairs, now)


def encode_preview(preview: Preview) -> dict[str, object]:
    """Return the object that ``--json`` prints (CRON-62); a slot is written in UTC and in local time."""
    return {
        "target": preview.target,
        "host": preview.host,
        "user": preview.user,
        "changed": preview.changed,
        "text_diff": preview.text_diff,
        "jobs": [
            {
                "job": job.job,
                "plan": job.plan,
                "profile": job.profile or None,
                "change": job.change,
                "before": [_encode_slot(slot) for slot in job.before],
                "after": [_encode_slot(slot) for slot in job.after],
            }
            for job in preview.jobs
        ],
        "soon": [{"plan": plan, **_encode_slot(slot)} for slot, plan in preview.soon],
        "foreign": {
            "lines": preview.foreign.lines,
            "digest": preview.foreign.digest,
            "below": preview.foreign.below,
        },
        "longest_bytes": preview.longest_bytes,
        "limit_bytes": preview.limit_bytes,
        "warnings": list(preview.warnings),
    }


def diff_tables(old: bytes | None, new: bytes | None) -> str:
    """Return the difference of two crontabs as a person may see it (CRON-66)."""
    before, after = show_lines(old or b""), show_lines(new or b"")
    names = ("crontab as it is", "crontab as it would be")
    return "".join(f"{line}\n" for line in unified_diff(before, after, *names, lineterm=""))


def _preview(
    old: bytes | None,
    table: bytes,
    new: bytes | None,
    found: Block | None,
    wanted: Wanted,
    dialect: Dialect,
    warnings: tuple[str, ...],
    now: float,
) -> Preview:
    foreign = take_out(table, found)
    below = read_below(table, found) if found else b""
    entries = parse_entries(found.body.decode("ascii", "replace")) if found else ()
    return Preview(
        target=wanted.target,
        host=wanted.host,
        user=wanted.user,
        old=old,
        new=new,
        text_diff=diff_tables(old, new) if old != new else "",
        jobs=list_changes(recall_zones(entries, wanted.installed), wanted.entries, now),
        soon=list_soon(wanted.entries, now),
        foreign=Foreign(len(split_lines(foreign)), digest_of(foreign), len(split_lines(below))),
        longest_bytes=max((len(line) for line in wanted.block.splitlines() if line[0] != "#"), default=0),
        limit_bytes=dialect.command_bytes,
        warnings=wanted.warnings + warnings,
    )


def _find_unedited(table: bytes, wanted: Wanted) -> Block | None:
    found = find_block(table, wanted.name)
    if found and found.is_edited and not wanted.overwrite_edits:
        after = put_in(table, wanted.name, wanted.block.encode())
        command = "install" if wanted.block else "uninstall"
        raise UserError(
            f"line {found.line}: the block of {wanted.name} was edited by hand since it was installed; nothing was"
            f' changed; bring the edit into jobs/, then "runner crontab {command} --overwrite-edits"\n'
            f"{diff_tables(table, after)}"
        )
    return found


def _repair(table: bytes, wanted: Wanted) -> tuple[bytes, tuple[str, ...]]:
    """Return the crontab with sound marks, and what became of its lines; as it is where none need repair."""
    try:
        find_block(table, wanted.name)
    except UserError:
        if wanted.written is None:
            raise
    else:
        return table, ()
    repaired = repair_table(table, wanted.name, wanted.written)
    lines = show_lines(table)
    notes = [f"repaired: {len(repaired.removed)} lines of ours are taken out of {len(lines)}"]
    notes += [
        f"line {n} stood between our marks, is none that we wrote, and stays: {lines[n - 1]}" for n in repaired.kept
    ]
    return repaired.text, tuple(notes)


def _warn_of_move(table: bytes, found: Block | None) -> list[str]:
    warnings = []
    if found and (below := read_below(table, found)):
        count = len(split_lines(below))
        warnings.append(
            f"foreign lines below our block: {count}; they ran under our SHELL, PATH and MAILTO;"
            " the block moves below them"
        )
    if lacks_newline(take_out(table, found)):
        warnings.append("the last foreign line has no newline: one is added, and stays after an uninstall")
    return warnings


def _encode_slot(slot: int) -> dict[str, str]:
    return {"slot": format_slot(slot), "local": format_local(slot)}
