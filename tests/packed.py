"""Archives for tests: tar and zip with whatever members a test wants."""

from __future__ import annotations

import io
import stat
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

FILES = {"./night/a.fits": b"photons", "night/b c ü.fits": b"x" * 300_000, "empty.txt": b""}
ENDINGS = (".tar", ".tar.gz", ".tar.bz2", ".tar.xz", ".zip")
MODIFIED_AT = 1_700_000_000


def make_archive(path: Path, files: Mapping[str, bytes]) -> Path:
    """Write an archive of the kind that its name says."""
    return make_zip(path, files) if path.suffix == ".zip" else make_tar(path, *map(make_entry, files, files.values()))


def make_entry(name: str, content: bytes = b"", **values: object) -> tuple[tarfile.TarInfo, bytes]:
    """Return a member of a tar; `values` are what else tarfile knows of it."""
    entry = tarfile.TarInfo(name)
    entry.size, entry.mtime = len(content), MODIFIED_AT
    for key, value in values.items():
        setattr(entry, key, value)
    return entry, content


def make_tar(path: Path, *entries: tuple[tarfile.TarInfo, bytes]) -> Path:
    """Write a tar of members, compressed as its name says."""
    kind = path.suffix.removeprefix(".")
    with tarfile.open(path, "w" if kind == "tar" else f"w:{kind}") as archive:  # type: ignore[call-overload]
        for entry, content in entries:
            archive.addfile(entry, io.BytesIO(content))
    return path


def make_zip(path: Path, files: Mapping[str, bytes], mode: int = stat.S_IFREG | 0o644) -> Path:
    """Write a zip of members of one mode."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, (2023, 11, 14, 22, 13, 20))
            entry.external_attr, entry.compress_type = mode << 16, zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return path
