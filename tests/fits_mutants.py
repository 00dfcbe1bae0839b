"""Copies of a FITS file with something changed in its headers, as bad disks, bad links and bad programs change it."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

BLOCK = 2880
CARD = 80
_STRUCTURE = ("BITPIX", "NAXIS", "NAXIS1", "NAXIS2", "PCOUNT", "GCOUNT", "GROUPS", "EXTNAME", "EXTVER", "ZIMAGE")
_BYTES = b" ='/\"E.-+0123456789TFDNAXIS&ae\xe9\0\n~"
_NUMBERS = ("0", "1", "2", "-1", "8", "16", "-32", "17", "T", "F", "'2'", "2.0", "1D1", "", "99999999999999999999", "x")
_FIELDS = (
    *("'text'", "'it''s'", "'a/b' / c", "'open", "''", "'  '", "'x&'", "'a: 1'", "'AXIS: 2'", "'y' z", "''''"),
    *("1", "-0", "1.5D3", "1.5d-3", "1E999", "1_0", "- 5", "(1, 2)", "T", "F", "t", "NaN", "", "/", "5/6", "0x1F"),
    *("'2026-03-08T07:00:00.4129'", "'08/03/98'", "'12:30:45'", "'FK4'", "'TAI'", "'DEC--TAN'", "61107.25", "360.5"),
    *("9223372036854775808", "+7", ".5", "7.", "1e5", "\t3", "1 2", "'tab\there'", "5 \t/ x"),
)


def find_headers(contents: bytes) -> list[tuple[int, int]]:
    """Return where each header begins in a file, and where its END is."""
    found, at = [], 0
    while at < len(contents):
        if contents[at : at + 9] in (b"SIMPLE  =", b"XTENSION="):
            end = next(
                (here for here in range(at, len(contents), CARD) if contents[here : here + 8] == b"END     "), None
            )
            if end is None:
                break
            found.append((at, end))
            at = end
        at += BLOCK - at % BLOCK
    return found


def mutate(contents: bytes, chance: Random) -> bytes:
    """Return a copy of a file with one to three changes."""
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        headers = find_headers(contents)
        if not headers:
            break
        start, end = chance.choice(headers)
        cards = [contents[at : at + CARD] for at in range(start, end, CARD)]
        changed = chance.choice(_CHANGES)(cards, chance)
        header = b"".join([*changed, b"END".ljust(CARD)])
        old = (end // BLOCK + 1) * BLOCK
        contents = contents[:start] + header.ljust(-(-len(header) // BLOCK) * BLOCK) + contents[old:]
    return contents[: chance.randrange(len(contents) + 1)] if chance.random() < 0.03 else contents


def _flip(cards: list[bytes], chance: Random) -> list[bytes]:
    """Change one bit of one card."""
    at, byte = chance.randrange(len(cards)), chance.randrange(CARD)
    card = bytearray(cards[at])
    card[byte] ^= 1 << chance.randrange(8)
    return [*cards[:at], bytes(card), *cards[at + 1 :]]


def _overwrite(cards: list[bytes], chance: Random) -> list[bytes]:
    """Put another byte into one card, mostly where its keyword and value are."""
    at, byte = chance.randrange(len(cards)), chance.randrange(chance.choice((10, 32, CARD)))
    card = bytearray(cards[at])
    card[byte] = chance.choice(_BYTES)
    return [*cards[:at], bytes(card), *cards[at + 1 :]]


def _swap(cards: list[bytes], chance: Random) -> list[bytes]:
    one, other = chance.randrange(len(cards)), chance.randrange(len(cards))
    changed = list(cards)
    changed[one], changed[other] = cards[other], cards[one]
    return changed


def _repeat(cards: list[bytes], chance: Random) -> list[bytes]:
    """Insert one card again, as it is or with another value."""
    card = chance.choice(cards)
    if chance.random() < 0.7:
        card = _make_card(card[:8], chance.choice(_FIELDS), chance)
    at = chance.randrange(len(cards) + 1)
    return [*cards[:at], card, *cards[at:]]


def _drop(cards: list[bytes], chance: Random) -> list[bytes]:
    at = chance.randrange(len(cards))
    return [*cards[:at], *cards[at + 1 :]]


def _set_value(cards: list[bytes], chance: Random) -> list[bytes]:
    """Give one card another value."""
    at = chance.randrange(len(cards))
    return [*cards[:at], _make_card(cards[at][:8], chance.choice(_FIELDS), chance), *cards[at + 1 :]]


def _set_structure(cards: list[bytes], chance: Random) -> list[bytes]:
    """Give a keyword that says what kind of unit it is another value."""
    places = [at for at, card in enumerate(cards) if card[:8].decode("latin-1").rstrip() in _STRUCTURE]
    if not places:
        return cards
    at = chance.choice(places)
    return [*cards[:at], _make_card(cards[at][:8], chance.choice(_NUMBERS), chance), *cards[at + 1 :]]


def _lower(cards: list[bytes], chance: Random) -> list[bytes]:
    """Write one keyword in small letters."""
    at = chance.randrange(len(cards))
    return [*cards[:at], cards[at][:8].lower() + cards[at][8:], *cards[at + 1 :]]


def _make_card(keyword: bytes, field: str, chance: Random) -> bytes:
    shown = chance.choice((f"= {field:>20}", f"= {field:<20}", f"={field}", f"= {field} ", f" {field}"))
    comment = chance.choice((" / changed", "", " / it's", " no slash", "/tight"))
    return keyword + f"{shown}{comment}".encode("latin-1")[: CARD - len(keyword)].ljust(CARD - len(keyword))


_CHANGES: tuple[Callable[[list[bytes], Random], list[bytes]], ...] = (
    *(_flip, _overwrite, _swap, _repeat, _drop, _lower),
    # What a template is for: the same keywords with other values.
    *(_set_value, _set_value, _set_structure),
)
