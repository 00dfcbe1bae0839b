"""Taking our lines out of a crontab whose marks are damaged, doubled or nested (CRON-48). Pure.

What goes is a mark that names our block, or a line that we once wrote; every other byte stays. A setting such as
``PATH=/usr/bin:/bin`` may well be somebody else's too: it goes only from between lines that are ours.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise

from runner.crontab.block import Block, Marker, find_blocks, find_markers, find_sound_blocks, split_lines
from runner.crontab.entry import FIELD_STARTS
from runner.errors import UserError

_ENTRY_STARTS = tuple(start.encode() for start in (*FIELD_STARTS, "#"))


@dataclass(frozen=True, slots=True)
class Repaired:
    """A crontab without any of our lines.

    Attributes
    ----------
    text
        What is left.
    removed
        The numbers of the lines that went, from 1.
    kept
        The numbers of those that stood between our marks and are none that we wrote.
    """

    text: bytes
    removed: tuple[int, ...]
    kept: tuple[int, ...]


def list_written(texts: Iterable[bytes], name: str) -> frozenset[bytes]:
    """Return the lines of our unedited blocks in some crontabs: lines that we once wrote."""
    blocks = [block for text in texts for block in find_sound_blocks(text)]
    return frozenset(
        line for block in blocks if block.name == name and not block.is_edited for line in split_lines(block.body)
    )


def repair_table(table: bytes, name: str, written: frozenset[bytes]) -> Repaired:
    """Return a crontab without the marks of our block and without the lines that we once wrote.

    Parameters
    ----------
    name
        Of our block.
    written
        The lines that we once wrote, with their newlines.

    Raises
    ------
    UserError
        If the marks of another block are damaged: those are not ours to mend.
    """
    lines = split_lines(table)
    markers = find_markers(table)
    marks = {marker.line for marker in markers if marker.called == name}
    others = _list_lines(block for block in find_sound_blocks(table) if block.name != name)
    sure = _find_sure(table, lines, name, markers)
    known = {number for number, line in enumerate(lines, 1) if line in written} - others
    ours = marks | sure | {number for number in known if lines[number - 1].startswith(_ENTRY_STARTS)}
    settings = known - ours
    inside = _find_inside(markers, name) - others
    ours |= settings & (inside | _find_enclosed(settings, ours))
    text = b"".join(line for number, line in enumerate(lines, 1) if number not in ours)
    _check_others(text, markers, name)
    return Repaired(text, tuple(sorted(ours)), tuple(sorted(inside - ours)))


def _list_lines(blocks: Iterable[Block]) -> set[int]:
    return {block.line + n for block in blocks for n in range(len(split_lines(block.body)) + 2)}


def _find_sure(table: bytes, lines: list[bytes], name: str, markers: list[Marker]) -> set[int]:
    """Return the lines that a digest says are ours: a whole block, or what follows a first mark without a last one."""
    sure = _list_lines(block for block in find_sound_blocks(table) if block.name == name and not block.is_edited)
    ends = [*(marker.line for marker in markers[1:]), len(lines) + 1]
    for marker, end in zip(markers, ends, strict=False):
        if marker.begun == name and marker.line not in sure:
            sure |= _find_digested(lines, marker, end)
    return sure


def _find_digested(lines: list[bytes], marker: Marker, end: int) -> set[int]:
    seen = sha256()
    for number in range(marker.line + 1, end):
        seen.update(lines[number - 1])
        if seen.hexdigest()[:16] == marker.digest:
            return set(range(marker.line, number + 1))
    return set()


def _find_inside(markers: list[Marker], name: str) -> set[int]:
    """Return the lines between a first and a last mark of ours, however damaged these are."""
    pairs = [(first, last) for first, last in pairwise(markers) if {first.called, last.called} == {name}]
    return {n for first, last in pairs if not first.ended for n in range(first.line + 1, last.line)}


def _find_enclosed(settings: set[int], ours: set[int]) -> set[int]:
    """Return the settings that have only such settings between them and lines of ours, above and below."""
    enclosed: set[int] = set()
    run: set[int] = set()
    for number in sorted(settings):
        if number - 1 not in run:
            run = set()
        if run or number - 1 in ours:
            run = run | {number}
            enclosed |= run if number + 1 in ours else set()
    return enclosed


def _check_others(text: bytes, markers: list[Marker], name: str) -> None:
    try:
        find_blocks(text)
    except UserError:
        lines = ", ".join(f"{marker.line} ({marker.called})" for marker in markers if marker.called != name)
        raise UserError(
            "nothing was changed: the marks of other blocks are damaged too, and not ours to mend; see"
            f" {'lines' if ', ' in lines else 'line'} {lines}"
        ) from None
