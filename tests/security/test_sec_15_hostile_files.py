"""Archives that would leave the destination, or fill it: refused as a whole, and kept aside (SEC-15, ARCH-12)."""

from __future__ import annotations

import stat
import struct
import tarfile
import zlib
from pathlib import Path

import pytest
from packed import make_entry, make_tar, make_zip

from runner.archive.fetch.members import unpack_archive
from runner.archive.fetch.source import Refused

LARGE = 1 << 40
GOOD = make_entry("a.fits", b"photons")
HOSTILE_NAMES = ["../a", "x/../../a", "/etc/a", "a/./b", "a//b", "a\nb", "a\x1b[2J", "a\u202eb", "a\udcff", "x" * 300,
                 "a.part", ".manifest.jsonl", "..", "./../a"]  # fmt: skip


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory beside which there is something to lose."""
    (tmp_path / "a").write_bytes(b"precious")
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def _refuse(archive: Path, reason: str) -> None:
    """Assert that an archive is refused, and that nothing else has come of it."""
    with pytest.raises(Refused, match=reason) as refused:
        unpack_archive(archive, LARGE)
    assert refused.value.is_permanent
    assert refused.value.reason.isprintable()
    assert refused.value.reason.endswith(f"; kept as {archive.name}.refused")
    assert [path.name for path in archive.parent.iterdir()] == [f"{archive.name}.refused"]
    assert (archive.parent.parent / "a").read_bytes() == b"precious"


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_sec_15_a_member_that_leaves_the_destination_spoils_the_archive(place: Path, name: str) -> None:
    _refuse(make_tar(place / "x.tar", GOOD, make_entry(name, b"evil")), "is no name for a file here")


@pytest.mark.parametrize("name", [name for name in HOSTILE_NAMES if name.isprintable()])
def test_sec_15_so_does_one_of_a_zip(place: Path, name: str) -> None:
    _refuse(make_zip(place / "x.zip", {"a.fits": b"photons", name: b"evil"}), "is no name for a file here")


def test_sec_15_a_directory_that_leaves_the_destination_spoils_the_archive(place: Path) -> None:
    _refuse(make_tar(place / "x.tar", GOOD, make_entry("../x", type=tarfile.DIRTYPE)), "it has the part . or ..")


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        (tarfile.SYMTYPE, "a symbolic link"),
        (tarfile.LNKTYPE, "a hard link"),
        (tarfile.CHRTYPE, "a device"),
        (tarfile.BLKTYPE, "a device"),
        (tarfile.FIFOTYPE, "a fifo"),
        (b"Z", "a kind that is unknown"),
    ],
)
def test_sec_15_a_link_or_device_spoils_the_archive(place: Path, kind: bytes, what: str) -> None:
    odd = make_entry("odd", type=kind, linkname="a.fits", devmajor=1, devminor=3)
    _refuse(make_tar(place / "x.tar", GOOD, odd), f'"odd" in it is .*{what}')


@pytest.mark.parametrize(("mode", "what"), [(stat.S_IFLNK, "a symbolic link"), (stat.S_IFCHR, "a device")])
def test_sec_15_so_does_one_in_a_zip(place: Path, mode: int, what: str) -> None:
    _refuse(make_zip(place / "x.zip", {"odd": b"/etc/passwd"}, mode | 0o777), f'"odd" in it is {what}')


def test_sec_15_a_member_written_through_a_link_of_the_same_archive_is_not(place: Path) -> None:
    link = make_entry("x", type=tarfile.SYMTYPE, linkname="..")
    _refuse(make_tar(place / "x.tar", link, make_entry("x/a", b"evil")), '"x" in it is a symbolic link')


def test_sec_15_a_bomb_is_refused_before_it_is_unpacked(place: Path) -> None:
    _refuse(make_tar(place / "x.tar.gz", make_entry("a", bytes(120 << 20))), "as a bomb does")


def test_sec_15_so_is_one_of_members_that_are_small_each(place: Path) -> None:
    _refuse(make_zip(place / "x.zip", {str(n): bytes(12 << 20) for n in range(10)}), "as a bomb does")


def test_sec_15_what_is_larger_than_the_settings_allow_is_refused(place: Path) -> None:
    archive = make_tar(place / "x.tar", GOOD, make_entry("b", bytes(100)))
    with pytest.raises(Refused, match="it has more than 106 bytes"):
        unpack_archive(archive, 106)


def test_sec_15_a_header_that_would_fill_the_memory_is_not_read(place: Path) -> None:
    """A pax header is read whole: this one says that it has 4 GB, and its zeros would come out of 4 MB."""
    header = make_entry("x", type=tarfile.XHDTYPE)[0]
    header.size = 4 << 30
    packer = zlib.compressobj(wbits=31)
    (place / "x.tar.gz").write_bytes(
        packer.compress(header.tobuf(tarfile.GNU_FORMAT) + bytes(1 << 20)) + packer.flush()
    )
    _refuse(place / "x.tar.gz", "a header in it is too large")


def test_sec_15_a_directory_of_a_zip_that_would_fill_the_memory_is_not_read(place: Path) -> None:
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xF0000000, 0, 0)
    (place / "x.zip").write_bytes(b"PK\3\4" + bytes(100) + end)
    _refuse(place / "x.zip", "its directory is too large")


def test_sec_15_a_size_that_is_a_lie_is_found_out(place: Path) -> None:
    """The local header and the directory of this zip say 7 bytes of what is 1 MB."""
    data = make_zip(place / "x.zip", {"a": bytes(1 << 20)}).read_bytes()
    (place / "x.zip").write_bytes(data.replace(struct.pack("<L", 1 << 20), struct.pack("<L", 7)))
    _refuse(place / "x.zip", "it cannot be read")


@pytest.mark.parametrize("names", [("a", "a"), ("a", "a/b"), ("a/b", "a"), ("x.tar", "b")])
def test_sec_15_names_that_would_replace_one_another_are_refused(place: Path, names: tuple[str, str]) -> None:
    _refuse(make_tar(place / "x.tar", *(make_entry(name, b"x") for name in names)), "twice|a file and a directory")


def test_sec_15_a_planted_link_is_not_followed(place: Path) -> None:
    (place / "x").symlink_to(place.parent)
    (place / "y.fits").symlink_to(place.parent / "a")
    with pytest.raises(Refused, match="x is there, and is no directory"):
        unpack_archive(make_tar(place / "1.tar", make_entry("x/a", b"evil")), LARGE)
    with pytest.raises(Refused, match=r"y\.fits is there, and is no regular file"):
        unpack_archive(make_tar(place / "2.tar", make_entry("y.fits", b"evil")), LARGE)
    assert (place.parent / "a").read_bytes() == b"precious"


def test_sec_15_names_with_quotes_and_blanks_are_names(place: Path) -> None:
    names = ["a'b.fits", 'c"d.fits', "$(touch x)", "; rm -rf *", "-rf", "%s%n", "\\"]
    unpack_archive(make_tar(place / "x.tar", *(make_entry(name, b"x") for name in names)), LARGE)
    assert {path.name for path in place.iterdir()} == {"x.tar", *names}


def test_sec_15_an_encrypted_member_spoils_the_archive(place: Path) -> None:
    data = bytearray(make_zip(place / "x.zip", {"a": b"x"}).read_bytes())
    data[data.index(b"PK\1\2") + 8] |= 1
    (place / "x.zip").write_bytes(data)
    _refuse(place / "x.zip", '"a" in it is encrypted')


def test_sec_15_bits_and_rights_of_members_are_not_taken_over(place: Path) -> None:
    unpack_archive(make_tar(place / "x.tar", make_entry("a", b"#!/bin/sh", mode=0o6777, uid=0)), LARGE)
    assert (place / "a").stat().st_mode & 0o7111 == 0


def test_sec_15_what_follows_the_end_of_a_tar_is_not_overlooked(place: Path) -> None:
    archive = make_tar(place / "x.tar", GOOD)
    archive.write_bytes(archive.read_bytes()[:1024] + b"nonsense" * 64 + bytes(1024))
    _refuse(archive, "something stands in it where")
