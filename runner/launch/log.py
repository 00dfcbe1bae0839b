"""The log of a run: header, the job's bytes, footer, and the cap on its size (RUN-40 to RUN-42).

Lines of ours begin with ``# `` and carry the run id or stand between such lines; the job's bytes are
written raw and in order of arrival. No time stamps: they would cost six times the CPU of the rest.
"""

from __future__ import annotations

import posix

from runner.launch.journal import Value
from runner.launch.scrub import scrub_text
from runner.launch.state import LATEST_LOG, LOGS, TEMPORARY, make_directory, write_all

_COPY_BYTES = 65536
# A smaller cap would have no room for the wrapper's own lines.
_SMALLEST_CAP_BYTES = 4096
_SEEK_SET, _SEEK_CUR = 0, 1


class Log:
    """An open log. If it cannot be written, the job's bytes are counted and dropped and the run goes on.

    ``forms`` are what the values of the run's secrets may look like: no text of it may have them (SEC-9).
    """

    __slots__ = (
        "_dropped", "_ends_line", "_head", "_marker", "_piece_bytes", "_size", "_trouble_bytes", "descriptor", "forms",
        "max_bytes", "path", "trouble",
    )  # fmt: skip

    def __init__(self, path: str, descriptor: int, max_bytes: int) -> None:
        self.path = path
        self.descriptor = descriptor
        self.max_bytes = max(max_bytes, _SMALLEST_CAP_BYTES)
        self.forms: list[bytes] = []
        self.trouble = ""
        self._piece_bytes = self.max_bytes // 4
        self._size = 0
        self._head = 0
        self._marker = b""
        self._dropped = 0
        self._ends_line = True
        self._trouble_bytes = 0

    def write(self, data: bytes) -> None:
        """Append bytes; at `max_bytes` the middle of the log is dropped first."""
        if self.descriptor < 0:
            self._trouble_bytes += len(data)
            return
        try:
            for start in range(0, len(data), self._piece_bytes):
                self._append(data[start : start + self._piece_bytes])
        except OSError as error:
            self.trouble = f"{self.path}: {error.strerror}"
            self._trouble_bytes += len(data)
            self._size = posix.lseek(self.descriptor, 0, _SEEK_CUR)

    def write_pieces(self, pieces: list[bytes | memoryview]) -> None:
        """Append pieces as if they were one; in the usual case, in which all fits, they are not copied."""
        size = sum(map(len, pieces))
        if size <= self._piece_bytes and self._size + size <= self.max_bytes:
            try:
                written = posix.writev(self.descriptor, pieces)
            except OSError:
                written = 0  # it comes again below, and is told of there
            self._size += written
            if written == size:
                self._ends_line = pieces[-1][-1:] == b"\n" if pieces else self._ends_line
                return
            pieces = [b"".join(pieces)[written:]]
        self.write(b"".join(pieces))

    def write_comment(self, text: str) -> None:
        """Append lines of ours; the job's text in them stays on its line, and theirs begins one."""
        text = scrub_text(text, self.forms)
        lines = b"".join([f"# {line}\n".encode("utf-8", "backslashreplace") for line in text.split("\n")])
        self.write(lines if self._ends_line else b"\n" + lines)

    def describe_trouble(self) -> str:
        """Return what was lost to a full or broken disk, empty if nothing was."""
        return f"{self._trouble_bytes} bytes of the log were lost: {self.trouble}" if self.trouble else ""

    def close(self) -> None:
        """Close the file."""
        if self.descriptor >= 0:
            posix.close(self.descriptor)
            self.descriptor = -1

    def _append(self, piece: bytes) -> None:
        if self._size + len(piece) > self.max_bytes:
            self._drop_middle()
        write_all(self.descriptor, piece)
        self._size += len(piece)
        self._ends_line = piece.endswith(b"\n")

    def _drop_middle(self) -> None:
        """Keep the first quarter and the newest quarter, with a line between that says what is missing."""
        if not self._head:
            self._head = _find_line_start(self.descriptor, self._piece_bytes)
        start = _find_next_line(self.descriptor, self._size - self._piece_bytes)
        self._dropped += start - self._head - len(self._marker)
        self._marker = f"# ... {self._dropped} bytes dropped ...\n".encode()
        if posix.pread(self.descriptor, 1, self._head - 1) != b"\n":
            self._marker = b"\n" + self._marker
        position = self._head + posix.pwrite(self.descriptor, self._marker, self._head)
        while start < self._size and (copied := _copy(self.descriptor, start, position, self._size - start)):
            start += copied
            position += copied
        posix.ftruncate(self.descriptor, position)
        posix.lseek(self.descriptor, position, _SEEK_SET)
        self._size = position


