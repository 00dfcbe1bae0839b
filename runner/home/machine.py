"""The machine's part of a home, ``<home>/.runner/``: untracked, written by ``init`` and ``compile`` (RUN-1).

::

    python          the interpreter that cron's side uses, without any virtual environment
    main.py         what wrappers/run-job starts
    runner/launch/  a copy of the room, with byte code

The copy makes a compiled home whole: the plans and the code that reads them were written together, and an
upgrade of the package, or the loss of its virtual environment, cannot break a run that cron starts meanwhile.

::

    bin/python3     the interpreter of the command ``runner``, with all it depends on, for the home's own jobs
    bin/runner      the command
"""

from __future__ import annotations

import os
import py_compile
import shlex
import sys
from pathlib import Path

import runner.launch
from runner.launch.state import make_directory, write_file

DIRECTORY = ".runner"
_MAIN = """\
import sys

sys.path.insert(0, {directory!r})
from runner.launch.main import start

start({home!r}, {interpreter!r})
"""


def write_machine_files(home: Path) -> None:
    """Write ``<home>/.runner/``; files that are right already are not touched, so that running jobs never notice."""
    directory = home / DIRECTORY
    package = directory / "runner" / "launch"
    for path in (directory, directory / "bin", directory / "runner", package):
        make_directory(str(path))
    _write_link(directory / "python", os.path.realpath(sys.executable))
    _write(directory / "runner" / "__init__.py", b"")
    for source in sorted(Path(runner.launch.__path__[0]).glob("*.py")):
        if _write(package / source.name, source.read_bytes()) or not _has_byte_code(package / source.name):
            _compile(package / source.name)
    for stale in {path.name for path in package.glob("*.py")} - {
        path.name for path in Path(runner.launch.__path__[0]).glob("*.py")
    }:
        (package / stale).unlink()
    interpreter = shlex.quote(sys.executable)
    _write(directory / "bin" / "python3", f'#!/bin/sh\nexec {interpreter} "$@"\n'.encode(), 0o755)
    _write(directory / "bin" / "runner", f'#!/bin/sh\nexec {interpreter} -m runner.cli.main "$@"\n'.encode(), 0o755)
    text = _MAIN.format(directory=str(directory), home=str(home), interpreter=sys.executable)
    _write(directory / "main.py", text.encode())


def _write(path: Path, data: bytes, mode: int = 0o644) -> bool:
    """Write a file unless it is right; return whether it was written."""
    if path.is_file() and path.read_bytes() == data:
        return False
    write_file(str(path), data, mode)
    path.chmod(mode)
    return True


def _write_link(path: Path, target: str) -> None:
    if path.is_symlink() and str(path.readlink()) == target:
        return
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.symlink_to(target)
    temporary.rename(path)


def _has_byte_code(source: Path) -> bool:
    return Path(py_compile_target(source)).is_file()


def py_compile_target(source: Path) -> str:
    """Return where the interpreter looks for the byte code of `source`."""
    from importlib.util import cache_from_source

    return cache_from_source(str(source))


def _compile(source: Path) -> None:
    # Unchecked: the loader need not stat the source. We write both, so they cannot differ.
    py_compile.compile(str(source), doraise=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
