"""What the errands of one call of fetch share: where files go, what is recorded, which hosts are down."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from pathlib import Path

from runner.archive.fetch.address import show_url
from runner.archive.fetch.disk import Disk
from runner.archive.fetch.manifest import Manifest, Record
from runner.archive.fetch.names import check_name
from runner.archive.fetch.options import Options
from runner.archive.fetch.pool import Pool
from runner.archive.fetch.results import FAILED, Result, Summary
from runner.archive.fetch.retry import CALLS_DAMAGED
from runner.archive.fetch.source import Refused, Remote
from runner.archive.fetch.transfer import Terms, Whole
from runner.archive.settings import Fetch
from runner.errors import clean
from runner.home.product import Maker, Product, record_note, record_product
from runner.launch.instant import format_instant
from runner.launch.process import read_boot_id

# After so many files in a row that a host did not answer for it is down. One that never answered has the first already.
_STRIKES = 2
_UNTOLD = "what this run has made is not in the journal"


class Call:
    """One call.

    Attributes
    ----------
    directory
        The descriptor of the destination.
    summary
        What was done so far.
    """

    def __init__(self, path: Path, directory: int, options: Options, fetch: Fetch, maker: Maker | None) -> None:
        self.directory = directory
        self.options = options
        self.fetch = fetch
        self.manifest = Manifest(directory)
        self.pool = Pool(fetch.connections, fetch.per_host)
        self.terms = Terms(fetch, Disk(path), self.pool.stop, options.watch.move)
        self.boot_id = read_boot_id()
        self.summary = Summary()
        self._path = path
        self._maker = maker
        self._mutex = threading.Lock()
        self._urls: dict[str, str] = {}
        self._strikes: dict[str, int] = {}

    def claim(self, remote: Remote) -> bool:
        """Return whether a file is to be brought, and no errand of this call does that already.

        Raises
        ------
        Refused
            Its name leads out of the destination, or is that of another file.
        """
        with self._mutex:
            other = self._urls.get(remote.name)
            self._urls.setdefault(remote.name, remote.url)
        if other == remote.url:
            return False
        if other is not None:
            raise Refused(f"{show_url(other)} has the same name", is_permanent=True)
        check_name(remote.name)
        self.options.watch.expect(remote)
        return True

    def settle(self, source: str, remote: Remote, result: str, whole: Whole) -> Result:
        """Do and record what is due when a file is here, whole; return what became of it."""
        path = self._path / remote.name
        url = show_url(remote.url)
        made = self.options.act(path) or ()
        self._record_products([Product(str(path), whole.size_bytes, f"sha256:{whole.sha256}", url), *made])
        self.record(
            Record(
                url=url,
                name=remote.name,
                result=result,
                size_bytes=whole.size_bytes,
                sha256=whole.sha256,
                checksum=whole.checksum,
                version=whole.version,
                fetched_at=format_instant(time.time()),
                run_id=self._run_id,
            )
        )
        return Result(source, url, remote.name, result, whole.size_bytes, whole.sha256)

    def fail(self, source: str, remote: Remote, refused: Refused, calls: int = 0) -> Result:
        """Record that a file could not be had, once however often it is so; return what became of it."""
        reason = clean(refused.reason)
        is_permanent = refused.is_permanent or calls >= CALLS_DAMAGED
        record = Record(
            url=show_url(remote.url),
            name=remote.name,
            result=FAILED,
            checksum=remote.checksum,
            version=remote.version,
            fetched_at=format_instant(time.time()),
            run_id=self._run_id,
            reason=reason,
            is_permanent=is_permanent,
            calls=calls,
            announced_bytes=remote.size_bytes,
        )
        if not record.says_the_same(self.manifest.find_failed(remote.name)):
            self.record(record)
        return Result(
            source, record.url, remote.name, FAILED, reason=reason, is_permanent=is_permanent, is_down=refused.is_down
        )

    def record(self, record: Record) -> None:
        """Append a line to the manifest; that it cannot be is said once, and costs no file."""
        try:
            self.manifest.append(record)
        except OSError as error:
            self._warn(f"the manifest is not whole: {error.strerror}")

    def finish(self, result: Result) -> None:
        """Enter what became of a file."""
        with self._mutex:
            self.summary.results.append(result)
        self.options.watch.finish(result)

    def record_sources(self) -> None:
        """Record with the run what became of each source (ARCH-11)."""
        if not self._maker:
            return
        try:
            for line in self.summary.describe_sources():
                record_note(self._maker, f"fetch {line}")
        except OSError as error:
            self._warn(f"{_UNTOLD}: {error}")

    def count_answer(self, host: str, *, is_down: bool) -> None:
        """Note whether a host answered for a file."""
        with self._mutex:
            self._strikes[host] = self._strikes.get(host, 1) + 1 if is_down else 0

    def is_down(self, host: str) -> bool:
        """Whether it is of no use to ask a host for another file in this call."""
        return self._strikes.get(host, 0) >= _STRIKES

    def _record_products(self, products: Iterable[Product]) -> None:
        if not self._maker:
            return
        try:
            for product in products:
                record_product(self._maker, product)
        except OSError as error:
            self._warn(f"{_UNTOLD}: {error}")

    @property
    def _run_id(self) -> str:
        return self._maker.run_id if self._maker else ""

    def _warn(self, warning: str) -> None:
        with self._mutex:
            if warning not in self.summary.warnings:
                self.summary.warnings.append(warning)
