"""A crontab being read from its beginning to its end, as both crons do: one position, and it goes back only to a mark.

What ends a text is told by C's ``strchr``, for which a NUL byte ends every text.
"""

from __future__ import annotations

import re
import sys

BLANKS = re.compile(rb"[ \t]*")
GARBAGE = re.compile(rb"(?:[ \t\n]+|#[^\n]*)*+")
FIELD = re.compile(rb"[^ \t\n]*")
WORD = re.compile(rb"[^ \t\n\0]*")
LINE = re.compile(rb"[^\n\0]*")
# Debian's user column; a newline is part of it.
LONG_WORD = re.compile(rb"[^ \t\0]*")


class Tape:
    """The bytes of a crontab, and how far they are read.

    Attributes
    ----------
    text
        All of it.
    at
        What is read next.
    """

    __slots__ = ("_counted", "_lines", "at", "text")

    def __init__(self, text: bytes) -> None:
        self.text = text
        self.at = 0
        self._counted = 0
        self._lines = 0

    def peek(self) -> bytes:
        """Return the next byte; nothing at the end."""
        return self.text[self.at : self.at + 1]

    def take(self, pattern: re.Pattern[bytes], most: int = sys.maxsize) -> bytes:
        """Return what the pattern matches here of the next `most` bytes, and be behind it."""
        match = pattern.match(self.text, self.at, min(self.at + most, len(self.text)))
        if match is None:
            return b""
        self.at = match.end()
        return match[0]

    def take_terminated(self, pattern: re.Pattern[bytes]) -> bytes | None:
        """Return what the pattern matches here and be behind the byte after it; None if the text ends before that."""
        taken = self.take(pattern)
        if not self.peek():
            return None
        self.at += 1
        return taken

    def skip_line(self, most: int) -> None:
        """Be behind the next newline, or `most` bytes further if it is not among them."""
        newline = self.text.find(b"\n", self.at, self.at + most)
        self.at = newline + 1 if newline >= 0 else min(self.at + most, len(self.text))

    def count_newlines(self) -> int:
        """Return how many newlines are behind us; never ask in front of where it was asked before."""
        self._lines += self.text.count(b"\n", self._counted, self.at)
        self._counted = self.at
        return self._lines
