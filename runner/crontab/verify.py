"""Whether what cron reads is still what we installed (CRON-63). Pure."""

from __future__ import annotations

from dataclasses import dataclass

from runner.crontab.block import Block, find_blocks, has_block, read_below, split_lines
from runner.crontab.dialects import Dialect
from runner.crontab.explain.describe import explain_table
from runner.crontab.explain.values import Table
from runner.crontab.mask import show_lines
from runner.crontab.preview import Wanted
from runner.errors import UserError


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it was installed.

    Attributes
    ----------
    finding
        ``absent edited stale foreign-below double ignored``.
    message
        For a person: what, and the remedy.
    """

    finding: str
    message: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A crontab as it is.

    Attributes
    ----------
    name
        How messages call it.
    text
        Its bytes; None where there is none.
    flaws
        Why cron ignores it whatever its text is.
    elsewhere
        The names of other crontabs in which a block of the same name stands.
    copies
        Path and reason of files that hold the block, but cron ignores them.
    """

    name: str
    text: bytes | None
    flaws: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    copies: tuple[tuple[str, str], ...] = ()


def verify_block(seen: Seen, wanted: Wanted, dialect: Dialect) -> tuple[Finding, ...]:
    """Return what is wrong with our block and the crontab around it, nothing if all is as it was installed."""
    table = seen.text or b""
    findings = [Finding("double", f"the same block stands in {other} too") for other in seen.elsewhere]
    findings += [Finding("ignored", f"{seen.name}: cron ignores this file because {reason}") for reason in seen.flaws]
    if not has_block(table, wanted.name):
        absent = Finding("absent", f'{seen.name} has no block of {wanted.name}; "runner crontab install"')
        copies = [Finding("ignored", f"{path}: cron ignores this file because {why}") for path, why in seen.copies]
        return (*findings, absent, *copies)
    findings += _find_ignored(table, wanted, dialect)
    try:
        blocks = [block for block in find_blocks(table) if block.name == wanted.name]
    except UserError as error:
        faults = "; ".join(str(error).splitlines()[1:])
        return (*findings, Finding("edited", f'the marks are damaged: {faults}; "runner crontab install --repair"'))
    if len(blocks) > 1:
        lines = ", ".join(str(block.line) for block in blocks)
        findings.append(Finding("double", f'the block stands at lines {lines}; "runner crontab install --repair"'))
    return (*findings, *_compare(table, blocks[-1], wanted))


def _compare(table: bytes, block: Block, wanted: Wanted) -> list[Finding]:
    findings = []
    if block.is_edited:
        findings.append(Finding("edited", f"line {block.line}: the block was edited by hand since it was installed"))
    elif table[block.start : block.end] != wanted.block.encode():
        findings.append(Finding("stale", 'the registry says something else by now; see "runner crontab diff"'))
    if below := read_below(table, block):
        message = f"{len(split_lines(below))} foreign lines below our block run under its SHELL, PATH and MAILTO"
        findings.append(Finding("foreign-below", message))
    return findings


def _find_ignored(table: bytes, wanted: Wanted, dialect: Dialect) -> list[Finding]:
    """Return the lines that cron refuses, where the whole file goes with them or the line is one of ours."""
    explained = explain_table(dialect, Table(table, system=wanted.system, owned_by_root=wanted.user == "root"))
    ours = set(wanted.block.encode().splitlines())
    lines, shown = split_lines(table), show_lines(table)
    findings = []
    for refusal in explained.refusals:
        line = lines[refusal.line - 1] if refusal.line else b""
        place = f"line {refusal.line}: " if refusal.line else ""
        text = f": {shown[refusal.line - 1]}" if refusal.line else ""
        if explained.ignored:
            findings.append(Finding("ignored", f"cron ignores this file because {place}{refusal.words}{text}"))
        elif line.rstrip(b"\n") in ours:
            findings.append(Finding("ignored", f"cron ignores {place}{refusal.words}{text}"))
    return findings
