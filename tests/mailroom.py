"""Where mails and messages arrive in tests: an SMTP server, a sendmail program, a Slack; all real, on loopback."""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from runner.document.keys import Keys
from runner.home.settings import Mail, Smtp

SENDER = "runner@ops1.example.org"


@dataclass(slots=True)
class Received:
    """One mail as a server took it: its envelope and what was in it."""

    recipients: list[str]
    data: bytes

    @property
    def message(self) -> EmailMessage:
        message = message_from_bytes(self.data, policy=default)
        assert isinstance(message, EmailMessage)
        return message

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    @property
    def body(self) -> str:
        return str(self.message.get_content())


class MailServer:
    """What an SMTP server answers; ``answers`` maps an address, or ``DATA``, to what is said instead of 250.

    ``AUTH`` among them refuses every login, ``HANG`` lets whoever ends a message wait.
    """

    def __init__(self) -> None:
        self.answers: dict[str, str] = {}
        self.mails: list[Received] = []
        self.logins: list[tuple[str, str]] = []
        self.was_private = False
        self.port = 0

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:
        if address in self.answers:
            return self.answers[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if "HANG" in self.answers:
            import asyncio

            await asyncio.sleep(float(self.answers["HANG"]))
        if "DATA" in self.answers:
            return self.answers["DATA"]
        self.was_private = session.ssl is not None
        self.mails.append(Received(list(envelope.rcpt_tos), envelope.original_content))
        return "250 OK"

    def authenticate(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, login: Any) -> AuthResult:
        assert isinstance(login, LoginPassword)
        self.logins.append((login.login.decode(), login.password.decode()))
        return AuthResult(success="AUTH" not in self.answers, handled=False)


@contextmanager
def serve_smtp(tls: ssl.SSLContext | None = None) -> Iterator[MailServer]:
    """Serve SMTP, with STARTTLS where a context is given."""
    server = MailServer()
    controller = Controller(
        server, "127.0.0.1", find_port(), tls_context=tls, require_starttls=tls is not None,
        authenticator=server.authenticate,
    )  # fmt: skip
    controller.start()
    server.port = controller.port
    try:
        yield server
    finally:
        controller.stop()


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority of the test's own, and what a server at loopback shows."""

    certificates: Path
    context: ssl.SSLContext


def make_authority(directory: Path) -> Authority:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(directory / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return Authority(directory / "ca.pem", context)


def make_smtp(port: int, **given: Any) -> Mail:
    """Return settings of mail that goes to a server on loopback, in the clear unless told otherwise."""
    smtp = Smtp(**{**Keys(Smtp).defaults, "host": "127.0.0.1", "port": port, "tls": "none", **given})
    return Mail(**{**Keys(Mail).defaults, "via": "smtp", "smtp": smtp, "sender": SENDER})


@dataclass(frozen=True, slots=True)
class Sendmail:
    """A program that keeps each mail it is given, and with what words it was called."""

    path: Path
    spool: Path

    @property
    def mails(self) -> list[Received]:
        files = sorted(self.spool.glob("mail.*"), key=lambda path: path.stat().st_mtime_ns)
        return [Received([], path.read_bytes()) for path in files]

    @property
    def calls(self) -> list[str]:
        path = self.spool / "calls"
        return path.read_text().splitlines() if path.exists() else []


def make_sendmail(directory: Path, body: str = "") -> Sendmail:
    """Write the program; `body` is what it does before it takes the mail."""
    spool = directory / "spool"
    spool.mkdir(exist_ok=True)
    path = directory / "sendmail"
    path.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >> {spool}/calls\n{body}\ncat > {spool}/mail.$$\n')
    path.chmod(0o755)
    return Sendmail(path, spool)


@dataclass(slots=True)
class SlackServer:
    """A Slack: ``answers`` are given one after the other, then all is well."""

    url: str = ""
    posts: list[dict[str, str]] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str], dict[str, Any]]] = field(default_factory=list)


@contextmanager
def serve_slack() -> Iterator[SlackServer]:
    slack = SlackServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            is_json = self.headers["Content-Type"].startswith("application/json")
            post = json.loads(text) if is_json else {key: values[0] for key, values in parse_qs(text).items()}
            post["authorization"] = self.headers["Authorization"]
            post["path"] = self.path
            status, headers, answer = slack.answers.pop(0) if slack.answers else (200, {}, {"ok": True})
            if answer.get("ok"):
                slack.posts.append(post)
                answer = {**answer, "ts": f"1700000000.{len(slack.posts):06d}"}
            body = json.dumps(answer).encode()
            self.send_response(status)
            for name, value in {
                "Content-Type": "application/json",
                "Content-Length": str(len(body)),
                **headers,
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        slack.url = f"http://127.0.0.1:{server.server_port}/api/"
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield slack
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def serve_silence() -> Iterator[int]:
    """Listen on a port and never say a word; yield its number."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def find_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def measure(call: Any) -> float:
    """Return how many seconds a call took."""
    begun = time.monotonic()
    call()
    return time.monotonic() - begun
