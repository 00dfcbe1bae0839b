"""The machine's part of a home, ``<home>/.runner/``: untracked, written by ``init`` and ``compile`` (RUN-1).

::

    python          the interpreter that cron's side uses, without any virtual environment
    python._pth     where it looks for modules
    lib/            first here: what it imports before it reads a line of ours
    main.pyc        what wrappers/run-job starts; main.py is its source
    launch.code     the modules that every run needs, linked into one file
    person.code     those of wrappers/with-profile
    runner/launch/  a copy of the whole room, for what a bad run needs besides, and for tracebacks
    jobside/        on the PYTHONPATH of jobs: runner/job.py, without any __init__.py
    bin/python3     the interpreter of the command ``runner`` with all it depends on, for the home's own jobs
    bin/runner      the command
    made            digest of what all this was made from, written last

The copy makes a compiled home whole: the plans and the code that reads them were written together, and an
upgrade of the package, or the loss of its virtual environment, cannot break a run that cron starts meanwhile.

Linking is for speed: the import system looks for twenty small modules in 4 ms, a fifth of a bare
interpreter's start and more than the run has to spend (RUN-44); from one file they take 1.5 ms. For the same reason it
names the files of the extension modules, what was loaded is nothing that the garbage collector looks at, and it looks
at the rest only in a run that makes much of it. The interpreter's own first imports, its codecs, are searched for in
directories of hundreds of files; in ``lib`` they are alone.
"""

from __future__ import annotations

import ast
import json
import marshal
import os
import py_compile
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable
from hashlib import sha256
from importlib.util import MAGIC_NUMBER, find_spec, source_hash
from pathlib import Path
from types import CodeType

import runner.launch
from runner.launch.environment import JOBSIDE
from runner.launch.state import write_file

DIRECTORY = ".runner"
_ROOM = "runner.launch"
_JOB = Path(runner.launch.__path__[0]).parent / "job.py"
_ENTRANCES = {"launch.code": ("run", "main"), "person.code": ("with_profile",)}
# What the interpreter has, in files of its own or built in, and each run that starts a job needs: to poll, to lock, to
# wait, to know its account, and to become a subreaper.
_EXTENSIONS = {"launch.code": ("select", "fcntl", "resource", "pwd", "_ctypes"), "person.code": ("pwd",)}
# As run-job starts it; it says where it looks for modules, and name and file of those that it has found there already.
_START = ("-IS", "-X", "utf8", "-c")
_ASK = """\
import sys
found = {n: m.__spec__.origin for n, m in sys.modules.items() if m.__spec__ and m.__spec__.has_location}
import json
print(json.dumps([sys.path, found]))
"""
_MAIN = """\
# Written by "runner compile"; what it starts is runner/launch/main.py, or with_profile.py.
import gc, marshal, posix, sys

gc.disable()
posix.chdir(__file__.rpartition("/")[0] + "/..")
home = posix.getcwd()
own = sys.argv[1:2] == ["--with-profile"]
descriptor = posix.open(".runner/person.code" if own else ".runner/launch.code", posix.O_RDONLY | posix.O_CLOEXEC)
loader, extensions, linked = marshal.loads(posix.read(descriptor, posix.fstat(descriptor).st_size))
posix.close(descriptor)
exec(loader)
load_extensions(extensions)
load_modules(linked, home)
gc.freeze()
gc.set_threshold(10_000)
gc.enable()
sys.modules["runner.launch.with_profile" if own else "runner.launch.main"].start(home, {interpreter!r})
"""


def write_machine_files(home: Path) -> None:
    """Write ``<home>/.runner/``; each file is replaced by rename, and none if all was made from the same already."""
    directory = home / DIRECTORY
    sources = {path.name: path.read_bytes() for path in sorted(Path(runner.launch.__path__[0]).glob("*.py"))}
    job = _JOB.read_bytes()
    digest = _digest({**sources, _JOB.name: job})
    if _read(directory / "made") == digest:
        return
    package = directory / "runner" / "launch"
    jobside = directory / Path(JOBSIDE).name
    for path in (directory, directory / "bin", directory / "runner", package, jobside, jobside / "runner"):
        path.mkdir(mode=0o755, exist_ok=True)
    _write_link(directory / "python", os.path.realpath(sys.executable))
    _write_library(directory)
    _write_room(package, sources)
    # A namespace package: where the runner itself is installed, its own regular package goes before it (PEP 420).
    _write(jobside / "runner" / _JOB.name, job)
    loader = _compile(*_parse(package / "linked.py"))
    for name, entrances in _ENTRANCES.items():
        linked = link_modules(package, entrances)
        _write(directory / name, marshal.dumps((loader, _find_extensions(_EXTENSIONS[name]), linked)))
    _write(directory / "main.py", _MAIN.format(interpreter=sys.executable).encode())
    _write_compiled(directory / "main.py", directory / "main.pyc")
    interpreter = shlex.quote(sys.executable)
    _write(directory / "bin" / "python3", f'#!/bin/sh\nexec {interpreter} "$@"\n'.encode(), 0o755)
    _write(directory / "bin" / "runner", f'#!/bin/sh\nexec {interpreter} -I -m runner.cli.main "$@"\n'.encode(), 0o755)
    _write(directory / "made", digest)


