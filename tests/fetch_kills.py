"""Kill -9 of ``runner fetch`` at random moments, and hold what it leaves against what its source has (ARCH-14).

``python fetch_kills.py FILES SOURCE OUT SEED KILLS`` fetches SOURCE, which has the files of the directory FILES,
into OUT until so many fetches were killed, and prints one JSON object: how many kills, how many fetches came to
their end before theirs, and every untruth. The fetches are children that have the program loaded already.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from fetching import list_files

from runner.cli.main import run


@dataclass(slots=True)
class Report:
    """What a game came to."""

    seed: int
    kills: int = 0
    ended: int = 0
    resumed: int = 0
    untruths: list[str] = field(default_factory=list)


class Game:
    """Fetches from one source that are killed; each goes on with what the one before it left."""

    def __init__(self, files: Path, source: str, out: Path, seed: int) -> None:
        self.report = Report(seed)
        self._wanted = list_files(files)
        self._source = source
        self._out = out
        self._random = random.Random(seed)

    def play(self, kills: int) -> Report:
        """Play until so many were killed, then let one come to its end and look at everything."""
        lasts_s = self._measure()
        while self.report.kills < kills:
            self._shoot(lasts_s)
        self._let_end(self._start())
        return self.report

    def _measure(self) -> float:
        begun = time.monotonic()
        self._let_end(self._start())
        return time.monotonic() - begun

    def _shoot(self, lasts_s: float) -> None:
        """Start one, and kill it at a moment of chance."""
        self.report.resumed += any(path.stat().st_size for path in self._out.rglob("*.part"))
        child = self._start()
        time.sleep(self._random.uniform(0.0, lasts_s))
        os.kill(child, signal.SIGKILL)
        if os.waitpid(child, 0)[1] == signal.SIGKILL:
            self.report.kills += 1
            self._look()
        else:
            self.report.ended += 1
            self._check_all()

    def _let_end(self, child: int) -> None:
        status = os.waitpid(child, 0)[1]
        if status:
            self.report.untruths.append(f"an undisturbed fetch ended with {status}")
        self._check_all()

    def _check_all(self) -> None:
        """Look at what is there after a fetch that came to its end, and begin anew."""
        self._look()
        if list_files(self._out) != self._wanted:
            self.report.untruths.append(f"there is {sorted(list_files(self._out))}")
        shutil.rmtree(self._out)

    def _look(self) -> None:
        """Each file under a final name is whole; each other is on its way to one."""
        for name, data in list_files(self._out).items() if self._out.exists() else ():
            is_part = name.endswith(".part") and name.removesuffix(".part") in self._wanted
            if not is_part and data != self._wanted.get(name):
                self.report.untruths.append(f"{name} has {len(data)} bytes")

    def _start(self) -> int:
        child = os.fork()
        if child == 0:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            os._exit(run(["fetch", self._source, str(self._out)]))
        return child


def kill_fetch_at_random(files: Path, source: str, out: Path, seed: int, kills: int) -> Report:
    """Play a game in a process of its own, which has no threads to fork."""
    words = [sys.executable, __file__, str(files), source, str(out), str(seed), str(kills)]
    printed = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout
    return Report(**json.loads(printed))


if __name__ == "__main__":
    _files, _source, _out, _seed, _kills = sys.argv[1:]
    print(json.dumps(asdict(Game(Path(_files), _source, Path(_out), int(_seed)).play(int(_kills)))))
