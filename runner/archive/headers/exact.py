"""A header as astropy reads it: whatever it holds, and at astropy's speed (ARCH-22)."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import TYPE_CHECKING, Final

from runner.archive.headers.contents import BLOCK, Contents
from runner.archive.headers.values import UNREADABLE, Value, escape_text

if TYPE_CHECKING:
    from astropy.io.fits import Card, Header

CARD: Final = 80
KEYWORD: Final = 8
# The longest that were seen have some MB of HISTORY; without an END a whole disk would be read.
MOST_HEADER_BYTES: Final = 16 << 20

# They have no value but a text, and any number of them.
COMMENTARY: Final = frozenset({"", "COMMENT", "HISTORY"})
# As astropy looks for it: what follows END may be anything but a keyword's character.
_END = re.compile(rb"END(?: {77}| {0,76}[^A-Z0-9_-]|\Z)")
_NOT_ASCII = re.compile(rb"[\x80-\xff]")
# Stand for a byte that is not ASCII while astropy reads the card; none means anything to it.
_STAND_INS = b'?~^`|{}<>#%@!;$"_\\[]*'


class NoEnd(Exception):
    """A header has no END; its text says where it was looked for."""


def find_end(header: bytes, start: int = 0) -> int | None:
    """Return where the END card is, None if there is none from `start` on."""
    at = header.find(b"END", start)
    while at >= 0:
        # In its own block: a header that was cut off in its END has one, as for astropy.
        if at % CARD == 0 and _END.match(header, at, min(len(header), at - at % BLOCK + BLOCK)):
            return at
        at = header.find(b"END", at + 1)
    return None


def read_header(contents: Contents, offset: int, begun: bytes) -> bytes:
    """Return the blocks of a header from `offset` on.

    Parameters
    ----------
    begun
        What was read of it already.

    Raises
    ------
    NoEnd
        The file ends before its END, or there is none in the first `MOST_HEADER_BYTES`.
    """
    header, looked = begun, 0
    while (end := find_end(header, looked)) is None:
        looked = max(len(header) - len(header) % BLOCK, 0)
        if len(header) >= MOST_HEADER_BYTES:
            raise NoEnd(f"no END card in the first {len(header)} bytes of its header")
        more = contents.read(offset + len(header), max(8 * BLOCK, len(header)))
        if not more:
            raise NoEnd(f"no END card in its header, which is cut off after {len(header)} bytes")
        header += more
    size = (end // BLOCK + 1) * BLOCK
    if len(header) < size:
        header += contents.read(offset + len(header), size - len(header))
    return header[:size]


class Parsed:
    """A header that astropy has parsed.

    Attributes
    ----------
    raw
        Its blocks.
    spans
        Of each card with its CONTINUE cards: where it begins and ends in `raw`.
    table
        What stands in the file.
    image
        What astropy's users see: the same, or of a compressed image its own header.
    trouble
        Why a compressed image has none; None if all is well.
    """

    def __init__(self, raw: bytes) -> None:
        from astropy.io.fits import Header

        self.raw = raw
        self.spans = tuple(_split_cards(raw))
        self.trouble: str | None = None
        images, self._stood_in = _stand_in(raw, self.spans)
        with quiet():
            self.table: Header = Header.fromstring("".join(images))
            self.image = self._find_image()

    @property
    def is_compressed(self) -> bool:
        """Whether it is a table that has an image, compressed by tiles."""
        return self.image is not self.table

    @cached_property
    def first(self) -> dict[str, int]:
        """Where each keyword is first, in `spans`, as astropy looks it up."""
        first, bare = find_first(self.table.cards)
        return {**bare, **first}

    @cached_property
    def record_valued(self) -> frozenset[str]:
        """The bare keywords of record-valued cards: which of their cards counts depends on their values."""
        return frozenset(find_first(self.table.cards)[1])

    def get_table_values(self, keywords: Iterable[str]) -> dict[str, Value]:
        """Return the values of those keywords that the file has, as they stand there."""
        return self._get_values(self.table, keywords)

    def get_values(self, keywords: Iterable[str]) -> dict[str, Value]:
        """Return the values of those keywords that the image has."""
        return self._get_values(self.image, keywords)

    def get_cards(self) -> list[tuple[str, Value, str]]:
        """Return keyword, value and comment of all cards."""
        with quiet():
            return [self._read_card(number, card) for number, card in enumerate(self.image.cards)]

    def _read_card(self, number: int, card: Card) -> tuple[str, Value, str]:
        return split_card(card, {} if self.is_compressed else self._stood_in.get(number, {}))

    def _get_values(self, header: Header, keywords: Iterable[str]) -> dict[str, Value]:
        found: dict[str, Value] = {}
        with quiet():
            for keyword in keywords:
                # Astropy says of a record-valued card with a point in its keyword that it has it, and does not find it.
                with suppress(KeyError):
                    found[keyword] = self._get_value(header, keyword)
        return found

    def _get_value(self, header: Header, keyword: str) -> Value:
        if keyword in COMMENTARY and keyword in header:
            cards = enumerate(header.cards)
            return "\n".join(str(self._read_card(number, card)[1]) for number, card in cards if card.keyword == keyword)
        value = read_keyword(header, keyword)
        if not isinstance(value, str):
            return value
        if header is self.table and self._stood_in and (number := self.first.get(normalize(keyword))) is not None:
            value = value.translate(self._stood_in.get(number, {}))
        return escape_text(value)

    def _find_image(self) -> Header:
        card = self.table.cards[0] if len(self.table) else None
        values = self.get_table_values(("XTENSION", "ZIMAGE"))
        kind = values.get("XTENSION")
        if card is None or card.keyword != "XTENSION" or values.get("ZIMAGE") in (None, False, 0, "", UNREADABLE):
            return self.table
        if not isinstance(kind, str) or kind.rstrip() not in ("BINTABLE", "A3DTABLE"):
            return self.table
        try:
            return _uncompress(self.raw)
        except Exception as error:
            # Whatever a damaged one makes astropy raise: it is recorded as the reason.
            self.trouble = f"a compressed image that astropy cannot open: {type(error).__name__}: {error}"
            return self.table


def _uncompress(raw: bytes) -> Header:
    """Return the image's header of a compressed image, by giving astropy a file that has only headers."""
    from astropy.io import fits

    primary = fits.PrimaryHDU().header.tostring().encode("ascii")
    with fits.open(io.BytesIO(primary + _NOT_ASCII.sub(b"?", raw)), memmap=False) as hdus:
        header: Header = hdus[1].header
        if not isinstance(hdus[1], fits.CompImageHDU):
            raise ValueError("it stays a table")
    return header


