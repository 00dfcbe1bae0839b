"""One output stream of a job on its way to the log: lines, counts, and what an alert will show (RUN-27, RUN-28)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_LINE_BYTES = 65536
LINE_S = 1.0


class Stream:
    """What one pipe has brought; memory stays bounded whatever comes.

    Attributes
    ----------
    size
        Bytes read so far.
    head, tail
        The first and the last bytes, as much of each as was asked to be kept.
    unexpected
        Lines that are neither blank nor allowed (ALERT-3); None where nobody asked.
    """

    __slots__ = (
        "_allowed",
        "_head_bytes",
        "_pending",
        "_since",
        "_tail_bytes",
        "head",
        "size",
        "tail",
        "unexpected",
    )

    def __init__(self, head_bytes: int, tail_bytes: int) -> None:
        self._head_bytes = head_bytes
        self._tail_bytes = tail_bytes
        self._pending = b""
        self._since = 0.0
        self._allowed: Callable[[bytes], object] | None = None
        self.size = 0
        self.head = b""
        self.tail = b""
        self.unexpected = 0

    def allow(self, patterns: list[str]) -> None:
        """Do not count lines that one of the regular expressions finds something in."""
        if patterns:
            import re

            self._allowed = re.compile("|".join([f"(?:{pattern})" for pattern in patterns]).encode()).search

    def feed(self, chunk: bytes, now: float) -> bytes:
        """Take a chunk and return what of it, and of what waited, goes to the log now: whole lines."""
        self._keep(chunk)
        cut = chunk.rfind(b"\n") + 1
        if not cut:
            if not self._pending:
                self._since = now
            self._pending += chunk
            return self.flush() if len(self._pending) >= _LINE_BYTES else b""
        ready = self._pending + chunk[:cut]
        self._pending = chunk[cut:]
        self._since = now
        return ready

    def is_due(self, now: float) -> bool:
        """Whether a line has waited for its end long enough."""
        return bool(self._pending) and now - self._since >= LINE_S

    def waits(self) -> bool:
        """Whether an unfinished line is held back."""
        return bool(self._pending)

    def flush(self) -> bytes:
        """Return what is held back, finished or not."""
        ready = self._pending
        self._pending = b""
        return ready

    def count_lines(self, lines: bytes) -> None:
        """Count the unexpected lines of what went to the log."""
        for line in lines.split(b"\n"):
            if not line.isspace() and line and not (self._allowed and self._allowed(line)):
                self.unexpected += 1

    def _keep(self, chunk: bytes) -> None:
        self.size += len(chunk)
        if len(self.head) < self._head_bytes:
            room = self._head_bytes - len(self.head)
            self.head += chunk[:room]
            chunk = chunk[room:]
        if len(chunk) >= self._tail_bytes:
            self.tail = chunk[-self._tail_bytes :]
        elif chunk:
            self.tail = (self.tail + chunk)[-self._tail_bytes :]
