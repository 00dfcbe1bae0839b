"""The two kinds of errands: to list a source, and to bring a file; each may be called again later (ARCH-4)."""

from __future__ import annotations

import random
from contextlib import closing
from dataclasses import replace

from runner.archive.fetch.address import show_url
from runner.archive.fetch.call import Call
from runner.archive.fetch.digests import Digests
from runner.archive.fetch.look import Deed, choose_deed, choose_offset
from runner.archive.fetch.manifest import BEGUN, Record
from runner.archive.fetch.place import Part, Place
from runner.archive.fetch.results import FAILED, FETCHED, PRESENT, Result
from runner.archive.fetch.retry import Tries, choose_wait, count_calls, count_try
from runner.archive.fetch.source import Body, Refused, Remote, Source
from runner.archive.fetch.transfer import Stopped, Transfer, Whole, digest_file
from runner.errors import clean

# How often one looks whether another process has done with a file.
_BUSY_S = 0.2


class Listing:
    """List a source, and add an errand for each of its files."""

    def __init__(self, call: Call, text: str, source: Source) -> None:
        self._call = call
        self._text = text
        self._source = source
        self._tries = Tries()

    def __call__(self) -> float | None:
        """List it; return after how long to try again."""
        try:
            for remote in self._call.options.choose(self._source.list()):
                self._take(remote)
        except Refused as refused:
            return self._meet(refused)
        return None

    def _take(self, remote: Remote) -> None:
        call = self._call
        if call.pool.stop.is_set():
            raise Stopped
        try:
            if call.claim(remote):
                call.pool.add(remote.host, Bringing(call, self._text, self._source, remote))
        except Refused as refused:
            # The name of such a file may be no text.
            names = (self._text, show_url(remote.url), clean(remote.name))
            call.finish(Result(*names, FAILED, reason=refused.reason, is_permanent=True))

    def _meet(self, refused: Refused) -> float | None:
        self._tries = count_try(self._tries, refused, 0)
        wait_s = choose_wait(self._call.fetch, self._tries, refused, random.random())
        if wait_s is None:
            self._call.finish(
                Result(
                    source=self._text,
                    url=self._text,
                    name="",
                    result=FAILED,
                    reason=refused.reason,
                    is_permanent=refused.is_permanent,
                    is_down=refused.is_down,
                )
            )
        return wait_s


