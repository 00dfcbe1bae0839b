"""``s3://BUCKET/PREFIX``: the objects of a bucket whose keys begin so, or the one object of that key (ARCH-9).

Names are what comes after the last ``/`` of the prefix: of ``s3://b/raw/night1`` the object
``raw/night1/x.fits`` is called ``night1/x.fits``, of ``s3://b/raw/night1/`` it is ``x.fits``. What ends in ``/``
is a directory and may be empty; for all else there is to be an object.

boto3 lists the objects and signs their addresses: it knows credentials, endpoints and regions. Their bytes come by
the same connections as those of any address of the web, for a third of the CPU that boto3 takes for an object.
"""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from email.message import Message
from functools import cache
from typing import Any
from xml.etree import ElementTree as ET

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
from botocore.parsers import ResponseParserError

from runner.archive.fetch.digests import parse_checksum
from runner.archive.fetch.retry import is_permanent_status, parse_retry_after
from runner.archive.fetch.source import Body, Refused, Remote, Source
from runner.archive.fetch.sources.answer import Answer
from runner.archive.fetch.sources.connections import Connections
from runner.archive.fetch.sources.http import HttpSource
from runner.archive.settings import ARCHIVE_FILE, S3
from runner.errors import UserError, clean

SCHEME = "s3://"
# How long a signed address holds: until the request has come.
_SIGNED_S = 3600
# Refusals for which no object is to be given up: our key, our clock or the connection is at fault.
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
_DOWN = (502, 503, 504)
_LONGEST_ERROR_BYTES = 1 << 16


def parse_address(text: str) -> tuple[str, str]:
    """Return bucket and prefix of an ``s3://`` address; UserError if it has no bucket."""
    bucket, _, prefix = text[len(SCHEME) :].partition("/")
    # Amazon S3 User Guide, "General purpose bucket naming rules"; older buckets have capitals and _ as well.
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]", bucket):
        raise UserError(f'{clean(text)}: "{clean(bucket)}" is no name of a bucket; write s3://BUCKET/PREFIX')
    return bucket, prefix


def find_checksum(headers: Message) -> str | None:
    """Return the checksum of a whole object that an answer gives, as `Remote` has it.

    A composite checksum is one of the checksums of parts. An ETag is the md5 unless the object came in parts
    (it has a ``-`` then) or is encrypted with a key of KMS or of the customer (API Reference, "Object").
    """
    if headers.get("x-amz-checksum-type") != "COMPOSITE":
        for kind in ("sha256", "sha1", "crc32"):
            with suppress(ValueError):  # of binascii, or of a text that is not ASCII
                digits = base64.b64decode(headers.get(f"x-amz-checksum-{kind}", ""), validate=True).hex()
                if checksum := parse_checksum(digits, kind):
                    return checksum
    encryption = "x-amz-server-side-encryption"
    is_md5 = headers.get(encryption, "AES256") == "AES256" and f"{encryption}-customer-algorithm" not in headers
    return parse_checksum(headers.get("ETag", "").strip('"'), "md5") if is_md5 else None


class S3Source(Source):
    """The objects at an ``s3://`` address."""

    def __init__(self, text: str, settings: S3, timeout_s: float, connections: Connections) -> None:
        self._bucket, self._prefix = parse_address(text)
        self._client = _make_client(settings, timeout_s)
        self._objects = _Objects(f"{self._client.meta.endpoint_url}/", connections)
        self.host = self._objects.host

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
        values = {"Bucket": self._bucket, "Key": key, "ChecksumMode": "ENABLED"}
        with self._asking():
            url = self._client.generate_presigned_url("get_object", Params=values, ExpiresIn=_SIGNED_S)
        body = self._objects.open(replace(remote, url=url), offset, version)
        body.checksum = find_checksum(body.headers)
        return body

    def close(self) -> None:
        """Let all connections go; they come back if another source of the client asks."""
        self._client.close()

    def _read_pages(self) -> Iterator[Mapping[str, Any]]:
        token: dict[str, str] = {}
        while True:
            with self._asking():
                page = self._client.list_objects_v2(Bucket=self._bucket, Prefix=self._prefix, **token)
            yield from (entry for entry in page.get("Contents", ()) if "Key" in entry)
            if "NextContinuationToken" not in page:
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}

    def _describe(self, entry: Mapping[str, Any]) -> Remote:
        key = entry["Key"]
        name = key[self._prefix.rfind("/") + 1 :]
        return Remote(
            f"{SCHEME}{self._bucket}/{key}", name, self.host, entry.get("Size"), version=entry.get("ETag", "")
        )

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Turn what boto3 raises into `Refused`, without the error's own words, which may have an address."""
        try:
            yield
        except ClientError as error:
            raise _refuse_list(error) from error
        except (NoCredentialsError, PartialCredentialsError):
            hint = "see ~/.aws; for open data set anonymous: true"
            raise UserError(f"{ARCHIVE_FILE}: s3: no credentials for {self.host}; {hint}") from None
        except ConnectionError as error:
            raise Refused(f"no connection to {self.host} ({type(error).__name__})", is_down=True) from error
        except (BotoCoreError, ResponseParserError) as error:
            raise Refused(f"no answer from {self.host} ({type(error).__name__})") from error


class _Objects(HttpSource):
    """The signed addresses of objects."""

    # Part of what is signed.
    asked: Mapping[str, str] = {"x-amz-checksum-mode": "ENABLED"}

    def refuse(self, answer: Answer) -> Refused:
        """Return what S3's own no means."""
        try:
            error = ET.fromstring(answer.read_rest(_LONGEST_ERROR_BYTES))
        except (Refused, ET.ParseError):
            error = ET.Element("Error")
        answer.close()
        response = answer.response
        code, words = error.findtext("Code", response.reason), error.findtext("Message", "")
        return _refuse(response.status, code, words, response.headers.get("Retry-After", ""))


@cache
def _make_client(settings: S3, timeout_s: float) -> Any:
    """Return a client, which threads and sources may share; UserError if the settings name what there is not.

    It takes a quarter of a second to make one, and a list may have a thousand addresses.
    """
    config = Config(
        signature_version=botocore.UNSIGNED if settings.anonymous else "s3v4",
        connect_timeout=timeout_s,
        read_timeout=timeout_s,
        retries={"total_max_attempts": 1},  # the downloader tries again
    )
    try:
        session = boto3.session.Session(profile_name=settings.profile or None, region_name=settings.region or None)
        return session.client("s3", endpoint_url=settings.endpoint or None, config=config)
    except ProfileNotFound:
        raise UserError(f'{ARCHIVE_FILE}: s3: profile "{settings.profile}" is not in ~/.aws/config') from None
    except (BotoCoreError, ValueError) as error:
        raise UserError(f"{ARCHIVE_FILE}: s3: {clean(str(error))}") from error


def _refuse_list(error: ClientError) -> Refused:
    answer, found = error.response["ResponseMetadata"], error.response.get("Error", {})
    wait = answer.get("HTTPHeaders", {}).get("retry-after", "")
    return _refuse(answer.get("HTTPStatusCode", 0), found.get("Code", ""), found.get("Message", ""), wait)


def _refuse(status: int, code: str, words: str, wait: str) -> Refused:
    said = ", ".join(word for word in (code, words) if word)
    return Refused(
        clean(f"{status} {said}"),
        is_permanent=is_permanent_status(status) and code not in _PASSING,
        is_down=status in _DOWN,
        retry_after_s=parse_retry_after(wait, time.time()),
    )
