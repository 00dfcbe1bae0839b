"""The text of a list -> its lines: addresses, or a CSV table whose header says ``url`` or ``name``: pure."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass

from runner.archive.fetch.digests import parse_checksum
from runner.archive.fetch.source import Refused
from runner.errors import clean

_SCHEME = re.compile("[a-z][a-z0-9+.-]*:")
_CHECKSUMS = ("checksum", "sha256", "sha1", "md5", "crc32")


@dataclass(frozen=True, slots=True)
class Listed:
    """A line of a list.

    Attributes
    ----------
    line
        Its number, from 1.
    address
        A source, or what is relative to the list.
    is_path
        `address` is the name of a file as it is, with nothing quoted as in an address.
    name
        What it is called below the destination; empty: what its source calls it.
    size_bytes, checksum
        As in `Remote`.
    """

    line: int
    address: str
    is_path: bool = False
    name: str = ""
    size_bytes: int | None = None
    checksum: str | None = None


def parse_list(text: str) -> Iterator[Listed]:
    """Yield the lines that name something; `Refused` for one that cannot be understood."""
    lines = [(number, line.strip()) for number, line in enumerate(text.lstrip("\ufeff").split("\n"), 1)]
    lines = [(number, line) for number, line in lines if line and not line.startswith("#")]
    header = [cell.lower() for cell in _split(*lines[0])] if lines and not _SCHEME.match(lines[0][1]) else []
    if "url" not in header and "name" not in header:
        yield from (Listed(number, line) for number, line in lines)
        return
    for number, line in lines[1:]:
        yield _parse_row(number, dict(zip(header, _split(number, line), strict=False)))


def _split(number: int, line: str) -> list[str]:
    """Return the cells of a line of CSV, none of which goes over several lines."""
    try:
        return [cell.strip() for row in csv.reader([line], strict=True) for cell in row]
    except csv.Error as error:
        raise Refused(f"line {number}: {error}", is_permanent=True) from None


def _parse_row(number: int, row: dict[str, str]) -> Listed:
    url, name, size = row.get("url", ""), row.get("name", ""), row.get("size", "")
    if not url and not name:
        raise Refused(f"line {number}: it has no url and no name", is_permanent=True)
    if size and not (size.isascii() and size.isdigit()):
        raise Refused(f'line {number}: its size is "{clean(size[:40])}"', is_permanent=True)
    return Listed(number, url or name, not url, name, int(size) if size else None, _parse_checksum(number, row))


def _parse_checksum(number: int, row: dict[str, str]) -> str | None:
    """Return the first checksum of a row; a column is called after what is in it."""
    for column in _CHECKSUMS:
        if text := row.get(column):
            checksum = parse_checksum(text, "" if column == _CHECKSUMS[0] else column)
            if not checksum:
                raise Refused(f'line {number}: "{clean(text[:80])}" is no {column}', is_permanent=True)
            return checksum
    return None
