"""What is read out of texts: schemes, lists, pages, checksums, addresses that are shown (ARCH-5, ARCH-10, ARCH-12)."""

from __future__ import annotations

import base64
import hashlib
from email.message import Message

import pytest

from runner.archive.fetch.address import name_after, show_url
from runner.archive.fetch.digests import Digests, choose_checksum, parse_checksum
from runner.archive.fetch.source import Refused
from runner.archive.fetch.sources.lines import Listed, parse_list
from runner.archive.fetch.sources.links import list_files
from runner.archive.fetch.sources.schemes import find_scheme
from runner.errors import UserError

SHA256 = hashlib.sha256(b"hello").hexdigest()
MD5 = hashlib.md5(b"hello")


@pytest.mark.parametrize(
    ("text", "scheme"),
    [
        ("https://h/a", "https"), ("HTTP://h/a", "http"), ("s3://b/p", "s3"), ("file:a", "file"), ("file:///a", "file"),
        ("list:a.csv", "list"), ("@a.csv", "list"), ("astroquery:obs_collection=HST", "astroquery"), ("a.fits", ""),
        ("night:2.fits", ""), ("2026-11-18T11:06:40.fits", ""), ("./list:a", ""), ("a:b://c", ""), ("c:/a", ""),
    ],
)  # fmt: skip
def test_a_colon_in_a_name_is_no_scheme(text: str, scheme: str) -> None:
    assert find_scheme(text) == scheme


def test_a_scheme_that_nobody_knows_is_named_with_a_near_one() -> None:
    with pytest.raises(UserError, match=r'nothing is fetched from htp://; did you mean "http"\?'):
        find_scheme("htp://h/a")


def test_a_list_names_a_source_a_line() -> None:
    assert list(parse_list("# of tonight\nhttps://h/a\r\n\n  b.fits \n")) == [
        Listed(2, "https://h/a"),
        Listed(4, "b.fits"),
    ]


def test_a_list_may_be_a_table_with_sizes_and_checksums() -> None:
    text = f'\ufeffName, size,SHA256\n"a,b.fits",5,{SHA256}\nc.fits,,\n'
    assert list(parse_list(text)) == [
        Listed(2, "a,b.fits", True, "a,b.fits", 5, f"sha256:{SHA256}"),
        Listed(3, "c.fits", True, "c.fits"),
    ]


def test_a_table_with_url_and_name_says_what_a_file_is_called_here() -> None:
    text = f"url,name,checksum\nhttps://h/get?id=7,a.fits,md5:{MD5.hexdigest()}\n"
    assert list(parse_list(text)) == [Listed(2, "https://h/get?id=7", False, "a.fits", None, f"md5:{MD5.hexdigest()}")]


@pytest.mark.parametrize(
    ("row", "reason"),
    [("a,many,", 'its size is "many"'), ("a,-5,", "its size is"), (",5,", "no url and no name"), ("a,,xyz", "no md5"),
     ('"a', "unexpected end of data"), ("x" * 200_000, "field larger")],
)  # fmt: skip
def test_a_row_that_is_none_is_named(row: str, reason: str) -> None:
    with pytest.raises(Refused, match=f"line 2: .*{reason}"):
        list(parse_list(f"name,size,md5\n{row}\n"))


@pytest.mark.parametrize(
    ("text", "checksum"),
    [
        (f"sha256:{SHA256.upper()}", f"sha256:{SHA256}"), (f"SHA-256:{SHA256}", f"sha256:{SHA256}"),
        (SHA256, f"sha256:{SHA256}"),
        ("0" * 32, "md5:" + "0" * 32), ("0" * 40, "sha1:" + "0" * 40), ("0" * 8, "crc32:" + "0" * 8), ("0" * 7, None),
        ("sha256:" + "0" * 32, None), ("x" * 32, None), ("", None), ("blake:" + "0" * 32, None),
    ],
)  # fmt: skip
def test_a_checksum_is_known_by_its_name_or_its_length(text: str, checksum: str | None) -> None:
    assert parse_checksum(text) == checksum


@pytest.mark.parametrize("name", ["sha256", "sha1", "md5", "crc32"])
def test_each_kind_of_checksum_is_verified(name: str) -> None:
    right = {"sha256": SHA256, "sha1": hashlib.sha1(b"hello").hexdigest(), "md5": MD5.hexdigest(), "crc32": "3610a686"}
    for data, is_right in ((b"hello", True), (b"hellO", False)):
        digests = Digests([f"{name}:{right[name]}"])
        digests.update(memoryview(data))
        assert bool(digests.find_wrong()) is not is_right
        assert digests.sha256 == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("md5=:{}:", True),
        ("unixsum=:AA==:, md5=:{}:", True),
        ("md5=:nonsense:", False),
        ("", False),
        ("id-md5=x", False),
    ],
)
def test_a_digest_that_a_server_gives_is_found(value: str, found: bool) -> None:
    headers = Message()
    headers["Repr-Digest"] = value.format(base64.b64encode(MD5.digest()).decode())
    assert choose_checksum(headers, is_whole=False) == (f"md5:{MD5.hexdigest()}" if found else None)


@pytest.mark.parametrize(
    "page",
    [
        '<html><h1>Index of /d/</h1><pre><a href="../">../</a>\n<a href="a.fits">a.fits</a> 18-Nov-2026 11:06 5</pre>',
        '<table><a href="?C=N;O=D">Name</a><a href="/">Parent</a><a href="a.fits"><img></a><a href="a.fits">a.fits</a>',
        '<ul><li><a href="sub/">sub/</a><li><A HREF=\'a.fits\'>a.fits</a></ul><a href="https://elsewhere/d/b.fits">b</a>',
        '<a href="/d/a.fits#top">a</a><a href="/e/c.fits">c</a><a href="http://[">?</a><a>none</a><a href="mailto:x">',
    ],
    ids=["nginx", "Apache", "Python", "odd"],
)
def test_of_a_page_only_the_files_of_its_directory_count(page: str) -> None:
    assert list(list_files(page, "http://h/d/")) == ["http://h/d/a.fits"]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://me:secret@h:1/a?b=c", "https://h:1/a?b=c"),
        ("https://h/a?X-Amz-Signature=12&X-Amz-Date=5", "https://h/a?X-Amz-Signature=***&X-Amz-Date=5"),
        ("https://h/a?token=1&sig=2&api_key=3", "https://h/a?token=***&sig=***&api_key=***"),
        ("file:///a", "file:///a"),
    ],
)
def test_an_address_is_shown_without_its_secrets(url: str, shown: str) -> None:
    assert show_url(url) == shown


def test_a_file_is_called_after_the_end_of_its_path() -> None:
    assert name_after("https://h/d/a%20b.fits?x=/y") == "a b.fits"
    assert name_after("https://h/d/a%FF.fits") == "a\udcff.fits"
