"""One attempt to bring one file into its ``.part``: resumed, digested, verified (ARCH-1 to ARCH-5)."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

from runner.archive.fetch.digests import Digests
from runner.archive.fetch.disk import Disk
from runner.archive.fetch.place import Part
from runner.archive.fetch.retry import Cut, Damaged
from runner.archive.fetch.source import Body, Refused, Remote, Source
from runner.archive.settings import Fetch
from runner.launch.state import write_all

# Read, digested and written at once; each thread has one (PERF-8).
_BUFFER_BYTES = 1 << 20
# What a slow source has sent in this time is written, full buffer or not.
_FLUSH_S = 0.5


class Stopped(Exception):
    """The call is to end; what has come is kept."""


@dataclass(frozen=True, slots=True)
class Whole:
    """What is known of a file that has come, whole.

    Attributes
    ----------
    size_bytes, sha256
        Of its bytes.
    checksum, version
        As the source says it.
    """

    size_bytes: int
    sha256: str
    checksum: str | None
    version: str


@dataclass(frozen=True, slots=True)
class Terms:
    """What all transfers of a call have in common.

    Attributes
    ----------
    fetch
        The settings.
    disk
        Where it goes.
    stop
        Set when the call is to end.
    moved
        Told of bytes that have come.
    """

    fetch: Fetch
    disk: Disk
    stop: threading.Event
    moved: Callable[[int], None]


class Transfer:
    """An attempt.

    Attributes
    ----------
    reached_bytes
        How many bytes there were at the most.
    """

    def __init__(self, remote: Remote, source: Source, part: Part, terms: Terms) -> None:
        self._remote = remote
        self._source = source
        self._part = part
        self._terms = terms
        self._read_s = 0.0
        self._read_bytes = 0
        self._cut: Refused | None = None
        self.reached_bytes = part.read_size()

    def run(self, offset: int, version: str, begin: Callable[[Body], None]) -> Whole:
        """Bring the file under its final name, the first `offset` bytes of `version` being there.

        `begin` is told when all bytes come from the beginning, before the first is written.

        Raises
        ------
        Refused
            It does not come, or not as it was announced; what is good of it is kept.
        """
        try:
            if offset and offset == self._remote.size_bytes:  # killed before the rename
                return self._conclude(self._digest_part(offset, [self._remote.checksum]), offset, None, version)
            with closing(self._source.open(self._remote, offset, version)) as body:
                return self._receive(body, offset, begin)
        finally:
            self._terms.disk.release(self._remote.name)

    def _receive(self, body: Body, offset: int, begin: Callable[[Body], None]) -> Whole:
        self._check(body, offset)
        self._terms.disk.reserve(self._remote.name, self._count_missing(body, body.offset) or 0)
        try:
            if body.offset == 0:
                self._part.truncate(0)
                begin(body)
            return self._bring(body)
        except OSError as error:
            missing_bytes = self._count_missing(body, self._part.read_size())
            raise self._terms.disk.explain(error, missing_bytes) or error from None

    def _check(self, body: Body, offset: int) -> None:
        announced, size = self._remote.size_bytes, body.size_bytes
        if announced is not None and size is not None and announced != size:
            raise Damaged(f"it has {size} bytes, and {announced} were announced")
        if body.offset not in (0, offset):
            raise Refused(f"the answer begins at byte {body.offset}, not at {offset}")
        self._check_largest(size or announced or 0)

    def _check_largest(self, size_bytes: int) -> None:
        if size_bytes > self._terms.fetch.largest:
            raise Refused(f"it is larger than fetch.largest, {self._terms.fetch.largest} bytes", is_permanent=True)

    def _count_missing(self, body: Body, reached_bytes: int) -> int | None:
        total = self._remote.size_bytes if body.size_bytes is None else body.size_bytes
        return None if total is None else max(total - reached_bytes, 0)

    def _bring(self, body: Body) -> Whole:
        position = body.offset
        if position == 0 and body.clone(self._part.descriptor):
            position = self._part.read_size()
        digests = self._digest_part(position, [self._remote.checksum, body.checksum])
        position = self._pump(body, digests, position)
        if missing_bytes := self._count_missing(body, position):
            raise Cut(f"it ended {missing_bytes} bytes before its end")
        return self._conclude(digests, position, body, body.version)

    def _digest_part(self, size_bytes: int, checksums: list[str | None]) -> Digests:
        """Return the digests of what is there; what comes is written behind it."""
        digests = Digests(checksums)
        digest_file(self._part.descriptor, size_bytes, digests, self._terms.stop)
        os.lseek(self._part.descriptor, size_bytes, os.SEEK_SET)
        return digests

    def _pump(self, body: Body, digests: Digests, position: int) -> int:
        """Write what comes; return how many bytes there are."""
        buffer = get_buffer()
        while count := self._fill(body, buffer):
            piece = buffer[:count]
            digests.update(piece)
            write_all(self._part.descriptor, piece)
            # The disk begins with it now, and has little left to do when the file is whole: POSIX_FADV_DONTNEED starts
            # to write what is dirty, and keeps it in memory (mm/fadvise.c).
            os.posix_fadvise(self._part.descriptor, position, count, os.POSIX_FADV_DONTNEED)
            position += count
            self.reached_bytes = max(self.reached_bytes, position)
            self._check_largest(position)
            self._terms.disk.note(self._remote.name, self._count_missing(body, position) or 0)
            self._terms.moved(count)
        return position

    def _fill(self, body: Body, buffer: memoryview) -> int:
        """Return how many bytes have come: as many as `buffer` takes, or less from a slow source; 0 at the end."""
        if self._cut:
            raise self._cut
        count, begun_s = 0, time.monotonic()
        while count < len(buffer):
            if self._terms.stop.is_set():
                raise Stopped
            before_s = time.monotonic()
            try:
                more = body.readinto(buffer[count:])
            except Refused as refused:  # what came before it is good
                self._cut = refused if refused.is_permanent else Cut(refused.reason)
                break
            now_s = time.monotonic()
            count += more
            self._cut = self._find_slow(more, now_s - before_s)
            if not more or self._cut or now_s - begun_s > _FLUSH_S:
                break
        if self._cut and not count:
            raise self._cut
        return count

    def _find_slow(self, count: int, took_s: float) -> Cut | None:
        """Return what to say of a source that has sent too little over one timeout; the disk's time is not counted."""
        self._read_bytes += count
        self._read_s += took_s
        fetch = self._terms.fetch
        if self._read_s < fetch.timeout:
            return None
        pace = self._read_bytes / self._read_s
        self._read_s, self._read_bytes = 0.0, 0
        return Cut(f"too slow: {pace:.0f} bytes a second") if pace < fetch.slowest else None

    def _conclude(self, digests: Digests, size_bytes: int, body: Body | None, version: str) -> Whole:
        """Verify what has come and give it its final name; what is not right is thrown away."""
        wrong = digests.find_wrong()
        total = self._remote.size_bytes if body is None or body.size_bytes is None else body.size_bytes
        if total is not None and size_bytes > total:
            wrong = f"{size_bytes} bytes came, and {total} were announced"
        if wrong:
            self._part.truncate(0)
            raise Damaged(wrong)
        self._part.finish(body.modified_at if body else None)
        checksum = self._remote.checksum or (body.checksum if body else None)
        return Whole(size_bytes, digests.sha256, checksum, version)


_of_thread = threading.local()


def get_buffer() -> memoryview:
    """Return the buffer of this thread."""
    try:
        buffer: memoryview = _of_thread.buffer
    except AttributeError:
        buffer = _of_thread.buffer = memoryview(bytearray(_BUFFER_BYTES))
    return buffer


def digest_file(descriptor: int, size_bytes: int, digests: Digests, stop: threading.Event) -> None:
    """Read the first bytes of a file into `digests`; `Refused` if they are not there any more."""
    buffer, position = get_buffer(), 0
    while position < size_bytes:
        if stop.is_set():
            raise Stopped
        count = os.preadv(descriptor, [buffer[: size_bytes - position]], position)
        if not count:
            raise Refused("the file here was cut while it was read")
        digests.update(buffer[:count])
        position += count
