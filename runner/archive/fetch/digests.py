"""Digests of a file: sha256 always, and that of the source where it gives another (ARCH-5)."""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from collections.abc import Iterable
from email.message import Message
from typing import Protocol

SHA256 = "sha256"
# The length of each in hexadecimal digits; the first that a source gives is compared.
_DIGITS = {SHA256: 64, "sha1": 40, "md5": 32, "crc32": 8}
# Names of RFC 9530 and RFC 3230, whose values are in base64.
_OF_HEADER = {"sha-256": SHA256, "sha": "sha1", "sha-1": "sha1", "md5": "md5"}
_MEMBER = re.compile(r"([A-Za-z0-9-]+)=:?([A-Za-z0-9+/]+={0,2}):?")


class _Hash(Protocol):
    def update(self, data: memoryview, /) -> None: ...
    def hexdigest(self) -> str: ...


class Digests:
    """The running digests of one file."""

    def __init__(self, checksums: Iterable[str | None] = ()) -> None:
        """`checksums` are those that the source announces; theirs are computed too."""
        self._announced = [checksum for checksum in checksums if checksum]
        names = {SHA256, *(checksum.partition(":")[0] for checksum in self._announced)}
        self._hashes: dict[str, _Hash] = {name: _Crc32() if name == "crc32" else hashlib.new(name) for name in names}

    def update(self, data: memoryview) -> None:
        """Add the next bytes."""
        for one in self._hashes.values():
            one.update(data)

    @property
    def sha256(self) -> str:
        """The SHA-256 of all that came, in hexadecimal."""
        return self._hashes[SHA256].hexdigest()

    def find_wrong(self) -> str:
        """Return what is wrong, if a checksum of the source is not that of what came; else nothing."""
        for checksum in self._announced:
            name, _, wanted = checksum.partition(":")
            if (found := self._hashes[name].hexdigest()) != wanted:
                return f"its {name} is {found}, that of the source {wanted}"
        return ""


class _Crc32:
    def __init__(self) -> None:
        self._value = 0

    def update(self, data: memoryview) -> None:
        self._value = zlib.crc32(data, self._value)

    def hexdigest(self) -> str:
        return f"{self._value:08x}"


def parse_checksum(text: str, name: str = "") -> str | None:
    """Return a checksum as `Remote` has it, from ``sha256:HEX`` or from ``HEX`` called `name`; None if it is none.

    The length tells what it is where nobody says.
    """
    said, _, digits = text.strip().lower().rpartition(":")
    name = said.replace("-", "") or name or {length: one for one, length in _DIGITS.items()}.get(len(digits), "")
    is_right = len(digits) == _DIGITS.get(name) and not set(digits) - set("0123456789abcdef")
    return f"{name}:{digits}" if is_right else None


def choose_checksum(headers: Message, *, is_whole: bool) -> str | None:
    """Return the checksum of a whole file from the headers of an answer; None if they have none that we know.

    ``Repr-Digest`` (RFC 9530) and ``Digest`` (RFC 3230) are of the file, ``Content-MD5`` of what is sent, which
    is the file if the answer `is_whole`.
    """
    found = {}
    for header in ("Digest", "Repr-Digest"):
        for name, value in _MEMBER.findall(headers.get(header, "")):
            found[_OF_HEADER.get(name.lower(), "")] = _to_hex(value)
    if is_whole and "md5" not in found:
        found["md5"] = _to_hex(headers.get("Content-MD5", ""))
    checksums = (parse_checksum(found[name], name) for name in _DIGITS if found.get(name))
    return next((checksum for checksum in checksums if checksum), None)


def is_other(one: str | None, other: str | None) -> bool:
    """Whether two checksums are of different bytes for certain."""
    return bool(one and other and one.partition(":")[0] == other.partition(":")[0] and one != other)


def _to_hex(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).hex()
    except ValueError:  # no base64, or not even ASCII
        return ""
