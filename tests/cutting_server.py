"""An HTTP server whose answers are as bad as a test wants them: cut, late, changed, wrong, or no HTTP at all."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import trustme


@dataclass(slots=True)
class Request:
    """What a client asked for."""

    path: str
    headers: dict[str, str]

    @property
    def first(self) -> int:
        """The first byte that is wanted."""
        return int(self.headers.get("range", "bytes=0-")[6:-1])


@dataclass(slots=True)
class Reply:
    """What is sent: `cut` bytes of the body, after which the connection is closed; all of it if that is None."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None


Script = Callable[[Request], Reply]


@dataclass(slots=True)
class Server:
    """A server that does what `script` says.

    Attributes
    ----------
    url
        Its address, without a slash at the end.
    requests
        What it was asked for.
    """

    script: Script
    url: str = ""
    requests: list[Request] = field(default_factory=list)


def serve_range(request: Request, body: bytes, **headers: str) -> Reply:
    """Return what a good server sends of `body`."""
    if not request.first:
        return Reply(200, body, headers)
    place = {"Content-Range": f"bytes {request.first}-{len(body) - 1}/{len(body)}"}
    return Reply(206, body[request.first :], {**headers, **place})


@contextmanager
def cutting_server(script: Script, certificate: trustme.LeafCert | None = None) -> Iterator[Server]:
    """Serve while the context lasts; with a certificate as https."""
    server = Server(script)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            request = Request(self.path, {name.lower(): value for name, value in self.headers.items()})
            server.requests.append(request)
            reply = server.script(request)
            self.send_response(reply.status)
            for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
                if value:
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body[: reply.cut])
            self.close_connection = reply.cut is not None or self.close_connection

        def log_message(self, *_: object) -> None:
            pass

    class Listening(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A client that has heard enough goes away."""

    with Listening(("127.0.0.1", 0), Handler) as listening:
        server.url = f"http{'s' if certificate else ''}://127.0.0.1:{listening.server_port}"
        if certificate:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            certificate.configure_cert(context)
            listening.socket = context.wrap_socket(listening.socket, server_side=True)
        threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield server
        listening.shutdown()
