"""One output stream of a job on its way to the log: lines, counts, and what an alert will show (RUN-27, RUN-28)."""

from __future__ import annotations

from runner.launch.scrub import Scrubber

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_LINE_BYTES = 65536
LINE_S = 1.0


class Stream:
    """What one pipe has brought, without its secrets; memory stays bounded whatever comes.

    Attributes
    ----------
    size
        Bytes that came so far, secrets and all.
    pending
        An unfinished line that is held back.
    head, tail
        The first and the last bytes, as much of each as was asked to be kept.
    lines, unexpected
        All lines, and those that the judgement is about (ALERT-3): where some are allowed, the lines that are
        neither that nor blank; else all, unless all are blank. Known at the end; 0 where nobody asked.
    """

    __slots__ = (
        "_allowed", "_counts", "_head_bytes", "_is_blank", "_is_inside_line", "_line", "_scrubber", "_shown_bytes",
        "_since", "_tail_bytes", "head", "lines", "pending", "size", "tail", "unexpected",
    )  # fmt: skip

    def __init__(self, head_bytes: int, tail_bytes: int, forms: Sequence[bytes] = ()) -> None:
        """`forms` are what the values of loaded secrets may look like."""
        self._scrubber = Scrubber(forms)
        self._shown_bytes = 0
        self._head_bytes = head_bytes
        self._tail_bytes = tail_bytes
        self.pending = b""
        self._since = 0.0
        self._counts = False
        self._is_blank = True
        self._is_inside_line = False
        self._line = b""
        self._allowed: list[Callable[[str], object]] = []
        self.size = 0
        self.head = b""
        self.tail = b""
        self.lines = 0
        self.unexpected = 0

    def count_lines(self, allowed: list[str]) -> None:
        """Count lines from now on; those that one of the regular expressions is found in are expected."""
        self._counts = True
        if allowed:
            import re

            self._allowed = [re.compile(pattern).search for pattern in allowed]

    @property
    def is_whole(self) -> bool:
        """Whether `head` and `tail` are all that came."""
        return self._shown_bytes == len(self.head) + len(self.tail)

    def feed(self, chunk: bytes, now: float) -> list[bytes | memoryview]:
        """Take a chunk and return what goes to the log now."""
        return self.pass_on(self.scrub(chunk), now)

    def scrub(self, chunk: bytes, *, is_last: bool = False) -> bytes:
        """Take a chunk and return what of it, and of what was held back, may be shown (SEC-9)."""
        self.size += len(chunk)
        return self._scrubber.feed(chunk, is_last=is_last)

    def pass_on(self, chunk: bytes, now: float) -> list[bytes | memoryview]:
        """Return what waited, and what of a scrubbed chunk goes to the log now: whole lines, and no copy of them."""
        if not chunk:
            return []
        self._keep(chunk)
        if self._counts:
            self._count(chunk)
        cut = chunk.rfind(b"\n") + 1
        if not cut:
            if not self.pending:
                self._since = now
            self.pending += chunk
            return [self.flush()] if len(self.pending) >= _LINE_BYTES else []
        ready: list[bytes | memoryview] = [self.pending] if self.pending else []
        ready.append(memoryview(chunk)[:cut])
        self.pending = chunk[cut:]
        self._since = now
        return ready

    def is_due(self, now: float) -> bool:
        """Whether a line has waited for its end long enough."""
        return bool(self.pending) and now - self._since >= LINE_S

    def is_inside_line(self) -> bool:
        """Whether the last line has not ended yet, held back or not."""
        return self._is_inside_line or self._scrubber.is_holding

    def flush(self) -> bytes:
        """Return what is held back, finished or not."""
        ready = self.pending
        self.pending = b""
        return ready

    def finish(self) -> bytes:
        """Return what is held back at the end; a last line without its newline is a line too."""
        ready = b"".join(self.pass_on(self.scrub(b"", is_last=True), 0.0))
        if self._is_inside_line:
            self._count(b"\n")
        if not self._allowed and not self._is_blank:
            self.unexpected = self.lines
        return ready + self.flush()

    def _count(self, chunk: bytes) -> None:
        self.lines += chunk.count(b"\n")
        self._is_inside_line = not chunk.endswith(b"\n")
        if self._allowed:
            self._judge(chunk)
        elif self._is_blank:
            self._is_blank = chunk.isspace()

    def _judge(self, chunk: bytes) -> None:
        # A line is judged when it is complete, even if the log has shown its first part long ago.
        first, *others = chunk.split(b"\n")
        self._line = (self._line + first)[:_LINE_BYTES]
        if others:
            whole = [self._line, *others[:-1]]
            self._line = others[-1]
            said = [line for line in whole if line and not line.isspace()]
            self.unexpected += len([line for line in said if not self._is_allowed(line)])

    def _is_allowed(self, line: bytes) -> bool:
        text = line.decode("utf-8", "backslashreplace").rstrip("\r")
        return any(search(text) for search in self._allowed)

    def _keep(self, chunk: bytes) -> None:
        self._shown_bytes += len(chunk)
        if len(self.head) < self._head_bytes:
            room = self._head_bytes - len(self.head)
            self.head += chunk[:room]
            chunk = chunk[room:]
        if len(chunk) >= self._tail_bytes:
            self.tail = chunk[-self._tail_bytes :]
        elif chunk:
            self.tail = (self.tail + chunk)[-self._tail_bytes :]
