"""The files of a commit, from tar to a directory: plain files, directories and links that stay inside."""

from __future__ import annotations

import os
import posixpath
import shutil
import tarfile
from pathlib import Path
from typing import IO

from runner.errors import UserError

# What a build puts into a release; a file of the repository there would be taken for it.
_OURS = (".git", ".runner", ".venv")


def unpack(archive: IO[bytes], directory: Path) -> None:
    """Write what is in a tar of git's below a new directory. UserError if anything would be elsewhere (SEC-15).

    Links are made last, so that nothing is written through one.
    """
    directory.mkdir(parents=True)
    links = []
    with tarfile.open(fileobj=archive, mode="r|") as tar:
        for member in tar:
            path = directory / _check_name(member.name)
            if member.isdir():
                path.mkdir(exist_ok=True)
            elif member.issym():
                links.append((path, member.linkname))
            elif member.isreg():
                _write(tar, member, path)
            else:
                raise UserError(f"{member.name} is no file, directory or link")
    for path, target in links:
        path.symlink_to(target)
    for path, target in links:
        if not Path(os.path.realpath(path)).is_relative_to(directory):
            raise UserError(f"{path.relative_to(directory)} is a link to {target}, out of the release")


def _check_name(name: str) -> str:
    parts = name.rstrip("/").split("/")
    if posixpath.isabs(name) or ".." in parts or "" in parts:
        raise UserError(f"{name!r} is no name of a file below a release")
    if parts[0] in _OURS:
        raise UserError(f"{parts[0]} is under git; a build makes it: git rm -r --cached {parts[0]}")
    return "/".join(parts)


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
    source = tar.extractfile(member)
    assert source is not None
    with open(path, "xb") as file:
        shutil.copyfileobj(source, file)
    path.chmod(0o755 if member.mode & 0o100 else 0o644)
    # The time of the commit, so that byte code made of the file stays true.
    os.utime(path, (member.mtime, member.mtime))