class Bringing:
    """Bring one file, unless it is here."""

    def __init__(self, call: Call, text: str, source: Source, remote: Remote) -> None:
        self._call = call
        self._text = text
        self._source = source
        self._remote = remote
        self._tries = Tries()
        self._reached_bytes = 0

    def __call__(self) -> float | None:
        """Bring it; return after how long to try again."""
        call = self._call
        try:
            result = self._attempt()
        except Refused as refused:
            return self._meet(refused)
        except OSError as error:  # of this machine: a source makes a `Refused` of its own
            result = call.fail(self._text, self._remote, Refused(f"{error.strerror} ({self._remote.name})"))
        if result is None:
            return _BUSY_S
        call.finish(result)
        return None

    def _attempt(self) -> Result | None:
        """Return what became of it, None if another process is about to bring it."""
        call = self._call
        with Place(call.directory, self._remote.name, is_made=True) as place:
            call.manifest.refresh()
            size_bytes, known = place.read_size(), call.manifest.find_whole(self._remote.name)
            if result := self._find_present(place, size_bytes, known):
                return result
            part = place.open_part()
            if part is None:
                return None
            with closing(part):
                # Another may have brought it meanwhile: it stands there first, and is recorded then.
                call.manifest.refresh()
                now_bytes, now_known = place.read_size(), call.manifest.find_whole(self._remote.name)
                has_come = now_known is not known or now_bytes != size_bytes
                if has_come and (result := self._find_present(place, now_bytes, now_known)):
                    part.remove()
                    return result
                return self._transfer(part)

    def _transfer(self, part: Part) -> Result:
        call, remote = self._call, self._remote
        if not self._tries.total:
            self._tries = replace(self._tries, reached_bytes=part.read_size())
        self._check_host()
        begun = call.manifest.find_begun(remote.name)
        offset = choose_offset(remote, begun, part.read_size(), call.boot_id)
        transfer = Transfer(remote, self._source, part, call.terms)
        try:
            whole = transfer.run(offset, begun.version if begun and offset else "", self._begin)
        except BaseException:
            if not part.read_size():
                part.remove()
            raise
        finally:
            self._reached_bytes = transfer.reached_bytes
        call.count_answer(remote.host, is_down=False)
        return call.settle(self._text, remote, FETCHED, whole)

    def _begin(self, body: Body) -> None:
        """Record what the ``.part`` will be part of, before its first byte is written."""
        remote = self._remote
        record = Record(
            url=show_url(remote.url),
            name=remote.name,
            result=BEGUN,
            checksum=remote.checksum or body.checksum,
            version=body.version,
            boot_id=self._call.boot_id,
        )
        if record != self._call.manifest.find_begun(remote.name):
            self._call.manifest.append(record)

    def _find_present(self, place: Place, size_bytes: int | None, whole: Record | None) -> Result | None:
        """Return the result of a file that needs not be brought; one of `size_bytes` stands there, or none."""
        call, remote = self._call, self._remote
        failed = None if call.options.retry_failed else call.manifest.find_failed(remote.name)
        deed = choose_deed(remote, size_bytes, whole, failed)
        if deed is Deed.LEAVE and failed:
            return Result(self._text, failed.url, remote.name, FAILED, reason=failed.reason, is_permanent=True)
        if deed is Deed.ADOPT and size_bytes is not None:
            return self._adopt(place, size_bytes)
        is_there = deed is Deed.PRESENT or (deed is Deed.ASK and whole and self._is_unchanged(whole))
        if not whole or not is_there or (call.options.verify and not self._verify(place, whole)):
            return None
        return Result(self._text, whole.url, remote.name, PRESENT, whole.size_bytes, whole.sha256)

    def _is_unchanged(self, whole: Record) -> bool:
        """Ask the source for what would follow the file that is here: nothing, if it is as it was."""
        size_bytes = whole.size_bytes or 0
        self._check_host()
        with closing(self._source.open(self._remote, size_bytes, whole.version)) as body:
            self._call.count_answer(self._remote.host, is_down=False)
            is_same = (body.offset and body.offset == size_bytes) or body.version == whole.version
            return bool(is_same) and body.size_bytes in (size_bytes, None if whole.version else size_bytes)

    def _check_host(self) -> None:
        """Raise `Refused` where it is of no use to ask; what is here may be whole all the same."""
        host = self._remote.host
        if self._call.is_down(host):
            raise Refused(f"{host} does not answer", is_down=True)

    def _verify(self, place: Place, whole: Record) -> bool:
        return self._digest(place, whole.size_bytes or 0, []).sha256 == whole.sha256

    def _adopt(self, place: Place, size_bytes: int) -> Result | None:
        """Take for fetched what somebody else has put here, if it is what the source has as far as that says."""
        announced, checksums, version = self._remote.size_bytes, [self._remote.checksum], self._remote.version
        if announced is None:
            self._check_host()
            with closing(self._source.open(self._remote, 0, "")) as body:
                announced, version = body.size_bytes, body.version
                checksums.append(body.checksum)
        if announced != size_bytes:
            return None
        digests = self._digest(place, size_bytes, checksums)
        if digests.find_wrong():
            return None
        checksum = next((one for one in checksums if one), None)
        whole = Whole(size_bytes, digests.sha256, checksum, version)
        return self._call.settle(self._text, self._remote, PRESENT, whole)

    def _digest(self, place: Place, size_bytes: int, checksums: list[str | None]) -> Digests:
        digests = Digests(checksums)
        with place.open() as file:
            digest_file(file.fileno(), size_bytes, digests, self._call.pool.stop)
        return digests

    def _meet(self, refused: Refused) -> float | None:
        """Return after how long to try again, or enter the failure."""
        call, remote = self._call, self._remote
        is_asked = not call.is_down(remote.host)
        self._tries = count_try(self._tries, refused, self._reached_bytes)
        if refused.retry_after_s:
            call.pool.hold(remote.host, min(refused.retry_after_s, call.fetch.longest_wait))
        wait_s = choose_wait(call.fetch, self._tries, refused, random.random()) if is_asked else None
        if wait_s is None:
            call.count_answer(remote.host, is_down=refused.is_down)
            before = call.manifest.find_failed(remote.name)
            calls = count_calls(before.calls if before else 0, self._tries, refused)
            call.finish(call.fail(self._text, remote, refused, calls))
        return wait_s
