"""The clock that a wrapper sees, set by a test."""

from __future__ import annotations

import time
from pathlib import Path

from lab import CALLER
from missing import give_up

from runner.launch.instant import parse_instant

_LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))


class Clock:
    """The wall clock that a wrapper sees: libfaketime is told of it by a file, so it can be set in mid-run."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.set_off_by(0)

    @property
    def env(self) -> dict[str, str]:
        """What a wrapper is started with to see this clock; what counts seconds goes on as it is."""
        fake = {"LD_PRELOAD": str(_LIBRARIES[0]), "FAKETIME_TIMESTAMP_FILE": str(self._file), "FAKETIME_NO_CACHE": "1"}
        return {**CALLER, **fake, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}

    def set_off_by(self, offset_s: float) -> None:
        """Set the clock, so many seconds before or after the true one."""
        new = self._file.with_name("new-clock")
        new.write_text(f"{offset_s:+.3f}\n")
        new.rename(self._file)

    def set(self, instant: str) -> None:
        """Set the clock to an instant, UTC; it goes on from there."""
        self.set_off_by(parse_instant(instant) - time.time())


def make_clock(file: Path) -> Clock:
    """Return a clock that shows the true time; skip the test where there is none."""
    if not _LIBRARIES:
        give_up("no libfaketime")
    return Clock(file)
