"""What looks like a secret whoever made it (SEC-9): logins in URLs, ``password=``, keys of AWS, JSON web tokens.

In front of what is hidden there is something by which it is known, and which stays: ``password=[secret]``,
``ftp://ana:[secret]@host``, ``AKIA[secret]``, ``eyJ[secret]``.
"""

from __future__ import annotations

import re

from runner.launch.scrub import HIDDEN, REACH_BYTES, find_shapes, has_mark, remember

# ``password: x`` is a value, ``secrets/password: No such file`` and ``Token::next`` are none.
_NAME = rb"(?:passw(?:or)?d|token|secret(?:[_-]?(?:access[_-]?)?key)?|api[_-]?key)"
_KEY = rb"(?i:" + _NAME + rb")\\{0,2}[\"']?[ \t]?(?:=[=>]?|(?P<colon>:)=?(?!:))[ \t]{0,16}"
_LOGIN = rb"://[^\s/?#:\"'<>]{0,128}:"
_AWS = rb"(?<![A-Za-z0-9])A[KS]IA"

_WHOLE = re.compile(
    _KEY + rb"(?:(?P<double>\")(?=[^\"\r\n])|(?P<single>')(?=[^'\r\n])|(?P<escaped>\\{1,2}[\"'])(?=[^\"'\\\r\n])"
    rb"|(?P<plain>(?=[^\s&\"'])))"
    rb"|" + _LOGIN + rb"(?P<password>[^\s/?#\"'<>]{1,255})(?=@)"
    rb"|(?P<jwt>eyJ)(?=[\w-]{8,1024}\.eyJ)"
    rb"|" + _AWS + rb"(?P<aws>[A-Z0-9]{16})(?![A-Za-z0-9])"
)  # fmt: skip
# What may become whole: from where it must not be shown until then.
_UNDECIDED = re.compile(
    _KEY + rb"(?P<value>\\{0,2}[\"']?)\Z"
    rb"|" + _LOGIN + rb"(?P<password>[^\s/?#\"'<>]{0,255})\Z"
    rb"|eyJ(?P<jwt>[\w-]{0,1024}(?:\.(?:ey?)?)?)\Z"
    rb"|" + _AWS + rb"(?P<aws>[A-Z0-9]{0,16})\Z"
)  # fmt: skip
# How a value goes on that may be of any length, by the group that it follows.
_REST = {
    "double": re.compile(rb"(?:[^\"\\\r\n]++|\\[^\r\n])*+"),
    "single": re.compile(rb"(?:[^'\\\r\n]++|\\[^\r\n])*+"),
    "escaped": re.compile(rb"[^\"'\r\n]*+"),
    "plain": re.compile(rb"[^\s&\"']*+"),
    "jwt": re.compile(rb"[\w.-]*+"),
}
_NAME_BYTES = 64
_NAME_CHARACTERS = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"


class Shapes:
    """Hides what has the shape of a secret in one stream.

    Attributes
    ----------
    held
        What may have to be hidden: at most 1 KiB.
    """

    __slots__ = ("_is_open", "_rest", "_seen", "held")

    def __init__(self, seen: bytes) -> None:
        """`seen` is what was shown last."""
        self._seen = seen
        self._is_open = False
        self._rest: re.Pattern[bytes] | None = None
        self.held = b""

    def feed(self, chunk: bytes, *, is_last: bool) -> bytes:
        """Take a chunk and return what may be shown now."""
        if not (self._is_open or self._rest or has_mark(chunk)):
            self._seen = remember(self._seen, chunk)
            return chunk
        data = self._seen + self.held + chunk
        start, shown, cut = 0, len(self._seen), len(data)
        self._seen, self.held, self._is_open = b"", b"", False
        pieces: list[bytes] = []
        if self._rest:
            start = shown = self._skip(data, 0, self._rest, is_last=is_last)
        for place in [] if self._rest else find_shapes(data):
            if place < start:
                continue
            undecided = None if is_last else _UNDECIDED.match(data, place)
            if undecided:
                self._is_open, cut = True, undecided.start(str(undecided.lastgroup))
                break
            found = _find_value(data, place, start)
            if found and found[0] >= shown:
                value, start, rest = found
                pieces += [data[shown:value], HIDDEN]
                shown = start = self._skip(data, start, rest, is_last=is_last) if rest else start
                if self._rest:
                    break
        if not self._rest:
            pieces.append(data[shown:cut])
            self._seen, self.held = data[max(start, cut - REACH_BYTES) : cut], data[cut:]
        return b"".join(pieces)

    def _skip(self, data: bytes, start: int, rest: re.Pattern[bytes], *, is_last: bool) -> int:
        """Return where a value ends; where the data ends first, the rest of it is for the next chunk."""
        found = rest.match(data, start)
        end = found.end() if found else start
        self._rest = None
        if data[end : end + 2] in (b"", b"\\") and not is_last:
            self._rest, self.held = rest, data[end:]
        return end


def _find_value(data: bytes, place: int, start: int) -> tuple[int, int, re.Pattern[bytes] | None] | None:
    """Return where the value of a shape at `place` begins and ends, or how it goes on there; None if it has none."""
    found = _WHOLE.match(data, place)
    if not found or (found["colon"] and _is_path(data[max(place - _NAME_BYTES, start) : place])):
        return None
    kind = str(found.lastgroup)
    rest = _REST.get(kind)
    return found.end(kind) if rest else found.start(kind), found.end(kind), rest


def _is_path(before: bytes) -> bool:
    """Whether the name that `before` ends with the beginning of is that of a file."""
    return before.rstrip(_NAME_CHARACTERS)[-1:] == b"/"
