"""``s3://BUCKET/PREFIX``: the objects of a bucket whose keys begin so, or the one object of that key (ARCH-9).

Names are what comes after the last ``/`` of the prefix: of ``s3://b/raw/night1`` the object
``raw/night1/x.fits`` is called ``night1/x.fits``, of ``s3://b/raw/night1/`` it is ``x.fits``. What ends in ``/``
is a directory and may be empty; for all else there is to be an object.

boto3 signs, finds endpoint and region, and reads the answers. It tries nothing again, as the downloader does.
"""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, TypeVar
from urllib.parse import urlsplit

import boto3
import botocore
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
)
from urllib3.exceptions import HTTPError

from runner.archive.fetch.retry import is_permanent_status, parse_retry_after
from runner.archive.fetch.source import Body, Refused, Remote, Source
from runner.archive.settings import ARCHIVE_FILE, S3
from runner.errors import UserError, clean

SCHEME = "s3://"
# For all the connections that settings.fetch may allow; they are opened as they are needed.
_POOL = 64
# Answers of 400 and 403 for which no object is to be given up: our key, our clock or the connection is at fault.
_PASSING = frozenset(
    {
        "ExpiredToken",
        "InvalidAccessKeyId",
        "InvalidToken",
        "RequestTimeTooSkewed",
        "RequestTimeout",
        "SignatureDoesNotMatch",
    }
)
_CHANGED, _BEYOND_THE_END = 412, 416

T = TypeVar("T")
Answer = Mapping[str, Any]


def parse_address(text: str) -> tuple[str, str]:
    """Return bucket and prefix of an ``s3://`` address; UserError if it has no bucket."""
    bucket, _, prefix = text.removeprefix(SCHEME).partition("/")
    # Amazon S3 User Guide, "General purpose bucket naming rules"; older buckets have capitals and _ as well.
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]", bucket):
        raise UserError(f'{clean(text)}: "{clean(bucket)}" is no name of a bucket; write s3://BUCKET/PREFIX')
    return bucket, prefix


def find_checksum(answer: Answer) -> str | None:
    """Return the checksum of a whole object that an answer of GetObject gives, as `Remote` has it.

    A composite checksum is one of the checksums of parts. An ETag is the md5 unless the object came in parts
    (it has a ``-`` then) or is encrypted with a key of KMS or of the customer (API Reference, "Object").
    """
    if answer.get("ChecksumType") != "COMPOSITE":
        for kind in ("sha256", "sha1", "crc32"):
            value = answer.get(f"Checksum{kind.upper()}", "-")
            if "-" not in value:
                return f"{kind}:{base64.b64decode(value).hex()}"
    is_encrypted = answer.get("ServerSideEncryption", "AES256") != "AES256" or "SSECustomerAlgorithm" in answer
    md5 = answer.get("ETag", "").strip('"')
    return f"md5:{md5}" if re.fullmatch("[0-9a-f]{32}", md5) and not is_encrypted else None


class S3Source(Source):
    """The objects at an ``s3://`` address."""

    def __init__(self, text: str, settings: S3, timeout_s: float) -> None:
        self._bucket, self._prefix = parse_address(text)
        self._client = _make_client(settings, timeout_s)
        self.host = urlsplit(self._client.meta.endpoint_url).netloc.rpartition("@")[2]

    def list(self) -> Iterator[Remote]:
        """Yield the objects, in the order of their keys."""
        is_directory = self._prefix.endswith("/") or not self._prefix
        is_found = False
        for entry in self._read_pages():
            is_found = True
            if not entry["Key"].endswith("/"):  # a console's idea of an empty directory
                yield self._describe(entry)
            # Keys come sorted, so that this is the first: who names an object wants no x.fits.md5 beside it.
            if entry["Key"] == self._prefix and not is_directory:
                return
        if not is_found and not is_directory:
            raise Refused("there is no such object", is_permanent=True)

    def open(self, remote: Remote, offset: int, version: str) -> Body:
        """Return the bytes of an object from `offset` on, if its ETag is still `version`, else from 0 on."""
        key = remote.url.removeprefix(f"{SCHEME}{self._bucket}/")
        part = {"Range": f"bytes={offset}-", "IfMatch": version} if offset and version else {}
        try:
            return _S3Body(self._ask(self._client.get_object, Key=key, **part))
        except _BeginAgain:
            return _S3Body(self._ask(self._client.get_object, Key=key))

    def close(self) -> None:
        """Let all connections go; they come back if another source of the client asks."""
        self._client.close()

    def _read_pages(self) -> Iterator[Answer]:
        token: dict[str, str] = {}
        while True:
            page = self._ask(self._client.list_objects_v2, Prefix=self._prefix, **token)
            yield from page.get("Contents", ())
            if not page["IsTruncated"]:
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}

    def _describe(self, entry: Answer) -> Remote:
        key = entry["Key"]
        name = key[self._prefix.rfind("/") + 1 :]
        return Remote(f"{SCHEME}{self._bucket}/{key}", name, self.host, entry["Size"], version=entry.get("ETag", ""))

    def _ask(self, operation: Callable[..., T], **values: str) -> T:
        """Return S3's answer; `_BeginAgain` or `Refused` if it is none."""
        try:
            return operation(Bucket=self._bucket, **values)
        except ClientError as error:
            if error.response["ResponseMetadata"].get("HTTPStatusCode") in (_CHANGED, _BEYOND_THE_END):
                raise _BeginAgain from None
            raise _refuse(error) from error
        except (NoCredentialsError, PartialCredentialsError):
            hint = "see ~/.aws; for open data set anonymous: true"
            raise UserError(f"{ARCHIVE_FILE}: s3: no credentials for {self.host}; {hint}") from None
        except BotoCoreError as error:
            raise _give_up(self.host, error) from error


