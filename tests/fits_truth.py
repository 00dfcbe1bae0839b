"""What astropy says of a FITS file, to compare a reading with."""

from __future__ import annotations

import gzip
import math
import re
import warnings
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from astropy.io import fits

from runner.archive.headers.reader import HeaderReader, Reading
from runner.archive.headers.values import UNREADABLE, Mark, Value, fit
from runner.archive.settings import Column

_TYPES = {str: "text", bool: "bool", int: "int", float: "float", complex: "text"}
_ESCAPE = re.compile(r"\\x[89a-f][0-9a-f]")
_COMMENTARY = ("", "COMMENT", "HISTORY", "END")

Header = dict[str, Value]


def open_headers(path: Path) -> list[fits.Header]:
    """Return the headers of the units that astropy finds before it gives up."""
    headers: list[fits.Header] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with fits.open(path, memmap=False) as hdus:
                while True:
                    headers.append(_take_header(hdus[len(headers)], path))
        except Exception:
            return headers


def _take_header(hdu: fits.PrimaryHDU, path: Path) -> fits.Header:
    if isinstance(hdu, fits.CompImageHDU):
        return hdu.header
    # As it stands in the file: what is opened is mended, as by an EXTEND for a primary with extensions.
    with (gzip.open if path.name.endswith(".gz") else open)(path, "rb") as file:
        # What is no FITS file by its own word has no other unit.
        file.seek(hdu.fileinfo()["hdrLoc"] if isinstance(hdu, fits.PrimaryHDU | fits.hdu.base.ExtensionHDU) else 0)
        return fits.Header.fromfile(file, padding=False)


def read_truth(path: Path) -> list[Header]:
    """Return the value of each keyword in each unit."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [read_values(header) for header in open_headers(path)]


def read_values(header: fits.Header) -> Header:
    """Return the values of a header by their keywords."""
    # Looked up in any case, as for astropy.
    keywords = {keyword.upper() for keyword in header if keyword.strip() not in _COMMENTARY}
    keywords |= {card.rawkeyword for card in header.cards if card.field_specifier is not None}
    found: Header = {}
    for keyword in sorted(keywords):
        # Astropy says that it has A.B of a record-valued card, and does not find it.
        with suppress(KeyError):
            found[keyword] = _read_value(header, keyword)
    return found


def read_cards(path: Path) -> list[list[tuple[str, Value]]]:
    """Return keyword and value of each card of each unit, as far as JSON has such values."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [[(card.keyword, _read_card(card)) for card in header.cards] for header in open_headers(path)]


def _read_card(card: fits.Card) -> Value:
    try:
        value = card.value
    except fits.VerifyError:
        return None
    if isinstance(value, complex) or (isinstance(value, float) and not math.isfinite(value)):
        return str(value)
    return show_plain(value) if isinstance(value, str) else None if isinstance(value, fits.card.Undefined) else value


def _read_value(header: fits.Header, keyword: str) -> Value:
    try:
        return header[keyword]
    except fits.VerifyError:
        return UNREADABLE


def make_columns(truth: Iterable[Header]) -> dict[str, Column]:
    """Return a column for each keyword and each type that it has in a file."""
    wanted = {(keyword, _TYPES.get(type(value), "text")): None for header in truth for keyword, value in header.items()}
    return {f"c{n}": Column((keyword,), type, "", "each") for n, (keyword, type) in enumerate(wanted)}


def check_rows(reading: Reading, columns: Mapping[str, Column], truth: list[Header]) -> None:
    """Assert that each value of each unit is the one that astropy gives, type included."""
    for row, header in zip(reading.rows, truth, strict=False):
        for column, value in zip(columns.values(), row[6:], strict=True):
            (keyword,) = column.keywords
            expected = fit(header.get(keyword), column.type) if keyword in header else None
            if isinstance(expected, Mark) or (expected == "" and column.type != "text"):
                expected = None
            if isinstance(value, str):
                # Where astropy has a question mark, and control characters.
                value, expected = (show_plain(text) for text in (value, str(expected)))
            assert (type(value), value) == (type(expected), expected), (row[0], keyword, column.type)


def show_plain(text: str) -> str:
    """Return text with a question mark where our escapes are, and escapes for control characters."""
    shown = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
    return _ESCAPE.sub("?", shown)


def is_same(one: Reading, other: Reading) -> bool:
    """Whether two readings say the same, the types of all values included."""
    return (one.state, one.reason, repr(one.rows)) == (other.state, other.reason, repr(other.rows))


def read_new(columns: Mapping[str, Column], path: Path, *, keep_header: bool = False) -> Reading:
    """Return the reading of a reader that has learnt nothing yet."""
    return HeaderReader(columns, keep_header=keep_header).read(str(path))
