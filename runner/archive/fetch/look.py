"""What is to be done with a file that a source has, after what is here and what is recorded: pure (ARCH-6, ARCH-11)."""

from __future__ import annotations

from enum import Enum

from runner.archive.fetch.address import show_url
from runner.archive.fetch.digests import is_other
from runner.archive.fetch.manifest import Record
from runner.archive.fetch.source import Remote


class Deed(Enum):
    """What is to be done with one file."""

    FETCH = "fetch"
    """It is not here, or is another one."""
    PRESENT = "present"
    """It is here, as it was recorded."""
    ASK = "ask"
    """It is here, as it was recorded; the list of the source does not say whether it has changed there."""
    ADOPT = "adopt"
    """A file of its size is here that nobody has recorded: it counts, if it has its checksum where there is one."""
    LEAVE = "leave"
    """It could not be had for good."""


def choose_deed(remote: Remote, size_bytes: int | None, whole: Record | None, failed: Record | None) -> Deed:
    """Return what is to be done.

    Parameters
    ----------
    size_bytes
        Of the file that is here; None if there is none.
    whole, failed
        What is recorded of the name; `failed` None where what failed is to be tried again.
    """
    if failed and failed.is_permanent and _is_as_it_was(remote, failed):
        return Deed.LEAVE
    if size_bytes is None or remote.size_bytes not in (None, size_bytes):
        return Deed.FETCH
    if whole is None or whole.size_bytes != size_bytes:
        return Deed.ADOPT
    if whole.url != show_url(remote.url):
        return Deed.ADOPT if remote.checksum else Deed.FETCH
    if is_changed(remote, whole):
        return Deed.FETCH
    says_nothing = remote.size_bytes is None and not remote.version and not remote.checksum
    return Deed.ASK if says_nothing else Deed.PRESENT


def choose_offset(remote: Remote, begun: Record | None, part_bytes: int, boot_id: str) -> int:
    """Return how many bytes of a ``.part`` are of this file for certain; what is not the whole of it is none (ARCH-2).

    Without a checksum they must be of the same version, and have been written since the machine was started.
    """
    if begun is None or begun.url != show_url(remote.url) or is_changed(remote, begun):
        return 0
    is_verified = bool(remote.checksum or begun.checksum)
    if not is_verified and (not begun.version or begun.boot_id != boot_id):
        return 0
    return part_bytes if remote.size_bytes is None or part_bytes <= remote.size_bytes else 0


def is_changed(remote: Remote, record: Record) -> bool:
    """Whether the source says of a file something else than when it was recorded."""
    is_other_version = bool(remote.version and record.version and remote.version != record.version)
    sha256 = f"sha256:{record.sha256}" if record.sha256 else None
    return is_other_version or is_other(remote.checksum, record.checksum) or is_other(remote.checksum, sha256)


def _is_as_it_was(remote: Remote, failed: Record) -> bool:
    was = (failed.url, failed.announced_bytes, failed.checksum, failed.version)
    return was == (show_url(remote.url), remote.size_bytes, remote.checksum, remote.version)
