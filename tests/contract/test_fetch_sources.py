"""One promise of every source, whatever its scheme: what it lists comes whole, and once (ARCH-1, ARCH-2, ARCH-6)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from fetching import fetch, list_files, make_archive
from nginx import Nginx

from runner.archive.fetch.options import Options
from runner.archive.fetch.results import FAILED, FETCHED, PRESENT
from runner.archive.fetch.source import Refused, Remote, Source
from runner.archive.fetch.sources.open import Opener


@dataclass(frozen=True, slots=True)
class Shop:
    """A source of some kind.

    Attributes
    ----------
    files
        The directory that it shows.
    text
        What names it.
    """

    files: Path
    make_text: Callable[[], str]

    @property
    def text(self) -> str:
        return self.make_text()

    def put(self, **files: bytes) -> None:
        for name, data in files.items():
            (self.files / f"{name}.fits").write_bytes(data)


def _make_file(directory: Path, _: Nginx) -> Shop:
    files = directory / "files"
    files.mkdir()
    return Shop(files, lambda: f"file:{files}")


def _make_http(_: Path, nginx: Nginx) -> Shop:
    return Shop(nginx.files, lambda: f"{nginx.url}/range/")


def _make_list(directory: Path, nginx: Nginx) -> Shop:
    def write() -> str:
        lines = (f"{nginx.url}/range/{path.name}" for path in sorted(nginx.files.iterdir()))
        (directory / "urls").write_text("\n".join(lines))
        return f"@{directory}/urls"

    return Shop(nginx.files, write)


def _make_table(directory: Path, nginx: Nginx) -> Shop:
    def write() -> str:
        rows = (f"{path.name},{path.stat().st_size}" for path in sorted(nginx.files.glob("*.fits")))
        (nginx.files / "products.csv").write_text("\n".join(["name,size", *rows]))
        return f"list:{nginx.url}/range/products.csv"

    return Shop(nginx.files, write)


_KINDS = {"file": _make_file, "http": _make_http, "list": _make_list, "table": _make_table}


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    server = Nginx(tmp_path_factory.mktemp("nginx"))
    yield server
    server.stop()


@pytest.fixture(params=_KINDS)
def shop(request: pytest.FixtureRequest, tmp_path: Path, nginx: Nginx) -> Iterator[Shop]:
    shop = _KINDS[request.param](tmp_path, nginx)
    yield shop
    for path in shop.files.iterdir():
        path.unlink()


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def opener() -> Iterator[Opener]:
    with Opener(make_archive(), None) as opener:
        yield opener


def read(source: Source, remote: Remote, offset: int, version: str) -> tuple[bytes, int, str]:
    """Return all bytes from an offset on, where they begin in truth, and the version."""
    data, buffer = bytearray(), memoryview(bytearray(1000))
    with closing(source.open(remote, offset, version)) as body:
        while count := body.readinto(buffer):
            data += buffer[:count]
        assert body.readinto(buffer) == 0
        return bytes(data), body.offset, body.version


def test_a_source_lists_its_files_each_with_an_address_of_its_own(shop: Shop, opener: Opener) -> None:
    shop.put(a=b"1", b=b"22")
    remotes = {remote.name: remote for remote in opener.open(shop.text).list()}
    assert {*remotes} == {"a.fits", "b.fits"}
    assert remotes["a.fits"].url != remotes["b.fits"].url
    assert all(remote.size_bytes in (None, len(name) - 5) for name, remote in remotes.items() if name == "a.fits")


def test_a_file_is_read_from_any_byte_on(shop: Shop, opener: Opener) -> None:
    shop.put(a=b"0123456789")
    source = opener.open(shop.text)
    (remote,) = source.list()
    whole, offset, version = read(source, remote, 0, "")
    assert (whole, offset) == (b"0123456789", 0)
    assert read(source, remote, 4, version) == (b"456789", 4, version)
    assert read(source, remote, 10, version) == (b"", 10, version)


def test_a_file_that_has_changed_is_read_from_its_beginning(shop: Shop, opener: Opener) -> None:
    shop.put(a=b"0123456789")
    source = opener.open(shop.text)
    (remote,) = source.list()
    version = read(source, remote, 0, "")[2]
    shop.put(a=b"abcdefghijklm")
    assert read(source, remote, 4, version)[:2] == (b"abcdefghijklm", 0)


def test_a_file_that_has_vanished_is_refused_for_good(shop: Shop, opener: Opener) -> None:
    shop.put(a=b"0123456789")
    source = opener.open(shop.text)
    (remote,) = source.list()
    (shop.files / "a.fits").unlink()
    with pytest.raises(Refused) as caught:
        source.open(remote, 0, "")
    assert (caught.value.is_permanent, caught.value.is_down) == (True, False)


def test_what_a_source_has_is_fetched_once(shop: Shop, out: Path) -> None:
    shop.put(a=b"a" * 3_000_000, b=b"", c=b"c")
    first, second = fetch(shop.text, out), fetch(shop.text, out)
    assert (first.counts, second.counts) == ({FETCHED: 3}, {PRESENT: 3})
    assert list_files(out) == {"a.fits": b"a" * 3_000_000, "b.fits": b"", "c.fits": b"c"}


def test_only_what_is_new_or_has_changed_is_fetched(shop: Shop, out: Path) -> None:
    shop.put(a=b"a", b=b"b")
    fetch(shop.text, out)
    shop.put(b=b"changed", c=b"new")
    assert fetch(shop.text, out).counts == {FETCHED: 2, PRESENT: 1}
    assert list_files(out) == {"a.fits": b"a", "b.fits": b"changed", "c.fits": b"new"}


def test_a_file_that_somebody_else_put_there_is_taken_if_it_is_whole(shop: Shop, out: Path) -> None:
    shop.put(a=b"0123456789", b=b"0123456789")
    out.mkdir()
    (out / "a.fits").write_bytes(b"0123456789")
    (out / "b.fits").write_bytes(b"01234")
    summary = fetch(shop.text, out)
    assert {one.name: one.result for one in summary.results} == {"a.fits": PRESENT, "b.fits": FETCHED}
    assert list_files(out) == {"a.fits": b"0123456789", "b.fits": b"0123456789"}


def test_verify_finds_what_has_changed_here(shop: Shop, out: Path) -> None:
    """ARCH-6."""
    shop.put(a=b"0123456789")
    fetch(shop.text, out)
    (out / "a.fits").write_bytes(b"012345678x")
    assert fetch(shop.text, out).counts == {PRESENT: 1}
    assert fetch(shop.text, out, Options(verify=True)).counts == {FETCHED: 1}
    assert list_files(out) == {"a.fits": b"0123456789"}


def test_a_source_with_nothing_in_it_is_no_trouble(shop: Shop, out: Path) -> None:
    assert fetch(shop.text, out).results == []


def test_a_link_below_the_destination_is_not_written_through(shop: Shop, out: Path, tmp_path: Path) -> None:
    """ARCH-12, SEC-6."""
    shop.put(a=b"a", b=b"b")
    precious = tmp_path / "precious"
    precious.write_text("precious")
    out.mkdir()
    (out / "a.fits").symlink_to(precious)
    (out / "b.fits.part").symlink_to(precious)
    summary = fetch(shop.text, out)
    assert {(one.result, one.is_permanent) for one in summary.results} == {(FAILED, True)}
    assert precious.read_text() == "precious"