def open_log(state: str, plan: str, run_id: str, max_bytes: int) -> Log:
    """Create the log of a run and point ``latest.log`` at it; a log that cannot be made loses its bytes."""
    directory = f"{state}/{LOGS}/{plan}"
    name = f"{run_id}.log"
    log = Log(f"{directory}/{name}", -1, max_bytes)
    try:
        try:
            log.descriptor = _create(log.path)
        except FileNotFoundError:
            make_directory(f"{state}/{LOGS}")
            make_directory(directory, 0o750)  # for the group that may read logs; logs/ keeps all others out
            log.descriptor = _create(log.path)
        _replace_link(f"{directory}/{LATEST_LOG}", name)
    except OSError as error:
        log.trouble = f"{log.path}: {error.strerror}"
    return log


def format_footer(end: dict[str, Value]) -> str:
    """Return the last line of a log: its run, and how that ended (RUN-41); a fact nobody knows is ``-``."""
    facts = ["end", str(end["run_id"]), str(end["ended_at"])]
    for key in (
        "outcome",
        "exit_code",
        "signal",
        "duration_s",
        "cpu_s",
        "max_rss_bytes",
        "stdout_bytes",
        "stderr_bytes",
    ):
        value = end[key]
        facts.append(f"{key}={'-' if value is None else f'{value:.3f}' if isinstance(value, float) else value}")
    return " ".join([*facts, f"reason={end['reason']}"])


def _replace_link(path: str, target: str) -> None:
    # One name for all runs of a plan: what a killed one left is cleared away by the next.
    temporary = f"{path}{TEMPORARY}"
    try:
        try:
            posix.symlink(target, temporary)
        except FileExistsError:
            posix.unlink(temporary)
            posix.symlink(target, temporary)
        posix.rename(temporary, path)
    except (FileExistsError, FileNotFoundError):
        pass  # a run beside this one is just setting the link
    except OSError:
        posix.unlink(temporary)
        raise


def _create(path: str) -> int:
    return posix.open(path, posix.O_RDWR | posix.O_CREAT | posix.O_EXCL | posix.O_CLOEXEC | posix.O_NOFOLLOW, 0o640)


def _copy(descriptor: int, start: int, position: int, size: int) -> int:
    """Copy a piece of a file to another place in it, inside the kernel if it can; return how long the piece was."""
    try:
        if copied := posix.copy_file_range(descriptor, descriptor, size, start, position):
            return copied
    except OSError:
        pass  # a file system that cannot
    return posix.pwrite(descriptor, posix.pread(descriptor, min(size, _COPY_BYTES), start), position)


def _find_line_start(descriptor: int, position: int) -> int:
    """Return the start of the line that `position` is in, or `position` if that is far away."""
    start = max(position - _COPY_BYTES, 0)
    found = posix.pread(descriptor, position - start, start).rfind(b"\n")
    return position if found < 0 else start + found + 1


def _find_next_line(descriptor: int, position: int) -> int:
    """Return the start of the first line behind `position`, or `position` if that is far away."""
    found = posix.pread(descriptor, _COPY_BYTES, position).find(b"\n")
    return position if found < 0 else position + found + 1
