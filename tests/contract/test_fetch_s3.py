"""Objects of S3, from moto's server (ARCH-5, ARCH-9)."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from contextlib import closing
from email.message import Message

import pytest
from s3_server import Canned, Store, settings_for, use_keys
from watch import find_closed_port

from runner.archive.fetch.source import Body, Refused, Remote
from runner.archive.fetch.sources.connections import Connections
from runner.archive.fetch.sources.s3 import S3Source, find_checksum
from runner.archive.settings import S3
from runner.errors import UserError

NIGHT = bytes(range(256)) * 400
CONNECTIONS = Connections(10)
PART = bytes(5 << 20)  # what S3 wants at least


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    store = Store()
    store.client.create_bucket(Bucket="archive")
    for key in ("raw/night1/a.fits", "raw/night1/a.fits.md5", "raw/night2/b c%20ü.fits"):
        store.put("archive", key, NIGHT)
    store.put("archive", "raw/night1/", b"")
    yield store
    CONNECTIONS.close()
    store.stop()


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    use_keys(monkeypatch)


def _open(store: Store, address: str, *, anonymous: bool = False) -> S3Source:
    return S3Source(address, settings_for(store.address, anonymous=anonymous), 10, CONNECTIONS)


def _names(source: S3Source) -> list[str]:
    return [remote.name for remote in source.list()]


def _find(source: S3Source) -> Remote:
    (remote,) = source.list()
    return remote


def _peek(source: S3Source, remote: Remote, offset: int) -> Body:
    """Return what an answer says, whose bytes nobody wants."""
    body = source.open(remote, offset, remote.version if offset else "")
    body.close()
    return body


def _read(body: Body) -> bytes:
    """Return all bytes of a body, with a buffer that they do not fit into."""
    buffer, read = memoryview(bytearray(50_000)), b""
    while count := body.readinto(buffer):
        read += buffer[:count]
    body.close()
    return read


@pytest.mark.parametrize(
    ("address", "names"),
    [
        ("s3://archive", ["raw/night1/a.fits", "raw/night1/a.fits.md5", "raw/night2/b c%20ü.fits"]),
        ("s3://archive/raw/", ["night1/a.fits", "night1/a.fits.md5", "night2/b c%20ü.fits"]),
        ("s3://archive/raw/night1/", ["a.fits", "a.fits.md5"]),
        ("s3://archive/raw/night", ["night1/a.fits", "night1/a.fits.md5", "night2/b c%20ü.fits"]),
        ("s3://archive/raw/night1/a.fits", ["a.fits"]),
        ("s3://archive/nothing-yet/", []),
    ],
)
def test_names_are_what_comes_after_the_last_directory_of_the_prefix(
    store: Store, address: str, names: list[str]
) -> None:
    assert _names(_open(store, address)) == names


def test_a_list_has_more_than_one_page(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "2")
    assert _names(_open(store, "s3://archive/raw/")) == ["night1/a.fits", "night1/a.fits.md5", "night2/b c%20ü.fits"]


def test_an_object_comes_whole_with_size_version_and_checksum(store: Store) -> None:
    store.put("archive", "one.fits", NIGHT, ChecksumAlgorithm="SHA256")
    source = _open(store, "s3://archive/one.fits")
    remote = _find(source)
    body = source.open(remote, 0, "")
    assert (remote.size_bytes, body.size_bytes, body.offset) == (len(NIGHT), len(NIGHT), 0)
    assert body.version == remote.version == f'"{hashlib.md5(NIGHT).hexdigest()}"'
    assert body.checksum == f"sha256:{hashlib.sha256(NIGHT).hexdigest()}"
    assert _read(body) == NIGHT


@pytest.mark.parametrize("key", ["raw/night2/b c%20ü.fits", "raw/night1/a.fits.md5"])
def test_the_rest_of_an_object_comes_and_is_verified_as_a_whole(store: Store, key: str) -> None:
    source = _open(store, f"s3://archive/{key}")
    remote = _find(source)
    body = source.open(remote, 1000, remote.version)
    assert (body.offset, body.size_bytes) == (1000, len(NIGHT))
    assert body.checksum == f"md5:{hashlib.md5(NIGHT).hexdigest()}"
    assert _read(body) == NIGHT[1000:]


def test_an_object_that_has_changed_begins_again(store: Store) -> None:
    store.put("archive", "changing.fits", b"yesterday's")
    source = _open(store, "s3://archive/changing.fits")
    remote = _find(source)
    store.put("archive", "changing.fits", NIGHT)
    body = source.open(remote, 5, remote.version)
    assert (body.offset, body.size_bytes) == (0, len(NIGHT))
    assert body.version != remote.version
    assert _read(body) == NIGHT


def test_a_part_that_is_longer_than_the_object_begins_again(store: Store) -> None:
    source = _open(store, "s3://archive/raw/night1/a.fits")
    remote = _find(source)
    assert _peek(source, remote, len(NIGHT)).offset == 0


@pytest.mark.parametrize("options", [{}, {"ChecksumAlgorithm": "SHA256", "ChecksumType": "COMPOSITE"}])
def test_the_etag_of_an_object_in_parts_is_no_md5(store: Store, options: dict[str, str]) -> None:
    store.put_in_parts("archive", "parts.fits", [PART, NIGHT], **options)
    source = _open(store, "s3://archive/parts.fits")
    remote = _find(source)
    assert remote.version.endswith('-2"')
    assert _peek(source, remote, 1).checksum is None


def test_a_checksum_of_crc32_is_better_than_none(store: Store) -> None:
    store.put("archive", "crc.fits", NIGHT, ChecksumAlgorithm="CRC32", ServerSideEncryption="aws:kms")
    source = _open(store, "s3://archive/crc.fits")
    remote = _find(source)
    assert _peek(source, remote, 0).checksum == f"crc32:{zlib.crc32(NIGHT):08x}"
    assert _peek(source, remote, 1).checksum is None  # the ETag is not of what was put there


def test_open_data_are_fetched_without_keys(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.put("archive", "open.fits", NIGHT, ACL="public-read")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    source = _open(store, "s3://archive/open.fits", anonymous=True)
    assert _read(source.open(_find(source), 0, "")) == NIGHT


def test_what_is_not_open_is_refused_for_good(store: Store) -> None:
    source = _open(store, "s3://archive/raw/night1/a.fits", anonymous=True)
    remote = _find(source)
    with pytest.raises(Refused, match="403") as refused:
        source.open(remote, 0, "")
    assert refused.value.is_permanent


@pytest.mark.parametrize(
    ("address", "said"), [("s3://no-bucket/", "404 NoSuchBucket"), ("s3://archive/raw/c", "there is no such object")]
)
def test_what_is_not_there_is_refused_for_good(store: Store, address: str, said: str) -> None:
    with pytest.raises(Refused, match=said) as refused:
        _names(_open(store, address))
    assert refused.value.is_permanent


def test_an_object_that_vanished_after_it_was_listed_is_refused_for_good(store: Store) -> None:
    store.put("archive", "vanishing.fits", NIGHT)
    source = _open(store, "s3://archive/vanishing.fits")
    remote = _find(source)
    store.client.delete_object(Bucket="archive", Key="vanishing.fits")
    with pytest.raises(Refused, match="404 NoSuchKey") as refused:
        source.open(remote, 0, "")
    assert refused.value.is_permanent


def test_an_endpoint_that_nobody_listens_at_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    address = f"http://127.0.0.1:{find_closed_port()}"
    with pytest.raises(Refused, match=f"no connection to {address[7:]}") as refused:
        _names(S3Source("s3://archive/", settings_for(address), 1, CONNECTIONS))
    assert (refused.value.is_down, refused.value.is_permanent) == (True, False)


def _answer(code: str) -> bytes:
    return f"<Error><Code>{code}</Code><Message>not\x7f now</Message></Error>".encode()


@pytest.mark.parametrize(
    ("status", "code", "is_permanent", "retry_after_s"),
    [(503, "SlowDown", False, 7.0), (500, "InternalError", False, None), (403, "ExpiredToken", False, None),
     (403, "AccessDenied", True, None)],
)  # fmt: skip
def test_a_refusal_says_whether_it_is_for_good_and_how_long_to_wait(
    status: int, code: str, is_permanent: bool, retry_after_s: float | None
) -> None:
    wait = {"Retry-After": f"{retry_after_s:.0f}"} if retry_after_s else {}
    with Canned(status, _answer(code), wait) as server, pytest.raises(Refused) as refused:
        _names(S3Source("s3://archive/", settings_for(server.address), 5, CONNECTIONS))
    assert refused.value.reason == f"{status} {code}, not\\x7f now"
    assert (refused.value.is_permanent, refused.value.is_down) == (is_permanent, status == 503)
    assert refused.value.retry_after_s == retry_after_s


@pytest.mark.parametrize("body", [b"<html>log in first", b"<ListBucketResult/>"])
def test_an_answer_that_is_none_of_s3_is_refused(body: bytes) -> None:
    with Canned(200, body, {}) as server, pytest.raises(Refused):
        _names(S3Source("s3://archive/x", settings_for(server.address), 5, CONNECTIONS))


@pytest.mark.parametrize("value", ["nonsense", "AAAA", "-", "é"])
def test_a_checksum_that_is_none_is_not_believed(value: str) -> None:
    headers = Message()
    headers["x-amz-checksum-sha256"] = value
    assert find_checksum(headers) is None


def test_a_body_that_is_cut_is_noticed() -> None:
    with Canned(200, NIGHT, {"ETag": '"1"', "Last-Modified": "Wed, 25 Nov 2026 12:00:00 GMT"}, sent=1000) as server:
        source = S3Source("s3://archive/a", settings_for(server.address), 5, CONNECTIONS)
        body = source.open(Remote("s3://archive/a", "a", ""), 0, "")
        with closing(body), pytest.raises(Refused, match="was cut 101400 bytes before the end") as refused:
            _read(body)
    assert not refused.value.is_permanent


def test_a_profile_that_is_not_there_is_a_mistake_in_the_settings() -> None:
    with pytest.raises(UserError, match=r'envs/archive.yaml: s3: profile "nobody" is not in ~/.aws/config'):
        S3Source("s3://archive/", S3("", "", "nobody", False), 5, CONNECTIONS)


def test_without_keys_the_mistake_is_named(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(UserError, match=r"no credentials for 127.0.0.1:\d+; see ~/.aws; for open data set anonymous"):
        _names(
            S3Source("s3://archive/", settings_for(store.address), 11, CONNECTIONS)
        )  # a client that found no keys before


@pytest.mark.parametrize("address", ["s3://", "s3:///key", "s3://a_/key", "s3://b\x1bx/key"])
def test_an_address_without_a_bucket_is_a_mistake(address: str) -> None:
    with pytest.raises(UserError, match="is no name of a bucket; write s3://BUCKET/PREFIX"):
        S3Source(address, settings_for("http://127.0.0.1:9"), 5, CONNECTIONS)
