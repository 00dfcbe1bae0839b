"""What one header teaches about the next: where its keywords stand (ARCH-23, PERF-9).

Files of one instrument have the same keywords in the same order. If the first 8 bytes of all cards of a header are
those of another that astropy has parsed, then each keyword is first where it was there; only its value is new. Cards
whose keyword does not show in 8 bytes, and those that say what kind of unit it is, must be the same as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from struct import Struct
from typing import TYPE_CHECKING

from runner.archive.headers.cards import Odd, find_field, read_card
from runner.archive.headers.contents import BLOCK
from runner.archive.headers.exact import CARD, COMMENTARY, KEYWORD, Parsed, find_end, normalize
from runner.archive.headers.units import COMPRESSED, STRUCTURE, Unit, describe_unit, name_axes
from runner.archive.headers.values import UNREADABLE, Value

if TYPE_CHECKING:
    from runner.archive.headers.recipe import Asked, Recipe

# They have the same bytes in every header of a template; and of a compressed image all that astropy makes it from.
_PINNED = re.compile(rb"SIMPLE|XTENSION|NAXIS|GROUPS|ZIMAGE", re.IGNORECASE)
_PINNED_COMPRESSED = re.compile(
    rb"EXTNAME|TFIELDS|TTYPE[0-9]+|Z(IMAGE|SIMPLE|TENSION|BITPIX|NAXIS|EXTEND|BLOCKED|PCOUNT|GCOUNT|CMPTYPE|MASKCMP"
    rb"|QUANTIZ|(TILE|NAME|VAL)[0-9]+)",
    re.IGNORECASE,
)
# It needs these too, which differ from file to file, and does not open the image if one cannot be read.
_NEEDED = ("ZDITHER0", "ZBLANK", "BLANK", "BSCALE", "BZERO", "ZHECKSUM", "ZDATASUM")
# These the image has from more than one card of the table.
_COMPOSED = frozenset(
    {
        *("SIMPLE", "XTENSION", "EXTEND", "BLOCKED", "PCOUNT", "GCOUNT", "GROUPS"),
        *("EXTNAME", "CHECKSUM", "DATASUM", "BLANK", "BSCALE", "BZERO"),
    }
)
_MOST_UNITS = 128
# Longer ones are few, and have a history that no other has.
_MOST_LEARNT_BYTES = 256 << 10


class Template:
    """The keywords of a header, and where they stand.

    Attributes
    ----------
    size_bytes
        Of the header.
    spans
        Where the cards of each wanted keyword are that the header has, as the image has them.
    fields
        Where their values are, from the ``=`` on, of those that are one card.
    cards
        Where each card is, with its CONTINUE cards.
    unit_spans
        Where the cards are that say what unit it is.
    after
        The templates of headers that came after one of this, the latest first.
    recipes
        How columns are filled from headers of this, by what is asked.
    """

    def __init__(self, number: int, parsed: Parsed, keywords: Collection[str]) -> None:
        self._number = number
        self.size_bytes = len(parsed.raw)
        self.cards = parsed.spans
        self._is_compressed = parsed.is_compressed
        first, raw = parsed.first, parsed.raw
        # Eight bytes as one number, one of ten numbers: so they are compared without a loop in Python.
        count = (find_end(raw) or 0) // CARD + 1
        self._keywords = slice(0, count * CARD // KEYWORD, CARD // KEYWORD)
        self._keys = memoryview(memoryview(raw).cast("Q")[self._keywords].tobytes()).cast("Q")
        table = parsed.get_table_values(STRUCTURE)
        wanted = [*STRUCTURE, *name_axes(table.get("NAXIS"))]
        self._table = {keyword: parsed.spans[first[keyword]] for keyword in wanted if keyword in first}
        self.spans = _find_spans(parsed, keywords)
        self._image: dict[str, tuple[int, int]] = {}
        self._name: dict[str, Value] = {}
        if self._is_compressed:
            self._table |= {keyword: parsed.spans[first[keyword]] for keyword in _NEEDED if keyword in first}
            axes = name_axes(parsed.get_values(["NAXIS"]).get("NAXIS"))
            self._image = _find_spans(parsed, ["NAXIS", *axes, "EXTVER"])
            self._name = parsed.get_values(["EXTNAME"])
        self.fields = {
            keyword: (start + find_field(raw[start:stop]), stop)
            for keyword, (start, stop) in self.spans.items()
            if stop - start == CARD
        }
        self._unpack_pins = Struct(make_format(_find_pins(parsed))).unpack_from
        self._pins = self._unpack_pins(raw)
        self.unit_spans = sorted({*self._table.values(), *self._image.values()})
        self._unit_fields = Struct(make_format(join_spans(self.unit_spans))).unpack_from
        self._units: dict[tuple[bytes, ...], Unit] = {}
        self.after: list[Template] = []
        self.recipes: dict[Asked, Recipe] = {}

    def is_of(self, header: bytes) -> bool:
        """Whether a header, and what was read after it, has the same keywords in the same order."""
        size = self.size_bytes
        if len(header) != size:
            header = header[:size]
        return (
            len(header) == size
            and memoryview(header).cast("Q")[self._keywords] == self._keys
            and self._unpack_pins(header) == self._pins
            and header.isascii()
        )

    def get_unit(self, header: bytes) -> Unit:
        """Return what a header of this template says of its unit."""
        fields = self._unit_fields(header)
        unit = self._units.get(fields)
        if unit is None:
            if len(self._units) >= _MOST_UNITS:
                self._units.clear()
            unit = self._units[fields] = self._describe(header)
        return unit

    def get_values(self, header: bytes) -> dict[str, Value]:
        """Return the values of the wanted keywords; `Odd` if only the whole header tells."""
        return _read_spans(header, self.spans)

    def _describe(self, header: bytes) -> Unit:
        table = _read_spans(header, self._table)
        if not self._is_compressed:
            return describe_whole(self._number, table, None)
        image = _read_spans(header, self._image) | self._name
        unit = describe_whole(self._number, table, image)
        if unit.trouble or UNREADABLE in (*table.values(), *image.values()):
            # Whether astropy opens such an image, astropy knows.
            raise Odd
        return unit


def learn(number: int, parsed: Parsed, keywords: Collection[str]) -> Template | None:
    """Return the template of a header, None if it has what a template could not be sure of."""
    wanted = {normalize(keyword) for keyword in keywords}
    if not parsed.raw.isascii() or len(parsed.raw) % BLOCK or len(parsed.raw) > _MOST_LEARNT_BYTES or parsed.trouble:
        return None
    if wanted & {*COMMENTARY, "CONTINUE"} or {*wanted, *STRUCTURE} & parsed.record_valued:
        return None
    if parsed.is_compressed and wanted & _COMPOSED:
        return None
    template = Template(number, parsed, keywords)
    # A name that goes on in CONTINUE is not all in the fields that units are remembered by.
    if any(stop - start != CARD for start, stop in template.unit_spans):
        return None
    try:
        is_right = template.is_of(parsed.raw) and template.get_values(parsed.raw) == parsed.get_values(keywords)
    except Odd:
        return None
    return template if is_right else None


def describe_whole(number: int, table: Mapping[str, Value], image: Mapping[str, Value] | None) -> Unit:
    """Return what a header says of its unit.

    Parameters
    ----------
    table, image
        Values of the header as it stands; and of the compressed image in it, None if there is none.
    """
    unit = describe_unit(number, table)
    if image is None:
        return unit
    shown = describe_unit(number, {"XTENSION": COMPRESSED, "BITPIX": 8, **image})
    return Unit(
        shown.name,
        shown.version,
        COMPRESSED,
        shown.dimensions,
        unit.data_bytes,
        unit.trouble or shown.trouble,
        shown.oddities,
    )


def make_format(spans: Iterable[tuple[int, int]]) -> str:
    """Return what unpacks the bytes of these spans, which are in their order."""
    at, parts = 0, []
    for start, stop in spans:
        parts.append(f"{start - at}x{stop - start}s")
        at = stop
    return "".join(parts)


def _find_spans(parsed: Parsed, keywords: Collection[str]) -> dict[str, tuple[int, int]]:
    spans = {}
    for keyword in keywords:
        source = normalize(keyword)
        if parsed.is_compressed and keyword not in parsed.image:
            continue
        if parsed.is_compressed and (source == "BITPIX" or source.startswith("NAXIS")):
            source = f"Z{source}"
        if (number := parsed.first.get(source)) is not None:
            spans[keyword] = parsed.spans[number]
    return spans


def _find_pins(parsed: Parsed) -> list[tuple[int, int]]:
    """Return the parts of a header that must be the same in another, beside the keywords."""
    raw, pinned = parsed.raw, _PINNED_COMPRESSED if parsed.is_compressed else _PINNED
    end = find_end(raw) or 0
    pins = [(end, end + CARD)]
    for start, stop in parsed.spans:
        card = raw[start:stop]
        if card[:KEYWORD].upper() == b"HIERARCH":
            # Its keyword goes up to the first =, and without one it is something else.
            pins.append((start, start + card.find(b"=") + 1 if b"=" in card else stop))
        elif b"=" in card[:KEYWORD] or start == 0 or pinned.fullmatch(card[:KEYWORD].strip()):
            pins.append((start, stop))
    return join_spans(sorted({*pins}))


def join_spans(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return spans in their order with those joined that touch or overlap."""
    joined: list[tuple[int, int]] = []
    for start, stop in spans:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(stop, joined[-1][1]))
        else:
            joined.append((start, stop))
    return joined


def _read_spans(header: bytes, spans: Mapping[str, tuple[int, int]]) -> dict[str, Value]:
    return {keyword: read_card(header[start:stop]) for keyword, (start, stop) in spans.items()}
