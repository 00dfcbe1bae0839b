"""S3 on loopback: moto's server, and one that answers as a test says, for what moto never does."""

from __future__ import annotations

import logging
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from runner.archive.settings import S3

KEYS = {"AWS_ACCESS_KEY_ID": "someone", "AWS_SECRET_ACCESS_KEY": "unguessable"}


class Store:
    """moto's S3 in this process; `client` is who puts objects there."""

    def __init__(self) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        self._server.start()
        self.address = "http://{}:{}".format(*self._server.get_host_and_port())
        self.client = make_client(self.address)

    def put(self, bucket: str, key: str, content: bytes, **options: str) -> None:
        self.client.put_object(Bucket=bucket, Key=key, Body=content, **options)

    def put_in_parts(self, bucket: str, key: str, parts: list[bytes], **options: str) -> None:
        """Upload an object in parts: its ETag is then no md5."""
        upload = self.client.create_multipart_upload(Bucket=bucket, Key=key, **options)["UploadId"]
        names = {"Bucket": bucket, "Key": key, "UploadId": upload}
        tags = [
            {"PartNumber": number, "ETag": self.client.upload_part(**names, PartNumber=number, Body=part)["ETag"]}
            for number, part in enumerate(parts, 1)
        ]
        self.client.complete_multipart_upload(**names, MultipartUpload={"Parts": tags})

    def stop(self) -> None:
        self.client.close()
        self._server.stop()


class Canned:
    """A server that gives one answer to every GET; of a body as much as `sent` says."""

    def __init__(self, status: int, body: bytes, headers: dict[str, str], sent: int | None = None) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body[:sent])

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Canned:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def make_client(address: str) -> Any:
    """Return the client of who may do everything at a store."""
    return boto3.client(
        "s3",
        endpoint_url=address,
        region_name="us-east-1",
        aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
    )


def settings_for(address: str, *, anonymous: bool = False) -> S3:
    """Return the settings that lead to a server."""
    return S3(address, "us-east-1", "", anonymous)


def use_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let boto3 find the keys of the store, and no settings of whoever runs the tests."""
    for name, value in {**KEYS, "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}.items():
        monkeypatch.setenv(name, value)