def _split_cards(raw: bytes) -> Iterator[tuple[int, int]]:
    """Yield where each card begins and ends, with its CONTINUE cards, up to END."""
    end = find_end(raw)
    start = 0
    for at in range(CARD, len(raw) if end is None else end, CARD):
        if raw[at : at + 8] != b"CONTINUE":
            yield start, at
            start = at
    if end != 0:
        yield start, len(raw) if end is None else end


def _stand_in(raw: bytes, spans: tuple[tuple[int, int], ...]) -> tuple[list[str], dict[int, dict[int, str]]]:
    """Return the cards as ASCII, and for each that was not how its bytes are put back as escapes."""
    images, back = [], {}
    for number, (start, end) in enumerate(spans):
        card = raw[start:end]
        if not card.isascii():
            odd = sorted({*_NOT_ASCII.findall(card)})
            free = [stand_in for stand_in in _STAND_INS if stand_in not in card]
            pairs = list(zip(odd, free, strict=False))
            back[number] = {stand_in: f"\\x{byte[0]:02x}" for byte, stand_in in pairs}
            for byte, stand_in in pairs:
                card = card.replace(byte, bytes([stand_in]))
        images.append(_NOT_ASCII.sub(b"?", card).decode("ascii"))
    return images, back


@contextmanager
def quiet() -> Iterator[None]:
    """Let astropy say nothing: what is wrong with a file is found out here, and said in its row."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def normalize(keyword: str) -> str:
    """Return a keyword as astropy looks it up."""
    from astropy.io.fits import Card

    return str(Card.normalize_keyword(keyword))


def find_first(cards: Iterable[Card]) -> tuple[dict[str, int], dict[str, int]]:
    """Return where each keyword is first, and the bare one of record-valued cards, which counts if no card has it."""
    first: dict[str, int] = {}
    bare: dict[str, int] = {}
    with quiet():
        for number, card in enumerate(cards):
            first.setdefault(normalize(card.keyword), number)
            if card.field_specifier is not None:
                bare.setdefault(str(card.rawkeyword), number)
    return first, bare


def read_keyword(header: Header, keyword: str) -> Value:
    """Return the value of a keyword that a header has."""
    from astropy.io.fits import VerifyError

    try:
        value: Value = header[keyword]
    except VerifyError:
        return UNREADABLE
    return value


def parse_card(image: bytes) -> tuple[str, Value, str]:
    """Return keyword, value and comment of a card, which is ASCII, with its CONTINUE cards."""
    from astropy.io.fits import Card

    with quiet():
        return split_card(Card.fromstring(image), {})


def split_card(card: Card, back: dict[int, str]) -> tuple[str, Value, str]:
    """Return keyword, value and comment of a card, its stand-ins put back and control characters escaped."""
    value = read_value(card)
    keyword, comment = (escape_text(text.translate(back)) for text in (str(card.keyword), _read_comment(card)))
    return keyword, escape_text(value.translate(back)) if isinstance(value, str) else value, comment


def _read_comment(card: Card) -> str:
    from astropy.io.fits import VerifyError

    try:
        return str(card.comment)
    except VerifyError:
        return ""


def read_value(card: Card) -> Value:
    """Return the value of one card."""
    from astropy.io.fits import VerifyError
    from astropy.io.fits.card import Undefined

    try:
        value = card.value
    except VerifyError:
        return UNREADABLE
    return None if isinstance(value, Undefined) else value
