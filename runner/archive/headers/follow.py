"""From unit to unit through one file: each header by a template where one fits, else by astropy (ARCH-23, ARCH-27)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from runner.archive.headers.cards import Odd
from runner.archive.headers.columns import Columns
from runner.archive.headers.contents import BLOCK, Contents
from runner.archive.headers.exact import NoEnd, Parsed, read_header
from runner.archive.headers.library import Library, find_template
from runner.archive.headers.recipe import Asked
from runner.archive.headers.template import Template, describe_whole
from runner.archive.headers.units import STRUCTURE, Unit, name_axes
from runner.archive.headers.values import Typed, Value
from runner.archive.headers.whole import CardTexts, format_card, format_header

Row = tuple[int, str, int, str, str, str | None, *tuple[Typed, ...]]

# A file of more is made to hurt, or no FITS file.
MOST_UNITS: Final = 65_536
# How many values stand before those of the columns.
_BEFORE: Final = 6
_MOST_ASKED: Final = 1000
_MOST_ZEROS: Final = 64 << 20
# As astropy looks whether it is FITS at all.
_SIMPLE = re.compile(rb"SIMPLE\s*=\s*[TF]")
_EXTENSION = re.compile(rb"XTENSION|SIMPLE  =", re.IGNORECASE)


class Found:
    """What a file has.

    Attributes
    ----------
    troubles, findings
        Why it is bad, and what is odd; each a line.
    asked
        What is asked of the next header.
    start, data_bytes
        Of the data of the last unit: where they begin, and their size; None if that is not known.
    end
        Where the next unit would begin.
    """

    __slots__ = ("asked", "data_bytes", "end", "findings", "rows", "start", "troubles")

    def __init__(self, asked: Asked) -> None:
        self.rows: list[Row] = []
        self.troubles: list[str] = []
        self.findings: list[str] = []
        self.asked = asked
        self.start = 0
        self.end: int | None = 0
        self.data_bytes: int | None = None

    def go_on(self, start: int, data_bytes: int | None) -> None:
        """Set where the data of a unit begin, and where they end."""
        self.start, self.data_bytes = start, data_bytes
        self.end = None if data_bytes is None else start + data_bytes + -data_bytes % BLOCK


class Follower:
    """Reads the units of files for one set of columns."""

    def __init__(self, columns: Columns, *, keep_header: bool) -> None:
        self._columns = columns
        self._library = Library(columns)
        self._texts = CardTexts() if keep_header else None
        self._first = Asked(columns.all, columns.first)
        self._later: dict[tuple[int, ...], Asked] = {}

    @property
    def start(self) -> list[Template]:
        """The templates of primary headers."""
        return self._library.start

    def follow(self, contents: Contents, begun: bytes) -> Found:
        """Return what a file has, of which the first bytes are `begun`."""
        found = Found(self._first)
        after, offset = self._library.start, 0
        while begun:
            template = find_template(after, begun)
            if template is not None and self._read_known(found, offset, begun, template):
                after = template.after
            else:
                after = self._read_new(found, contents, offset, begun, after, template)
            if found.end is None:
                break
            if len(found.rows) >= MOST_UNITS:
                found.troubles.append(f"more than {MOST_UNITS} HDUs")
                break
            offset = found.end
            begun = contents.read(offset, guess_bytes(contents, after))
        return found

    def _read_known(self, found: Found, offset: int, header: bytes, template: Template) -> bool:
        """Add a unit whose header is of a template; False, and nothing added, if only astropy can read it."""
        asked, rows = found.asked, found.rows
        recipe = template.recipes.get(asked) or self._library.make_recipe(template, asked)
        try:
            unit, values = recipe.read(header)
            has_missing = recipe.has_missing
        except Odd:
            try:
                unit, has_missing = template.get_unit(header), True
                values = self._fill(found, template.get_values(header))
            except Odd:
                return False
        text, texts = None, self._texts
        if texts is not None:
            text = format_header([texts[header[start:stop]] for start, stop in template.cards])
        if has_missing or not rows:
            self._add(found, unit, text, values)
        else:
            rows.append((len(rows), unit.name, unit.version, unit.type, unit.dimensions, text, *values))
        found.go_on(offset + template.size_bytes, unit.data_bytes)
        if unit.trouble or unit.oddities:
            _say(found, unit, None)
        return True

    def _read_new(
        self,
        found: Found,
        contents: Contents,
        offset: int,
        begun: bytes,
        after: list[Template],
        template: Template | None,
    ) -> list[Template]:
        """Add a unit as astropy reads it; return the templates of what came after such a one."""
        number = len(found.rows)
        found.go_on(offset, None)
        if not _is_header(found, contents, offset, begun):
            return self._library.unknown
        try:
            raw = read_header(contents, offset, begun)
        except NoEnd as error:
            found.troubles.append(f"HDU {number}: {error}")
            return self._library.unknown
        if len(raw) > len(begun):
            # Only now there is all of it.
            template = find_template(after, raw)
            if template is not None and self._read_known(found, offset, raw, template):
                return template.after
        parsed = Parsed(raw)
        unit = _describe(number, parsed)
        values = self._fill(found, parsed.get_values(self._columns.keywords))
        text = None if self._texts is None else format_header(format_card(*card) for card in parsed.get_cards())
        self._add(found, unit, text, values)
        found.go_on(offset + len(parsed.raw), unit.data_bytes)
        _say(found, unit, parsed)
        # The cards of a compressed image are not those of the file.
        if template is None and (self._texts is None or not parsed.is_compressed):
            template = self._library.learn(after, number, parsed)
        return template.after if template else self._library.unknown

    def _fill(self, found: Found, header: Mapping[str, Value]) -> tuple[Typed, ...]:
        """Return one value for every configured column, as far as a header has them; note what does not fit."""
        filled, findings = self._columns.fill(found.asked.numbers, header)
        found.findings += [f"HDU {len(found.rows)}: {finding}" for finding in findings]
        return tuple([filled.get(number) for number in self._columns.all])

    def _add(self, found: Found, unit: Unit, text: str | None, values: tuple[Typed, ...]) -> None:
        """Add the row of a unit; what is the first of its kind goes to the row of the primary."""
        missing, rows = found.asked.missing, found.rows
        if rows:
            own, primary = list(values), list(rows[0])
            for i in missing:
                primary[_BEFORE + i], own[i] = own[i], None
            rows[0], values = tuple(primary), tuple(own)  # type: ignore[assignment]
        rows.append((len(rows), unit.name, unit.version, unit.type, unit.dimensions, text, *values))
        found.asked = self._ask(tuple([i for i in missing if rows[0][_BEFORE + i] is None]))

    def _ask(self, missing: tuple[int, ...]) -> Asked:
        """Return what is asked of a header after the primary, if these columns have no value yet."""
        asked = self._later.get(missing)
        if asked is None:
            if len(self._later) >= _MOST_ASKED:
                self._later.clear()
            asked = self._later[missing] = Asked((*self._columns.each, *missing), missing)
        return asked


def _is_header(found: Found, contents: Contents, offset: int, begun: bytes) -> bool:
    """Whether a header begins here; what is wrong if none does."""
    number = len(found.rows)
    if number == 0:
        if not _SIMPLE.match(begun):
            found.troubles.append(f"not a FITS file: it begins with {begun[:16]!r}")
            return False
    elif not _EXTENSION.match(begun):
        if not _has_only_zeros(contents, offset, begun):
            found.troubles.append(f"HDU {number}: no header at byte {offset}, but {begun[:16]!r}")
        else:
            found.findings.append(f"zeros follow the last HDU, from byte {offset} on")
        return False
    return True


def _has_only_zeros(contents: Contents, offset: int, begun: bytes) -> bool:
    """Whether nothing but zeros follows, as far as one looks."""
    piece, at = begun, offset
    while piece and at < offset + _MOST_ZEROS:
        if piece.strip(b"\0"):
            return False
        at += len(piece)
        piece = contents.read(at, 64 * BLOCK)
    return True


def guess_bytes(contents: Contents, after: list[Template]) -> int:
    """Return how much to read at once of the next header.

    Of a packed file never more because of what was read before: where its damage is found must not depend on that.
    """
    return after[0].size_bytes if after and not contents.is_packed else BLOCK


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


def _say(found: Found, unit: Unit, parsed: Parsed | None) -> None:
    """Note what is wrong with the last unit, and what is odd."""
    number = len(found.rows) - 1
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
