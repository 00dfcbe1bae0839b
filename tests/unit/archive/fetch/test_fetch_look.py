"""ARCH-2, ARCH-6, ARCH-11: what is to be done with a file, after what is here and what is recorded."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runner.archive.fetch.look import Deed, choose_deed, choose_offset
from runner.archive.fetch.manifest import BEGUN, Record
from runner.archive.fetch.results import FAILED, FETCHED
from runner.archive.fetch.source import Remote

URL = "https://h/a.fits"
REMOTE = Remote(URL, "a.fits", "h", 100, None, "v1")
SILENT = Remote(URL, "a.fits", "h")
WHOLE = Record(URL, "a.fits", FETCHED, 100, "0" * 64, None, "v1")
FAILURE = Record(URL, "a.fits", FAILED, version="v1", is_permanent=True, announced_bytes=100)
BEGUN_1 = Record(URL, "a.fits", BEGUN, version="v1", boot_id="boot")
MD5, OTHER_MD5 = "md5:" + "0" * 32, "md5:" + "1" * 32
SUM, OTHER_SUM = "sha256:" + "0" * 64, "sha256:" + "1" * 64


@pytest.mark.parametrize(
    ("remote", "size", "whole", "deed"),
    [
        pytest.param(REMOTE, None, None, Deed.FETCH, id="it is not here"),
        pytest.param(REMOTE, None, WHOLE, Deed.FETCH, id="it is not here any more"),
        pytest.param(REMOTE, 100, WHOLE, Deed.PRESENT, id="it is here"),
        pytest.param(replace(REMOTE, version=""), 100, WHOLE, Deed.PRESENT, id="its size is as it was"),
        pytest.param(replace(REMOTE, size_bytes=101), 100, WHOLE, Deed.FETCH, id="its size has changed there"),
        pytest.param(replace(REMOTE, version="v2"), 100, WHOLE, Deed.FETCH, id="its version has changed there"),
        pytest.param(replace(REMOTE, checksum=OTHER_SUM), 100, WHOLE, Deed.FETCH, id="its digest has changed there"),
        pytest.param(replace(REMOTE, checksum=SUM), 100, WHOLE, Deed.PRESENT, id="its digest is the same"),
        pytest.param(REMOTE, 99, WHOLE, Deed.FETCH, id="it was cut here"),
        pytest.param(SILENT, 100, WHOLE, Deed.ASK, id="the list says nothing of it"),
        pytest.param(SILENT, 99, WHOLE, Deed.ADOPT, id="it has changed here"),
        pytest.param(REMOTE, 100, None, Deed.ADOPT, id="somebody else put it here"),
        pytest.param(REMOTE, 99, None, Deed.FETCH, id="somebody put a part of it here"),
        pytest.param(replace(REMOTE, url="https://i/a"), 100, WHOLE, Deed.FETCH, id="it is of another address"),
        pytest.param(
            replace(REMOTE, url="https://i/a", checksum=SUM), 100, WHOLE, Deed.ADOPT, id="of another, its digest said"
        ),
    ],
)
def test_what_is_to_be_done(remote: Remote, size: int | None, whole: Record | None, deed: Deed) -> None:
    assert choose_deed(remote, size, whole, None) is deed


def test_what_failed_for_good_is_left_until_the_source_changes() -> None:
    changed = [replace(REMOTE, size_bytes=7), replace(REMOTE, version="v2"), replace(REMOTE, checksum=MD5)]
    assert choose_deed(REMOTE, None, None, FAILURE) is Deed.LEAVE
    assert {choose_deed(one, None, None, FAILURE) for one in changed} == {Deed.FETCH}
    assert choose_deed(REMOTE, None, None, replace(FAILURE, is_permanent=False)) is Deed.FETCH


@pytest.mark.parametrize(
    ("remote", "begun", "offset"),
    [
        pytest.param(REMOTE, BEGUN_1, 60, id="the same version"),
        pytest.param(SILENT, BEGUN_1, 60, id="a source that says nothing is asked"),
        pytest.param(REMOTE, None, 0, id="nobody knows of what it is"),
        pytest.param(replace(REMOTE, version="v2"), BEGUN_1, 0, id="another version"),
        pytest.param(replace(REMOTE, url="https://i/a"), BEGUN_1, 0, id="another address"),
        pytest.param(replace(REMOTE, size_bytes=59), BEGUN_1, 0, id="more than all of it"),
        pytest.param(SILENT, replace(BEGUN_1, version=""), 0, id="no version"),
        pytest.param(SILENT, replace(BEGUN_1, version="", checksum=MD5), 60, id="no version but a checksum"),
        pytest.param(replace(REMOTE, checksum=OTHER_MD5), replace(BEGUN_1, checksum=MD5), 0, id="another checksum"),
        pytest.param(REMOTE, replace(BEGUN_1, boot_id="before"), 0, id="written before a power loss"),
        pytest.param(REMOTE, replace(BEGUN_1, boot_id="before", checksum=MD5), 60, id="written before, but verified"),
    ],
)
def test_only_what_is_of_this_file_for_certain_is_gone_on_with(
    remote: Remote, begun: Record | None, offset: int
) -> None:
    assert choose_offset(remote, begun, 60, "boot") == offset
