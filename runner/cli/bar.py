"""The bar of a fetch, on a terminal."""

from __future__ import annotations

import threading

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from runner.archive.fetch.options import Watch
from runner.archive.fetch.results import FAILED, FETCHED, Result
from runner.archive.fetch.source import Remote


class Bar(Watch):
    """How many files are done with, how many bytes have come of those that are to come, and how fast."""

    def __init__(self) -> None:
        columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
        console = Console(stderr=True)
        self._progress = Progress(TextColumn("{task.description}"), *columns, console=console, transient=True)
        self._task = self._progress.add_task("", total=0)
        self._mutex = threading.Lock()
        self._open: dict[str, int] = {}
        self._total_bytes = self._done = self._failed = 0

    def __enter__(self) -> Bar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def expect(self, remote: Remote) -> None:
        """Count with a file more."""
        with self._mutex:
            self._open[remote.name] = remote.size_bytes or 0
            self._total_bytes += remote.size_bytes or 0
            self._update()

    def move(self, count: int) -> None:
        """Move on."""
        self._progress.advance(self._task, count)

    def finish(self, result: Result) -> None:
        """Count a file that is done with; only of one that was fetched have bytes come."""
        with self._mutex:
            came_bytes = result.size_bytes or 0 if result.result == FETCHED else 0
            self._total_bytes += came_bytes - self._open.pop(result.name, 0)
            self._done += 1
            self._failed += result.result == FAILED
            self._update()

    def _update(self) -> None:
        failed = f", {self._failed} failed" if self._failed else ""
        text = f"{self._done} of {self._done + len(self._open)} files{failed}"
        self._progress.update(self._task, description=text, total=self._total_bytes)
