"""What one header teaches about the next: where its keywords stand (ARCH-23, PERF-9).

Files of one instrument have the same keywords in the same order. If the first 8 bytes of all cards of a header are
those of another that astropy has parsed, then each keyword is first where it was there; only its value is new. Cards
whose keyword does not show in 8 bytes, and those that say what kind of unit it is, must be the same as a whole.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from struct import Struct
from typing import TYPE_CHECKING

from runner.archive.headers.cards import Odd, find_field, read_card
from runner.archive.headers.contents import BLOCK
from runner.archive.headers.exact import CARD, COMMENTARY, KEYWORD, Parsed, find_end, normalize
from runner.archive.headers.units import COMPRESSED, STRUCTURE, Unit, describe_unit, name_axes
from runner.archive.headers.values import Value

if TYPE_CHECKING:
    from runner.archive.headers.recipe import Asked, Recipe

# They have the same bytes in every header of a template.
_PINNED = ("SIMPLE", "XTENSION", "NAXIS", "GROUPS", "ZIMAGE")
# Of a compressed image astropy composes these from more than one card of the table.
_COMPOSED = frozenset(
    {
        *("SIMPLE", "XTENSION", "EXTEND", "BLOCKED", "PCOUNT", "GCOUNT"),
        *("CHECKSUM", "DATASUM", "BLANK", "BSCALE", "BZERO", "GROUPS"),
    }
)
_MOST_UNITS = 1000


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
    is_compressed
        Whether the header is of a compressed image.
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
        self.is_compressed = parsed.is_compressed
        first, raw = parsed.first, parsed.raw
        # Eight bytes as one number, one of ten numbers: so they are compared without a loop in Python.
        count = (find_end(raw) or 0) // CARD + 1
        self._keywords = slice(0, count * CARD // KEYWORD, CARD // KEYWORD)
        self._keys = memoryview(raw).cast("Q")[self._keywords]
        table = parsed.get_table_values(STRUCTURE)
        wanted = [*STRUCTURE, *name_axes(table.get("NAXIS"))]
        self._table = {keyword: parsed.spans[first[keyword]] for keyword in wanted if keyword in first}
        self._constants: dict[str, Value] = {}
        self.spans = _find_spans(parsed, keywords)
        self._image: dict[str, tuple[int, int]] = {}
        if self.is_compressed:
            axes = name_axes(parsed.get_values(["NAXIS"]).get("NAXIS"))
            self._image = _find_spans(parsed, ["NAXIS", *axes, "EXTVER"])
            self._constants = parsed.get_values(["EXTNAME"])
            self.spans.pop("EXTNAME", None)
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

    def check_cards(self) -> None:
        """Raise `Odd` if the header has a card that another header could have with another meaning."""
        # A name that goes on in CONTINUE is not all in the fields that units are remembered by.
        if any(stop - start != CARD for start, stop in self.unit_spans):
            raise Odd

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
        return _read_spans(header, self.spans) | self._constants

    def _describe(self, header: bytes) -> Unit:
        table = _read_spans(header, self._table)
        image = _read_spans(header, self._image) | self._constants if self.is_compressed else None
        return describe_whole(self._number, table, image)


def learn(number: int, parsed: Parsed, keywords: Collection[str]) -> Template | None:
    """Return the template of a header, None if it has what a template could not be sure of."""
    wanted = {normalize(keyword) for keyword in keywords}
    if not parsed.raw.isascii() or len(parsed.raw) % BLOCK or parsed.trouble:
        return None
    if wanted & {*COMMENTARY, "CONTINUE"} or {*wanted, *STRUCTURE} & parsed.record_valued:
        return None
    if parsed.is_compressed and wanted & _COMPOSED:
        return None
    template = Template(number, parsed, keywords)
    try:
        template.check_cards()
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
    raw = parsed.raw
    end = find_end(raw) or 0
    pins = [(end, end + CARD)]
    pins += [parsed.spans[parsed.first[keyword]] for keyword in _PINNED if keyword in parsed.first]
    for start, stop in parsed.spans:
        card = raw[start:stop]
        if card[:KEYWORD].upper() == b"HIERARCH":
            # Its keyword goes up to the first =, and without one it is something else.
            pins.append((start, start + card.find(b"=") + 1 if b"=" in card else stop))
        elif b"=" in card[:KEYWORD] or (parsed.is_compressed and card[:KEYWORD].upper() == b"EXTNAME "):
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
