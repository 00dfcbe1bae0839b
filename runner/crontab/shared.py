"""A foreign line that runs a script which a job also runs: it was adopted, but not taken out (CRON-56)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from os.path import realpath
from pathlib import Path

from runner.crontab.block import find_sound_blocks, split_lines
from runner.plans.make import Planned

_BETWEEN_WORDS = re.compile(r"""[\s;&|<>()"'`=]+""")
_SYSTEM = ("/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/")


def list_scripts(home: Path, planned: Iterable[Planned], login_home: Path) -> dict[str, str]:
    """Return word -> place in the registry, of each word by which a crontab line may call a script of ours.

    Beside the path itself those that begin at the user's home, where cron starts a command.
    """
    found: dict[str, str] = {}
    for one in planned:
        fault = one.job.fault("run", "")
        for script in _list_files(home, (word for step in one.job.steps for word in step.words)):
            for word in _spell(script, login_home):
                found.setdefault(word, f"job {one.job.id}, {fault.file}:{fault.line}")
    return found


def find_shared_scripts(table: bytes, scripts: Mapping[str, str]) -> list[str]:
    """Return a warning for each line outside all blocks that runs such a script, with both places."""
    blocks = find_sound_blocks(table)
    warnings = []
    offset = 0
    for number, line in enumerate(split_lines(table), 1):
        is_foreign = not any(block.start <= offset < block.end for block in blocks)
        offset += len(line)
        if is_foreign and not line.lstrip().startswith(b"#"):
            words = _BETWEEN_WORDS.split(line.decode("utf-8", "backslashreplace"))
            shared = next((word for word in words if word in scripts), None)
            warnings += [f"line {number} runs {shared}, and so does {scripts[shared]}"] if shared else []
    return warnings


def _list_files(home: Path, words: Iterable[str]) -> Iterator[Path]:
    for word in words:
        path = home / word
        if "/" in word and not word.startswith(_SYSTEM) and path.is_file():
            yield path


def _spell(script: Path, login_home: Path) -> Iterator[str]:
    for path in {script, Path(realpath(script))}:
        yield str(path)
        if path.is_relative_to(login_home):
            below = path.relative_to(login_home)
            yield from (f"~/{below}", f"$HOME/{below}", f"${{HOME}}/{below}", f"./{below}", str(below))
