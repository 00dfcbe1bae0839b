"""The packages of a release: a virtual environment of its lock file, shared by all releases with the same one.

It stands beside the releases, ``environments/DIGEST``, since it cannot be moved, and is ``.venv`` of each of them. What
stands there without the file ``made`` was left half-made by a build that was killed.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from runner.errors import TryLater, UserError
from runner.launch.environment import base_environment
from runner.releases.base import Base
from runner.releases.log import BuildLog
from runner.releases.seal import remove_tree, seal

VENV = ".venv"
_MADE = "made"
_DEFAULT = "requirements.txt"
_INCLUDE = re.compile(r"\s*(?:-r|--requirement|-c|--constraint)[ =]*(\S+)")
# What would be of one release: its source, or a directory in it.
_OF_SOURCE = re.compile(r"\s*(?:-e|--editable|\.{0,2}/(?!.*\.whl)|\.\s*$|file:(?!.*\.whl))")
_HASHED = re.compile(r"(?m)^.*\s--hash=")
# What reaches a package index from here; pip.conf of the account counts as well.
_OF_NETWORK = re.compile(r"(?i)PIP_.*|https?_proxy|no_proxy|all_proxy|SSL_CERT_(?:FILE|DIR)")


def find_lock_file(home: Path, declared: str) -> Path | None:
    """Return the lock file of a home, None if it has none; UserError if a declared one is not there."""
    path = home / (declared or _DEFAULT)
    if path.is_file():
        return path
    if declared:
        raise UserError(f"there is no {declared}, which release.requirements names")
    return None


def read_lock(path: Path, home: Path) -> dict[str, str]:
    """Return the text of a lock file, and of all that it includes, by path below the home.

    UserError if the packages would not be the same for each release with these texts.
    """
    texts: dict[str, str] = {}
    waiting = [path.resolve()]
    while waiting:
        file = waiting.pop()
        name = os.path.relpath(file, home)
        if name in texts:
            continue
        try:
            texts[name] = file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"{name}: {getattr(error, 'strerror', None) or 'is not UTF-8'}") from None
        for number, line in enumerate(texts[name].splitlines(), 1):
            if _OF_SOURCE.match(line):
                hint = "releases share an environment: name packages, or put the directory on PYTHONPATH"
                raise UserError(f"{name}:{number}: {line.strip()} is source of this release alone; {hint}")
            if (found := _INCLUDE.match(line)) and "://" not in found[1]:
                waiting.append((file.parent / found[1]).resolve())
    return texts


def digest_lock(texts: Mapping[str, str], python: str) -> str:
    """Return the name of the environment of these lock files for one interpreter."""
    return sha256(repr((sorted(texts.items()), python)).encode()).hexdigest()[:16]


def provide_environment(
    base: Base, home: Path, declared: str, log: BuildLog, user: tuple[str, str], timeout_s: float
) -> str:
    """Give a release the environment of its lock file, made now unless it is there; return its name, empty for none.

    Parameters
    ----------
    user
        The login that builds, and its own directory.

    Raises
    ------
    UserError
        If the lock file is not as it must be.
    TryLater
        If the packages cannot be had: the index may be down.
    """
    lock = find_lock_file(home, declared)
    if lock is None:
        return ""
    texts = read_lock(lock, home)
    name = digest_lock(texts, f"{os.path.realpath(sys.executable)} {sys.version}")
    directory = base.environments / name
    if (directory / _MADE).exists():
        log.say(f"environment {name} is there: {lock.name} has not changed")
    else:
        _make(directory, home, lock, _choose_options(texts), log, user, timeout_s)
    (home / VENV).symlink_to(f"../../{base.environments.name}/{name}")
    return name


def _choose_options(texts: Mapping[str, str]) -> list[str]:
    """Return pip's option: where one package has hashes, all must."""
    return ["--require-hashes"] if any(_HASHED.search(text) for text in texts.values()) else []


def _make(
    directory: Path, home: Path, lock: Path, options: list[str], log: BuildLog, user: tuple[str, str], timeout_s: float
) -> None:
    remove_tree(directory)
    environment = base_environment(*user)
    environment |= {name: value for name, value in os.environ.items() if _OF_NETWORK.fullmatch(name)}
    python = str(directory / "bin" / "python")
    pip = [
        sys.executable,
        "-I",
        "-m",
        "pip",
        "--python",
        python,
        "install",
        "--no-input",
        "--disable-pip-version-check",
    ]
    install = [*pip, "--quiet", "--compile", *options, "-r", str(lock)]
    for words in ([sys.executable, "-I", "-m", "venv", "--without-pip", str(directory)], install):
        if trouble := log.run(words, environment, home, timeout_s):
            shutil.rmtree(directory, ignore_errors=True)
            raise TryLater(f"the packages of {lock.name} cannot be installed: {trouble}")
    (directory / _MADE).touch()
    seal(directory)


def list_half_made(base: Base) -> list[Path]:
    """Return the environments that a killed build has left."""
    return [path for path in base.environments.iterdir() if not (path / _MADE).exists()]
