"""Real conda environments, without a network: packages of our own in a channel of files, installed as conda does."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path

import rattler
from rattler.index import index_fs

# What a package of a pipeline brings for activation: a script and a file of variables.
PIPELINE = {
    "bin/cl": '#!/bin/sh\necho "iraf of $iraf"\n',
    "etc/conda/activate.d/iraf.sh": 'export iraf="$CONDA_PREFIX/lib/iraf/"\nexport MANPATH="/conda/man"\n',
    "etc/conda/env_vars.d/iraf.json": '{"IRAFARCH": "linux 64", "BOTH": "package"}',
}


def make_prefix(prefix: Path, files: Mapping[str, str] = PIPELINE, variables: Mapping[str, str] | None = None) -> None:
    """Install a package with `files` into `prefix`; `variables` are those of ``conda env config vars set``."""
    work = prefix.parent / f"{prefix.name}.work"
    (work / "noarch").mkdir(parents=True)
    _pack(work / "noarch" / "pipeline-1.0-0.tar.bz2", files)
    asyncio.run(_install(work, prefix))
    if variables:
        state = {"version": 1, "env_vars": {name.upper(): value for name, value in variables.items()}}
        (prefix / "conda-meta/state").write_text(json.dumps(state))


async def _install(channel: Path, prefix: Path) -> None:
    await index_fs(channel)
    records = await rattler.solve([rattler.Channel(f"file://{channel}")], ["pipeline"], platforms=["noarch"])
    await rattler.install(records, prefix, cache_dir=channel / "cache", show_progress=False)


def _pack(path: Path, files: Mapping[str, str]) -> None:
    index = {
        "name": "pipeline", "version": "1.0", "build": "0", "build_number": 0, "depends": [], "noarch": "generic",
        "subdir": "noarch", "timestamp": 1_700_000_000_000,
    }  # fmt: skip
    paths = [
        {"_path": name, "path_type": "hardlink", "sha256": _digest(text), "size_in_bytes": len(text.encode())}
        for name, text in files.items()
    ]
    info = {
        "info/index.json": json.dumps(index),
        "info/files": "".join([f"{name}\n" for name in files]),
        "info/paths.json": json.dumps({"paths_version": 1, "paths": paths}),
    }
    with tarfile.open(path, "w:bz2") as package:
        for name, text in {**info, **files}.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(text.encode()), 0o755 if name.startswith("bin/") else 0o644
            package.addfile(member, io.BytesIO(text.encode()))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
