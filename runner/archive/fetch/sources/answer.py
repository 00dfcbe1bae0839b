"""The answer of an HTTP server: what it says of a file, and the bytes of its body."""

from __future__ import annotations

import http.client
import re
from email.message import Message
from email.utils import parsedate_to_datetime

from runner.archive.fetch.digests import choose_checksum
from runner.archive.fetch.retry import is_permanent_status, parse_retry_after
from runner.archive.fetch.source import Body, Refused
from runner.archive.fetch.sources.connections import Connections, Origin
from runner.errors import clean

OK, PARTIAL, NOTHING_THERE = 200, 206, 416
# The server, or a proxy before it, is out of order.
_DOWN = (502, 503, 504)
# So much of an answer that nobody wants is read, to keep the connection.
_SMALL_BYTES = 65536
_PART = re.compile(r"bytes ([0-9]+)-([0-9]+)/([0-9]+|\*)")
_NO_PART = re.compile(r"bytes \*/([0-9]+)")


class Answer:
    """An answer and the connection that it comes by, which is kept if all of it is read."""

    def __init__(
        self,
        connections: Connections,
        origin: Origin,
        connection: http.client.HTTPConnection,
        response: http.client.HTTPResponse,
    ) -> None:
        self.response = response
        self._connections = connections
        self._origin = origin
        self._connection = connection
        self._left_bytes = parse_length(response.headers) if not response.chunked else None
        self._has_ended = self._left_bytes == 0

    def readinto(self, buffer: memoryview) -> int:
        """Fill `buffer` with what has come of the body; 0 is the end; `Refused` if the end does not come."""
        if self._has_ended:
            return 0
        try:
            count = self._receive(buffer)
        except TimeoutError:
            raise Refused("the server has stopped sending") from None
        except (OSError, http.client.HTTPException) as error:
            raise Refused(describe_error(error)) from None
        if self._left_bytes is not None:
            self._left_bytes -= count
            if not count:
                raise Refused(f"the connection was cut {self._left_bytes} bytes before the end")
        self._has_ended = not count or self._left_bytes == 0
        return count

    def _receive(self, buffer: memoryview) -> int:
        if self._left_bytes is None:
            data = self.response.read1(len(buffer))
            buffer[: len(data)] = data
            return len(data)
        # The stream below the response: its own readinto waits until the buffer is full, and its read1 copies.
        return self.response.fp.readinto1(buffer[: self._left_bytes])

    def read_rest(self, most_bytes: int) -> bytes:
        """Return what is left of the body; `Refused` if that is too much."""
        data, buffer = bytearray(), memoryview(bytearray(_SMALL_BYTES))
        while count := self.readinto(buffer):
            data += buffer[:count]
            if len(data) > most_bytes:
                raise Refused(f"the list is longer than {most_bytes} bytes", is_permanent=True)
        return bytes(data)

    def drop(self) -> None:
        """Have done with an answer whose body nobody wants."""
        try:
            if self._left_bytes is not None and self._left_bytes <= _SMALL_BYTES:
                self.read_rest(_SMALL_BYTES)
        except Refused:
            pass  # the connection is of no use any more, and is closed
        self.close()

    def close(self) -> None:
        """Let the connection go."""
        is_kept = self._has_ended and not self.response.will_close
        self.response.close()
        if is_kept:
            self._connections.give_back(self._origin, self._connection)
        else:
            self._connection.close()


class HttpBody(Body):
    """The body of an answer that has what was asked for.

    Attributes
    ----------
    headers
        Of the answer.
    """

    def __init__(self, answer: Answer, offset: int, size_bytes: int | None, version: str = "") -> None:
        self.headers = headers = answer.response.headers
        self._answer = answer
        self.offset = offset
        self.size_bytes = size_bytes
        self.checksum = choose_checksum(headers, is_whole=answer.response.status == OK)
        self.version = version or choose_version(headers)
        self.modified_at = parse_date(headers.get("Last-Modified", ""))

    def readinto(self, buffer: memoryview) -> int:
        """Fill `buffer` with what has come."""
        if self._answer.response.status == NOTHING_THERE:
            return 0
        return self._answer.readinto(buffer)

    def close(self) -> None:
        """Let the connection go."""
        if self._answer.response.status == NOTHING_THERE:
            self._answer.drop()
        else:
            self._answer.close()

    def read_all(self, most_bytes: int) -> bytes:
        """Return all of it."""
        return self._answer.read_rest(most_bytes)


def choose_body(answer: Answer, offset: int, version: str) -> HttpBody | None:
    """Return the body of an answer to the question for all bytes from `offset` on; None if it answers another.

    RFC 9110, sections 14.4 and 15.3.7.
    """
    headers, status = answer.response.headers, answer.response.status
    if status == OK:
        return HttpBody(answer, 0, None if answer.response.chunked else parse_length(headers))
    if status == NOTHING_THERE:
        found = _NO_PART.fullmatch(headers.get("Content-Range", ""))
        return HttpBody(answer, offset, offset, version) if offset and found and int(found[1]) == offset else None
    found = _PART.fullmatch(headers.get("Content-Range", ""))
    if not found or not offset or int(found[1]) != offset:
        return None
    if parse_length(headers) not in (None, int(found[2]) + 1 - offset):
        return None
    body = HttpBody(answer, offset, None if found[3] == "*" else int(found[3]))
    return None if version and body.version and body.version != version else body


def choose_version(headers: Message) -> str:
    """Return what changes with the bytes: a strong ETag, else when they were changed, else a weak ETag."""
    etag: str = headers.get("ETag", "")
    if etag and not etag.startswith("W/"):
        return etag
    return headers.get("Last-Modified", "") or etag


def parse_length(headers: Message) -> int | None:
    """Return ``Content-Length``, None if there is none or it is none."""
    text = headers.get("Content-Length", "")
    return int(text) if text.isascii() and text.isdigit() else None


def parse_date(text: str) -> float | None:
    """Return a date of HTTP in POSIX seconds; None if it is none."""
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return None


def describe_status(response: http.client.HTTPResponse, now: float) -> Refused:
    """Return what to say of an answer that is none of a file."""
    return Refused(
        clean(f"{response.status} {response.reason}".strip()),
        is_permanent=is_permanent_status(response.status),
        is_down=response.status in _DOWN,
        retry_after_s=parse_retry_after(response.headers.get("Retry-After", "").strip(), now),
    )


def describe_error(error: Exception) -> str:
    """Return one line for a person about a connection."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return clean(" ".join(text.split()))
