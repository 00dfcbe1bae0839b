"""``--unpack``: an archive's members are put beside it, as if a source had listed them (ARCH-12, SEC-15).

An archive is read twice: once to judge all of it, once more to write. One of which a single member would leave the
directory, is a link or a device, or which comes to more bytes than it may, is kept aside as ``NAME.refused`` and
nothing of it is unpacked.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from runner.archive.fetch.archives import Hostile, Member, is_archive, read_members
from runner.archive.fetch.disk import Disk
from runner.archive.fetch.names import check_name
from runner.archive.fetch.place import Part, Place, open_destination
from runner.archive.fetch.source import Refused
from runner.errors import clean
from runner.home.product import Product
from runner.launch.state import write_all

ASIDE = ".refused"
_PIECE_BYTES = 1 << 18
_LONGEST_NAME_BYTES = 255
# Zeros become 1 000 times smaller by gzip, 20 000 times by bzip2; real exposures 2 to 20 times, masks perhaps 100.
_GREATEST_RATIO = 200
_HARMLESS_BYTES = 100 << 20
_MOST_MEMBERS = 100_000


def unpack_archive(path: Path, largest_bytes: int) -> list[Product]:
    """Put the members of a file beside it, if it is an archive by its name; return them. May be called again.

    Parameters
    ----------
    largest_bytes
        What all of them together may have.

    Raises
    ------
    Refused
        For good, if it is hostile or damaged; it is kept aside then.
    """
    if not is_archive(path.name):
        return []
    with _open(path) as file:
        try:
            total_bytes = judge(file, path.name, largest_bytes)
        except Hostile as hostile:
            aside = _put_aside(path)
            raise Refused(clean(f"{hostile.reason}; kept as {aside}"), is_permanent=True) from hostile
        disk = Disk(path.parent)
        disk.reserve(path.name, total_bytes)
        directory = open_destination(path.parent, is_made=False)
        try:
            return [_write(member, directory, path) for member in read_members(file) if member.stream]
        except OSError as error:
            raise disk.explain(error, None) or error from None
        finally:
            os.close(directory)


def judge(file: BinaryIO, name: str, largest_bytes: int) -> int:
    """Return how many bytes the members of an archive have; `Hostile` if they are not to be written."""
    archive_bytes = os.fstat(file.fileno()).st_size
    limit_bytes = min(largest_bytes, max(_HARMLESS_BYTES, _GREATEST_RATIO * archive_bytes))
    files: set[str] = set()
    directories: set[str] = set()
    total_bytes = 0
    for count, member in enumerate(read_members(file), 1):
        _check(member)
        total_bytes += member.size_bytes
        if total_bytes > limit_bytes or count > _MOST_MEMBERS:
            raise Hostile(f"it has more than {limit_bytes} bytes or {_MOST_MEMBERS} members, as a bomb does")
        if sum(map(len, _read_pieces(member))) != member.size_bytes and member.stream:
            raise Hostile(f'"{member.name}" in it is cut')
        if member.stream:
            if member.name in files or member.name == name:
                raise Hostile(f'"{member.name}" is in it twice, or is its own name')
            files.add(member.name)
        directories.update(_list_parents(member.name))
    if both := files & directories:
        raise Hostile(f'"{min(both)}" in it is a file and a directory')
    return total_bytes


def _check(member: Member) -> None:
    if member.oddity:
        raise Hostile(f'"{member.name}" in it is {member.oddity}')
    if member.name or member.stream:
        try:
            check_name(member.name)
        except Refused as refused:
            raise Hostile(refused.reason) from None


def _write(member: Member, directory: int, archive: Path) -> Product:
    """Write a member, as every file is: ``.part``, synced, renamed."""
    _check(member)
    with Place(directory, member.name, is_made=True) as place:
        place.read_size()  # refuses what is no regular file
        part = place.open_part()
        if part is None:
            raise Refused(f"{member.name} is being written by another process")
        try:
            digest = f"sha256:{_fill(part, member)}"
            return Product(str(archive.parent / member.name), member.size_bytes, digest, str(archive))
        finally:
            part.close()


def _fill(part: Part, member: Member) -> str:
    """Write all bytes and give them their name; return their SHA-256."""
    part.truncate(0)
    digest = hashlib.sha256()
    for piece in _read_pieces(member):
        write_all(part.descriptor, piece)
        digest.update(piece)
    part.finish(member.modified_at)
    return digest.hexdigest()


def _read_pieces(member: Member) -> Iterator[bytes]:
    while piece := member.read(_PIECE_BYTES):
        yield piece


def _list_parents(name: str) -> Iterator[str]:
    while name := name.rpartition("/")[0]:
        yield name


def _open(path: Path) -> BinaryIO:
    return open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb")


def _put_aside(path: Path) -> str:
    """Give an archive a name under which nobody takes it for good; return that."""
    short = os.fsencode(path.name)[: _LONGEST_NAME_BYTES - len(ASIDE)].decode(errors="ignore")
    aside = path.with_name(short + ASIDE)
    path.rename(aside)
    return aside.name