class _S3Body(Body):
    """An object's bytes, as they come from the connection."""

    def __init__(self, answer: Answer) -> None:
        self.offset, self.size_bytes = _find_range(answer)
        self.checksum = find_checksum(answer)
        self.version = answer.get("ETag", "")
        self.modified_at = answer["LastModified"].timestamp()
        self._left_bytes = answer["ContentLength"]
        # urllib3's own stream: it alone gives what has come so far, and botocore's copies each byte once more.
        self._stream = answer["Body"].__enter__()

    def readinto(self, buffer: memoryview) -> int:
        """Fill `buffer` as far as bytes come."""
        try:
            data = self._stream.read1(len(buffer))
        except HTTPError as error:
            raise Refused(f"the connection broke ({type(error).__name__})") from error
        self._left_bytes -= len(data)
        if not data and self._left_bytes:
            raise Refused(f"the connection broke, {self._left_bytes} bytes are missing")
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Let the connection go."""
        self._stream.close()


class _BeginAgain(Exception):
    """The object is another than the one whose rest was asked for."""


@cache
def _make_client(settings: S3, timeout_s: float) -> Any:
    """Return a client, which threads and sources may share; UserError if the settings name what there is not.

    It takes a quarter of a second to make one, and a list may have a thousand addresses.
    """
    config = Config(
        signature_version=botocore.UNSIGNED if settings.anonymous else None,
        connect_timeout=timeout_s,
        read_timeout=timeout_s,
        max_pool_connections=_POOL,
        retries={"total_max_attempts": 1},
        # botocore would compute what the downloader computes anyway.
        response_checksum_validation="when_required",
    )
    try:
        session = boto3.session.Session(profile_name=settings.profile or None, region_name=settings.region or None)
        client = session.client("s3", endpoint_url=settings.endpoint or None, config=config)
    except ProfileNotFound:
        raise UserError(f'{ARCHIVE_FILE}: s3: profile "{settings.profile}" is not in ~/.aws/config') from None
    except (BotoCoreError, ValueError) as error:
        raise UserError(f"{ARCHIVE_FILE}: s3: {clean(str(error))}") from error
    client.meta.events.register("before-call.s3.GetObject", _ask_for_checksum)
    return client


def _ask_for_checksum(params: dict[str, Any], **_: object) -> None:
    """Let the answer say the checksum; by the parameter ChecksumMode botocore would compute it too."""
    params["headers"]["x-amz-checksum-mode"] = "ENABLED"


def _find_range(answer: Answer) -> tuple[int, int]:
    """Return where an answer begins and how long the whole object is."""
    found = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", answer.get("ContentRange", ""))
    return (int(found[1]), int(found[2])) if found else (0, answer["ContentLength"])


def _refuse(error: ClientError) -> Refused:
    """Return what S3's own no means."""
    status = error.response["ResponseMetadata"].get("HTTPStatusCode", 0)
    code = error.response.get("Error", {}).get("Code", "")
    words = error.response.get("Error", {}).get("Message", "")
    wait = error.response["ResponseMetadata"].get("HTTPHeaders", {}).get("retry-after", "")
    return Refused(
        clean(f"{status} {code}" + (f", {words}" if words and words != "None" else "")),
        is_permanent=is_permanent_status(status) and code not in _PASSING,
        retry_after_s=parse_retry_after(wait, time.time()),
    )


def _give_up(host: str, error: BotoCoreError) -> Refused:
    """Return what it means that there was no answer; not the error's own words, which may have an address."""
    if isinstance(error, ConnectionError):
        return Refused(f"no connection to {host} ({type(error).__name__})", is_down=True)
    return Refused(f"no answer from {host} ({type(error).__name__})")
