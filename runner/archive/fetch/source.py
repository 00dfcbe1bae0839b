"""What a source of files is: it lists them, and opens one at an offset. One implementation a scheme.

A source says what is true of it and nothing else: waiting, trying again, verifying and naming are the
downloader's, once for all of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Remote:
    """One file at a source.

    Attributes
    ----------
    url
        Its address, which tells it from all others.
    name
        What it will be called below the destination, with ``/`` between directories; not yet confined (ARCH-12).
    host
        Whose limit of connections it counts for.
    size_bytes, checksum
        As announced; None if the source does not say. A checksum is ``sha256:HEX``, or ``md5 sha1 crc32``.
    version
        What changes when its bytes do: ETag, Last-Modified, mtime; empty if the source does not say.
    """

    url: str
    name: str
    host: str
    size_bytes: int | None = None
    checksum: str | None = None
    version: str = ""


class Body(ABC):
    """The bytes of a file from an offset on.

    Attributes
    ----------
    offset
        Where they begin: what was asked for, or 0 where the source began again.
    size_bytes, checksum, version
        Of the whole file, as the answer says it; as in `Remote`.
    modified_at
        When it was last changed, in POSIX seconds; None if the source does not say.
    """

    offset: int
    size_bytes: int | None
    checksum: str | None
    version: str
    modified_at: float | None = None

    @abstractmethod
    def readinto(self, buffer: memoryview) -> int:
        """Fill `buffer` as far as bytes come; 0 is the end. `Refused` if they stop coming."""

    def clone(self, descriptor: int) -> bool:
        """Give an empty file the whole content without copying, where the file system can (ARCH-10)."""
        return False

    @abstractmethod
    def close(self) -> None:
        """Let the connection go, to be used again if all was read."""


class Refused(Exception):
    """A source does not give a file, or a list of them.

    Attributes
    ----------
    reason
        One line for people, without a password.
    is_permanent
        Asking again will not help: 401, 403, 404.
    is_down
        The source as a whole does not answer: what cannot be fetched is its fault and not the file's.
    retry_after_s
        How long it asks us to wait; None if it does not say.
    """

    def __init__(
        self, reason: str, *, is_permanent: bool = False, is_down: bool = False, retry_after_s: float | None = None
    ) -> None:
        self.reason = reason
        self.is_permanent = is_permanent
        self.is_down = is_down
        self.retry_after_s = retry_after_s
        super().__init__(reason)


class Source(ABC):
    """Where files come from; used by several threads at once.

    Attributes
    ----------
    host
        Whose limit of connections its list counts for; empty: nobody else's.
    """

    host = ""

    @abstractmethod
    def list(self) -> Iterator[Remote]:
        """Yield its files. `Refused` if it gives no list."""

    @abstractmethod
    def open(self, remote: Remote, offset: int, version: str) -> Body:
        """Return the bytes of a file from `offset` on, if it is still of `version`, else from 0 on (ARCH-2)."""

    def close(self) -> None:  # noqa: B027
        """Let all connections go."""
