"""Kill -9 an indexer at moments of chance, and hold what the database says against the disk (ARCH-29).

``python index_kills.py DIRECTORY URL SEED KILLS`` changes an archive, indexes it in a child that is killed, looks
whether what is there is whole, and does so again until so many kills have met an indexer that was at work. At last
one undisturbed call must complete the database to the content of a new one. It prints one JSON object.

It is a program of its own because a process with threads, such as pytest's workers, must not fork.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from archives import Tree

_ROOTS = 8
_FILES = 160
_CHANGES = 24


@dataclass(slots=True)
class Report:
    """What a game came to: how many kills met an indexer at work, how many calls came to their end, what was wrong."""

    seed: int
    kills: int = 0
    survived: int = 0
    indexed: int = 0
    faults: list[str] = field(default_factory=list)


class Game:
    """An archive that changes, and its indexers that are killed."""

    def __init__(self, directory: Path, url: str, seed: int) -> None:
        self.report = Report(seed)
        self._directory = directory
        self._random = random.Random(seed)
        self._tree = Tree(directory / "archive", url)
        self._names = [f"{number % _ROOTS}/{number // 50}/{number}.fits" for number in range(_FILES)]
        for name in self._names:
            self._tree.write(name)

    def play(self, kills: int) -> Report:
        """Play until so many kills have met something; half way all roots become one."""
        longest_s = self._measure()
        parts = sorted(self._tree.root.iterdir())
        while self.report.kills < kills:
            self._change()
            self._index_and_kill(parts if self.report.kills < kills / 2 else [self._tree.root], longest_s)
            self.report.faults += find_faults(self._tree)
        self._finish()
        return self.report

    def _measure(self) -> float:
        """Return how long a call takes, in which a kill may meet it; what it needs is imported from now on."""
        spare = Tree(self._tree.root, f"sqlite:///{self._directory}/spare.db")
        spare.index()
        self._change()
        begun = time.perf_counter()
        spare.index()
        with self._tree.open():
            return time.perf_counter() - begun

    def _change(self) -> None:
        """Change, damage, remove and bring back some files."""
        for name in self._random.sample(self._names, _CHANGES):
            deed = self._random.choice(("write", "write", "write", "damage", "remove"))
            if deed == "remove":
                (self._tree.root / name).unlink(missing_ok=True)
            else:
                self._tree.write(name, b"SIMPLE" if deed == "damage" else None)

    def _index_and_kill(self, paths: list[Path], longest_s: float) -> None:
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                self._tree.index(*paths)
                code = 0
            finally:
                os._exit(code)
        time.sleep(self._random.uniform(0, longest_s))
        os.kill(pid, signal.SIGKILL)
        status = os.waitpid(pid, 0)[1]
        self.report.kills += status == signal.SIGKILL
        self.report.survived += status == 0
        if status not in (0, signal.SIGKILL):
            self.report.faults.append(f"an indexer ended with status {status}")

    def _finish(self) -> None:
        """Complete the database, and compare it with one that nobody disturbed."""
        self._tree.index()
        undisturbed = Tree(self._tree.root, f"sqlite:///{self._directory}/undisturbed.db")
        undisturbed.index()
        ours = [file for file in self._tree.content() if file["state"] != "vanished"]
        self.report.indexed = len(ours)
        if ours != undisturbed.content():
            self.report.faults.append("the content is not that of an undisturbed call")
        gone = [path for path, state in self._tree.states().items() if state == "vanished"]
        self.report.faults += [f"{path} is there" for path in gone if (self._tree.root / path).exists()]


def find_faults(tree: Tree) -> list[str]:
    """Return what is not whole in a database: files without their HDUs, HDUs without their file, files of no root."""
    count = "(SELECT count(*) FROM hdus WHERE file_id = files.id)"
    faults = [f"{path} has {there} of {wanted} HDUs" for path, wanted, there in tree.ask(
        f"SELECT path, hdu_count, {count} FROM files WHERE hdu_count <> {count}")]  # fmt: skip
    orphans = tree.ask("SELECT count(*) FROM hdus WHERE file_id NOT IN (SELECT id FROM files)")[0][0]
    rootless = tree.ask("SELECT count(*) FROM files WHERE root_id NOT IN (SELECT id FROM roots)")[0][0]
    return [
        *faults,
        *[f"{orphans} HDUs of no file"] * bool(orphans),
        *[f"{rootless} files of no root"] * bool(rootless),
    ]


def run(directory: Path, url: str, seed: int, kills: int) -> dict[str, object]:
    """Run this program; return what it printed."""
    command = [sys.executable, __file__, str(directory), url, str(seed), str(kills)]
    return dict(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))


if __name__ == "__main__":
    _, place, database, number, wanted = sys.argv
    print(json.dumps(asdict(Game(Path(place), database, int(number)).play(int(wanted)))))
