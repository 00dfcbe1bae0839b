"""The log of one build, ``builds/COMMIT.log``, and programs that write into it."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from runner.errors import clean
from runner.launch.instant import format_instant
from runner.launch.scrub import Scrubber

_READ_BYTES = 65536
_TOLD_LINES = 20
_TOLD_BYTES = 8 << 10
# What left its process group may hold the pipe for ever.
_DRAIN_S = 5.0


class BuildLog:
    """A log that is written anew.

    Parameters
    ----------
    keep
        Descriptors that a program inherits: the lock, which must not be free while a part of the build lives.
    """

    def __init__(self, path: Path, keep: Sequence[int] = ()) -> None:
        self.path = path
        self._file = open(path, "wb", buffering=0)  # noqa: SIM115  (closed by __exit__)
        self._keep = tuple(keep)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def say(self, text: str) -> None:
        """Write a line of our own, with the time."""
        for line in text.split("\n"):
            self._file.write(f"# {format_instant(time.time())} {clean(line)}\n".encode("utf-8", "backslashreplace"))

    def run(self, words: Sequence[str], environment: Mapping[str, str], cwd: Path, timeout_s: float) -> str:
        """Run a program, its output going into the log, and end what is left of it; return why it failed, if it did."""
        self.say(f"$ {' '.join(words)}")
        try:
            process = subprocess.Popen(
                words,
                env=environment,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=self._keep,
            )
        except OSError as error:
            return f"{words[0]}: {error.strerror}"
        late = threading.Event()

        def end_late() -> None:
            late.set()
            _end_group(process.pid)

        timer = threading.Timer(timeout_s, end_late)
        copier = threading.Thread(target=self._copy, args=(process,), daemon=True)
        timer.start()
        copier.start()
        # Not reaped before its group is ended: until then nobody else can have its number.
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        timer.cancel()
        _end_group(process.pid)
        copier.join(_DRAIN_S)
        code = process.wait()
        if late.is_set():
            return f"it took more than {timeout_s:g} s"
        return f"exit {code}" if code > 0 else f"signal {-code}" if code else ""

    def _copy(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout
        scrubber = Scrubber()
        while chunk := os.read(process.stdout.fileno(), _READ_BYTES):
            self._file.write(scrubber.feed(chunk))
        self._file.write(scrubber.feed(b"", is_last=True))
        process.stdout.close()


def read_end(path: Path) -> str:
    """Return the last lines of what the programs of a build said, for a mail."""
    with open(path, "rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - _TOLD_BYTES))
        said = [line for line in file.read().splitlines() if not line.startswith(b"# ")]
    return "\n".join(clean(line.decode("utf-8", "backslashreplace")) for line in said[-_TOLD_LINES:])


def _end_group(pid: int) -> None:
    """End what is left of a program; its process group is its own."""
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
