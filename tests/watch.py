"""A watch as healthchecks is one, on loopback: it keeps what it is told, and answers as a test wants it to."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True, slots=True)
class Signal:
    """One ping: the path of its address, its query without ``rid``, ``rid``, and its body."""

    path: str
    query: str
    rid: str
    body: str


class Watch:
    """The server: `status` is what it answers by path, else 200, in the words of `reason`; if it `hangs` nothing."""

    def __init__(self) -> None:
        self.signals: list[Signal] = []
        self.status: dict[str, int] = {}
        self.reason: str | None = None
        self.hangs = False
        self.connections = 0
        self.released = Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _make_handler(self))
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def paths(self) -> list[str]:
        return [signal.path for signal in self.signals]

    def stop(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _make_handler(watch: Watch) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            watch.connections += 1

        def do_POST(self) -> None:
            address = urlsplit(self.path)
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            query, _, rid = address.query.rpartition("rid=")
            assert parse_qs(address.query)["rid"] == [rid]
            watch.signals.append(Signal(address.path, query.rstrip("&"), rid, body))
            if watch.hangs:
                watch.released.wait(30)
                self.close_connection = True
                return
            self.send_response(watch.status.get(address.path, 200), watch.reason)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"OK")

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def find_closed_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
