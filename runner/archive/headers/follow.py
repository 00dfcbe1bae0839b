"""From unit to unit through one file: each header by a template where one fits, else by astropy (ARCH-23, ARCH-27)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from runner.archive.headers.cards import Odd
from runner.archive.headers.columns import Columns
from runner.archive.headers.contents import BLOCK, Contents
from runner.archive.headers.exact import NoEnd, Parsed, read_header
from runner.archive.headers.library import START, UNKNOWN, Library
from runner.archive.headers.template import Template, describe_whole
from runner.archive.headers.units import STRUCTURE, Unit, name_axes
from runner.archive.headers.values import Typed, Value
from runner.archive.headers.whole import CardTexts, format_card, format_header

Row = tuple[int, str, int, str, str, str | None, *tuple[Typed, ...]]

# A file of more is made to hurt, or no FITS file.
MOST_UNITS: Final = 65_536
# How many values stand before those of the columns.
_BEFORE: Final = 6
# As astropy looks whether it is FITS at all.
_SIMPLE = re.compile(rb"SIMPLE\s*=\s*[TF]")
_EXTENSION = re.compile(rb"XTENSION|SIMPLE  =", re.IGNORECASE)


@dataclass(slots=True)
class Found:
    """What a file has.

    Attributes
    ----------
    troubles, findings
        Why it is bad, and what is odd; each a line.
    start, data_bytes
        Of the data of the last unit: where they begin, and their size.
    missing
        The columns that no header had yet, of those that take the first that has them.
    """

    rows: list[Row] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    start: int = 0
    data_bytes: int | None = None
    missing: tuple[int, ...] = ()

    @property
    def end(self) -> int | None:
        """Where the next unit would begin; None if that is not known."""
        if self.data_bytes is None:
            return None
        end = self.start + self.data_bytes
        return end + -end % BLOCK


class Follower:
    """Reads the units of files for one set of columns."""

    def __init__(self, columns: Columns, *, keep_header: bool) -> None:
        self._columns = columns
        self._library = Library(columns)
        self._texts = CardTexts() if keep_header else None
        self._each = frozenset(columns.each)
        # What is asked of headers after the primary.
        self._later: dict[tuple[int, ...], tuple[int, ...]] = {}

    def guess_bytes(self) -> int:
        """Return how much to read at once of a file."""
        return self._library.guess_bytes(START)

    def follow(self, contents: Contents, begun: bytes) -> Found:
        """Return what a file has, of which the first bytes are `begun`."""
        found = Found(missing=self._columns.first)
        previous: Template | str = START
        offset: int | None = 0
        while begun and offset is not None:
            previous = self._read_unit(found, contents, offset, begun, previous)
            if (offset := found.end) is not None and len(found.rows) >= MOST_UNITS:
                found.troubles.append(f"more than {MOST_UNITS} HDUs")
                break
            if offset is not None:
                begun = contents.read(offset, self._library.guess_bytes(previous))
        return found

    def _read_unit(
        self, found: Found, contents: Contents, offset: int, begun: bytes, previous: Template | str
    ) -> Template | str:
        """Add what a unit has; return its template."""
        template = self._library.find(previous, begun)
        if template is not None:
            try:
                self._read_known(found, offset, begun, template)
                return template
            except Odd:
                pass
        found.data_bytes = None
        number = len(found.rows)
        if not _is_header(found, contents, number, offset, begun):
            return UNKNOWN
        try:
            raw = read_header(contents, offset, begun)
        except NoEnd as error:
            found.troubles.append(f"HDU {number}: {error}")
            return UNKNOWN
        parsed = Parsed(raw)
        self._read_parsed(found, offset, parsed)
        return template or self._library.learn(previous, number, parsed) or UNKNOWN

    def _read_known(self, found: Found, offset: int, header: bytes, template: Template) -> None:
        """Add a unit whose header is of a template; `Odd`, and nothing added, if it has what only astropy can read."""
        if self._texts is not None and template.is_compressed:
            raise Odd
        number = len(found.rows)
        unit = template.get_unit(header)
        numbers = self._choose(found)
        try:
            recipe = self._library.get_recipe(template, numbers)
            values, filled = recipe.fill(header), recipe.numbers
        except Odd:
            values, filled = tuple(self._fill(found, numbers, template.get_values(header))), numbers
        text = None
        if self._texts is not None:
            text = format_header([self._texts[header[start:stop]] for start, stop in template.cards])
        self._add(found, unit, text, values, filled)
        found.start, found.data_bytes = offset + template.size_bytes, unit.data_bytes
        if unit.trouble or unit.oddities:
            _say(found, number, unit, None)

    def _read_parsed(self, found: Found, offset: int, parsed: Parsed) -> None:
        number, size = len(found.rows), len(parsed.raw)
        unit = _describe(number, parsed)
        numbers = self._choose(found)
        values = self._fill(found, numbers, parsed.get_values(self._columns.keywords))
        text = format_header(format_card(*card) for card in parsed.get_cards()) if self._texts is not None else None
        self._add(found, unit, text, values, numbers)
        found.start, found.data_bytes = offset + size, unit.data_bytes
        _say(found, number, unit, parsed)

    def _choose(self, found: Found) -> tuple[int, ...]:
        """Return the columns that are asked of the next header."""
        if not found.rows:
            return self._columns.all
        numbers = self._later.get(found.missing)
        if numbers is None:
            numbers = self._later[found.missing] = (*self._columns.each, *found.missing)
        return numbers

    def _fill(self, found: Found, numbers: tuple[int, ...], header: Mapping[str, Value]) -> list[Typed]:
        """Return one value for every configured column, as far as a header has them; note what does not fit."""
        filled, findings = self._columns.fill(numbers, header)
        found.findings += [f"HDU {len(found.rows)}: {finding}" for finding in findings]
        return [filled.get(number) for number in range(len(self._columns.names))]

    def _add(
        self, found: Found, unit: Unit, text: str | None, values: Sequence[Typed], filled: tuple[int, ...]
    ) -> None:
        """Add the row of a unit; what is the first of its kind goes to the row of the primary."""
        number = len(found.rows)
        if number and not self._each.issuperset(filled):
            values = self._move_to_primary(found, values)
        found.rows.append((number, unit.name, unit.version, unit.type, unit.dimensions, text, *values))
        if not number:
            found.missing = tuple([i for i in self._columns.first if values[i] is None])

    def _move_to_primary(self, found: Found, values: Sequence[Typed]) -> list[Typed]:
        own, primary = list(values), list(found.rows[0])
        for i in found.missing:
            primary[_BEFORE + i], own[i] = own[i], None
        found.rows[0] = tuple(primary)  # type: ignore[assignment]
        found.missing = tuple([i for i in found.missing if primary[_BEFORE + i] is None])
        return own


def _is_header(found: Found, contents: Contents, number: int, offset: int, begun: bytes) -> bool:
    """Whether a header begins here; what is wrong if none does."""
    if number == 0:
        if not _SIMPLE.match(begun):
            found.troubles.append(f"not a FITS file: it begins with {begun[:16]!r}")
            return False
    elif not _EXTENSION.match(begun):
        if begun.strip(b"\0"):
            found.troubles.append(f"HDU {number}: no header at byte {offset}, but {begun[:16]!r}")
        else:
            found.findings.append(f"zeros follow the last HDU, from byte {offset} on")
        return False
    return True


def check_end(found: Found, size: int) -> None:
    """Note if a file of `size` bytes ends before its last unit does."""
    number, needed = len(found.rows) - 1, found.data_bytes or 0
    there = max(size - found.start, 0)
    if there < needed:
        found.troubles.append(f"HDU {number}: its data are cut off: {there} of {needed} bytes are there")
    elif found.end is not None and size < found.end:
        found.findings.append(
            f"HDU {number}: its last block is not filled up: the file has {size} of {found.end} bytes"
        )


def _describe(number: int, parsed: Parsed) -> Unit:
    table = parsed.get_table_values(STRUCTURE)
    table |= parsed.get_table_values(name_axes(table.get("NAXIS")))
    if not parsed.is_compressed:
        return describe_whole(number, table, None)
    image = parsed.get_values(["NAXIS", "EXTNAME", "EXTVER"])
    return describe_whole(number, table, image | parsed.get_values(name_axes(image.get("NAXIS"))))


def _say(found: Found, number: int, unit: Unit, parsed: Parsed | None) -> None:
    """Note what is wrong with a unit, and what is odd."""
    troubles, findings = [unit.trouble], list(unit.oddities)
    if parsed is not None:
        troubles.append(parsed.trouble)
        size = len(parsed.raw)
        if size % BLOCK:
            troubles.append(f"its header is cut off: {size} bytes are no whole blocks of {BLOCK}")
        if not parsed.raw.isascii():
            findings.append("bytes in its header are not ASCII")
    found.troubles += [f"HDU {number}: {trouble}" for trouble in troubles if trouble]
    found.findings += [f"HDU {number}: {finding}" for finding in findings]
