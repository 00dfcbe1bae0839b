"""Files -> what their headers say, by this process or by several (ARCH-23).

A worker is an interpreter of its own that imports what reads headers once: a fork would share our connection
to the database, and `multiprocessing` would import the job's script once more.
"""

from __future__ import annotations

import pickle
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, TypeVar

from runner.archive.headers.reader import HeaderReader
from runner.errors import TryLater

if TYPE_CHECKING:
    from typing import Any

    from runner.archive.headers.reader import Reading

T = TypeVar("T")
MakeReader = Callable[[], HeaderReader]
# A file to read: its path, and whatever goes with it.
Task = tuple[str, T]

_FILES_A_PIECE = 50
_PROGRAM = (
    "import pickle, sys; sys.path[:] = pickle.load(sys.stdin.buffer);"
    " from runner.archive.index.read import serve; serve()"
)


def read_files(
    make_reader: MakeReader, tasks: Iterable[Task[T]], processes: int = 1
) -> Iterator[tuple[T, Reading | None]]:
    """Yield what goes with each file and what the file says, in their order; None if it is not there any more.

    Parameters
    ----------
    make_reader
        Makes a reader here, and pickled one in each other process.
    """
    if processes == 1:
        reader = make_reader()
        return ((what, _read(reader, path)) for path, what in tasks)
    return _read_beside(make_reader, iter(tasks), processes)


def _read(reader: HeaderReader, path: str) -> Reading | None:
    try:
        return reader.read(path)
    except FileNotFoundError:
        return None


def _read_beside(
    make_reader: MakeReader, tasks: Iterator[Task[T]], processes: int
) -> Iterator[tuple[T, Reading | None]]:
    """Keep all workers busy: each has a thread that waits for it, and two pieces are ready for it.

    They are started when there is something for them.
    """
    workers: list[_Worker] = []
    idle: SimpleQueue[_Worker] = SimpleQueue()

    def read_piece(piece: list[Task[T]]) -> list[Reading | None]:
        try:
            worker = idle.get_nowait()
        except Empty:
            workers.append(worker := _Worker(make_reader))
        try:
            return worker.read([path for path, _ in piece])
        finally:
            idle.put(worker)

    ahead: deque[tuple[list[Task[T]], Future[list[Reading | None]]]] = deque()
    try:
        with ThreadPoolExecutor(processes) as threads:
            while True:
                while len(ahead) < 3 * processes and (piece := list(islice(tasks, _FILES_A_PIECE))):
                    ahead.append((piece, threads.submit(read_piece, piece)))
                if not ahead:
                    return
                piece, readings = ahead.popleft()
                yield from zip((what for _, what in piece), readings.result(), strict=True)
    finally:
        for worker in workers:
            worker.stop()


class _Worker:
    """A process that reads headers."""

    def __init__(self, make_reader: MakeReader) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._process.stdin
        assert self._process.stdout
        self._input, self._output = self._process.stdin, self._process.stdout
        self._send(sys.path)
        self._send(make_reader)

    def read(self, paths: list[str]) -> list[Any]:
        try:
            self._send(paths)
            return list(pickle.load(self._output))
        except (BrokenPipeError, EOFError) as error:
            raise TryLater(f"a process that read headers ended: exit {self._process.wait()}") from error

    def stop(self) -> None:
        """Let it end: it does when nothing more can come."""
        self._output.close()
        self._input.close()
        self._process.wait()

    def _send(self, value: object) -> None:
        pickle.dump(value, self._input)
        self._input.flush()


def serve() -> None:
    """Be a worker: read what stdin names, answer on stdout, until stdin ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who has called us
    stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
    reader: HeaderReader = pickle.load(stdin)()
    while True:
        try:
            paths = pickle.load(stdin)
        except EOFError:
            return
        pickle.dump([_read(reader, path) for path in paths], stdout)
        stdout.flush()