def _digest(sources: dict[str, bytes]) -> bytes:
    """Return the digest of the room, of the interpreter, and of this module, which decides what is made of them."""
    made_from = [sys.version, sys.executable, os.path.realpath(sys.executable), repr(sources), _read(Path(__file__))]
    return sha256(repr(made_from).encode()).hexdigest().encode()


def _write_library(directory: Path) -> None:
    """Write what the interpreter imports before it reads a line of ours, and the file by which it finds that.

    A ``._pth`` file is the whole of `sys.path`; Python's documentation, "The initialization of the sys.path module
    search path". An interpreter that does not start with it, starts without.
    """
    library, search = directory / "lib", directory / "python._pth"
    search.unlink(missing_ok=True)
    shutil.rmtree(library, ignore_errors=True)
    library.mkdir(mode=0o755)
    asked = subprocess.run([directory / "python", *_START, _ASK], stdout=subprocess.PIPE, check=True)
    paths, found = json.loads(asked.stdout)
    for name, file in found.items():
        if file.endswith(".py"):
            _write_early(library / name.replace(".", "/"), Path(file))
    _write(search, "\n".join(["lib", *paths, ""]).encode("utf-8", "surrogateescape"))
    if subprocess.run([directory / "python", *_START, ""], stderr=subprocess.DEVNULL, check=False).returncode != 0:
        search.unlink()


def _write_early(path: Path, source: Path) -> None:
    """Compile a module of the interpreter's library to where `path` is imported from without its source (PEP 552)."""
    data = source.read_bytes()
    tree = ast.parse(data, str(source))
    if source.name == "__init__.py":  # the rest of the package, all the other codecs, stays where it is
        tree.body += ast.parse(f"__path__.append({str(source.parent)!r})").body
        path /= "__init__"
    path.parent.mkdir(mode=0o755, exist_ok=True)
    code = marshal.dumps(_compile(tree, source))
    unchecked = (1).to_bytes(4, "little")
    _write(path.with_suffix(".pyc"), MAGIC_NUMBER + unchecked + source_hash(data) + code)


def link_modules(package: Path, entrances: Iterable[str]) -> list[tuple[str, str, CodeType]]:
    """Return name, package directory (or empty) and code of what `entrances` import, in order of need."""
    empty = compile("", "__init__.py", "exec")
    linked = [("runner", f"/{DIRECTORY}/runner", empty), (_ROOM, f"/{DIRECTORY}/runner/launch", empty)]
    seen: set[str] = set()

    def visit(module: str) -> None:
        if module not in seen:
            seen.add(module)
            tree, path = _parse(package / f"{module}.py")
            for needed in _find_imports(tree):
                visit(needed)
            linked.append((f"{_ROOM}.{module}", "", _compile(tree, path)))

    for entrance in entrances:
        visit(entrance)
    return linked


def _find_extensions(names: Iterable[str]) -> list[tuple[str, str]]:
    """Return name and file of the extension modules; the file is empty if one is built into this interpreter."""
    specs = [find_spec(name) for name in names]
    return [(spec.name, spec.origin if spec.has_location and spec.origin else "") for spec in specs if spec]


def _parse(path: Path) -> tuple[ast.Module, Path]:
    return ast.parse(path.read_bytes(), str(path)), path


def _find_imports(tree: ast.Module) -> list[str]:
    """Return the modules of the room that a module imports when it is loaded."""
    found = []
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module == _ROOM:
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{_ROOM}."):
            found.append(str(node.module).removeprefix(f"{_ROOM}."))
    return found


class _Bare(ast.NodeTransformer):
    """Takes out what a type checker reads and a run does not: a quarter of the time that loading takes."""

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        node.returns = None
        self.generic_visit(node)
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.Assign | None:
        return ast.copy_location(ast.Assign([node.target], node.value), node) if node.value else None

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom | None:
        return None if node.module == "__future__" else node

    def visit_If(self, node: ast.If) -> ast.AST | None:
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return None
        return self.generic_visit(node)


def _compile(tree: ast.Module, path: Path) -> CodeType:
    """Compile without annotations and docstrings."""
    bare = ast.fix_missing_locations(_Bare().visit(tree))
    return compile(bare, str(path), "exec", dont_inherit=True, optimize=2)


def _write_room(package: Path, sources: dict[str, bytes]) -> None:
    _write(package.parent / "__init__.py", b"")
    for name, data in sources.items():
        _write(package / name, data)
        _write_compiled(package / name)
    for stale in package.glob("*.py"):
        if stale.name not in sources:
            stale.unlink()


def _write_compiled(source: Path, path: Path | None = None) -> None:
    """Compile a file of ours to `path`, or to where the import system looks for it."""
    # Unchecked: the loader need not look at the source. We write both, so they cannot differ.
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    py_compile.compile(str(source), str(path) if path else None, doraise=True, invalidation_mode=mode)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _write(path: Path, data: bytes, mode: int = 0o644) -> None:
    write_file(str(path), data, mode)
    path.chmod(mode)


def _write_link(path: Path, target: str) -> None:
    if path.is_symlink() and str(path.readlink()) == target:
        return
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.symlink_to(target)
    temporary.rename(path)
