"""A stream of a job on its way to somebody who watches a run by hand, who may stop reading: a pager, a terminal on ^S.

He holds the job back, as a pipe would, but never the wrapper: timeout, stop and the end of the job are seen to all
the same.
"""

from __future__ import annotations

import posix
import select

# So much a pipe or terminal that is ready takes without making us wait (PIPE_BUF, pipe(7)).
_PIECE_BYTES = 4096


class Echo:
    """What is still to be shown of one stream; ``held`` is empty while he keeps up, and once he has gone away."""

    __slots__ = ("_is_gone", "_poll", "_target", "held")

    def __init__(self, target: int) -> None:
        self.held = b""
        self._target = target
        self._is_gone = False
        self._poll = select.poll()
        self._poll.register(target, select.POLLOUT)

    def show(self, chunk: bytes = b"") -> None:
        """Write as much as is taken at once."""
        self._write(chunk, _PIECE_BYTES, wait_ms=0)

    def finish(self) -> None:
        """Write the rest, however long he takes for it."""
        self._write(b"", len(self.held), wait_ms=None)

    def _write(self, chunk: bytes, size: int, wait_ms: int | None) -> None:
        self.held += b"" if self._is_gone else chunk
        try:
            while self.held and self._poll.poll(wait_ms):
                self.held = self.held[posix.write(self._target, self.held[:size]) :]
        except OSError:
            self._is_gone, self.held = True, b""
