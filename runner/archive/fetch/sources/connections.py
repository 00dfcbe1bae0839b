"""Connections to HTTP servers, kept for the next request (ARCH-7).

`http.client` and not urllib3: with bodies read straight into our buffer it costs two thirds (PERF-8).
"""

from __future__ import annotations

import base64
import http.client
import ssl
import threading
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

# A server may close a connection that rests, just when it is used again.
_GONE = (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError)
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Origin:
    """A server: scheme, host and port, which have one set of connections and of credentials."""

    scheme: str
    host: str
    port: int

    @property
    def authority(self) -> str:
        """Host and port, as an address has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def parse_origin(parts: SplitResult) -> Origin:
    """Return the server of an address; ValueError if there is none."""
    if parts.scheme not in _PORTS:
        raise ValueError("it is no http:// nor https://")
    if not parts.hostname:
        raise ValueError("it names no host")
    return Origin(parts.scheme, parts.hostname, parts.port or _PORTS[parts.scheme])


class Connections:
    """Open connections of any number of servers, shared by threads; by way of proxies where the environment says so."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._mutex = threading.Lock()
        self._resting: dict[Origin, list[http.client.HTTPConnection]] = {}
        self._proxies = getproxies()
        self._tls: ssl.SSLContext | None = None

    def request(
        self, origin: Origin, target: str, headers: dict[str, str]
    ) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        """Send a GET and return the connection and the answer, whose body is still to be read.

        OSError and HTTPException say what is wrong with the server.
        """
        proxy = self._find_proxy(origin)
        if proxy and origin.scheme == "http":
            target, headers = f"http://{origin.authority}{target}", {**headers, **make_login(proxy, "Proxy-")}
        while True:
            connection = self._take(origin)
            is_new = connection is None
            connection = connection or self._make(origin, proxy)
            try:
                connection.request("GET", target, headers=headers)
                return connection, connection.getresponse()
            except BaseException as error:
                connection.close()
                if is_new or not isinstance(error, _GONE):
                    raise

    def give_back(self, origin: Origin, connection: http.client.HTTPConnection) -> None:
        """Keep a connection whose answer was read to its end."""
        with self._mutex:
            self._resting.setdefault(origin, []).append(connection)

    def close(self) -> None:
        """Close all that rest."""
        with self._mutex:
            for connection in (one for kept in self._resting.values() for one in kept):
                connection.close()
            self._resting.clear()

    def _take(self, origin: Origin) -> http.client.HTTPConnection | None:
        with self._mutex:
            resting = self._resting.get(origin)
            return resting.pop() if resting else None

    def _make(self, origin: Origin, proxy: SplitResult | None) -> http.client.HTTPConnection:
        host, port = (proxy.hostname or "", proxy.port or 80) if proxy else (origin.host, origin.port)
        if origin.scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=self._timeout_s)
        with self._mutex:
            self._tls = self._tls or ssl.create_default_context()
        connection = http.client.HTTPSConnection(host, port, timeout=self._timeout_s, context=self._tls)
        if proxy:
            connection.set_tunnel(origin.host, origin.port, headers=make_login(proxy, "Proxy-"))
        return connection

    def _find_proxy(self, origin: Origin) -> SplitResult | None:
        address = self._proxies.get(origin.scheme) or self._proxies.get("all")
        if not address or proxy_bypass(origin.host):
            return None
        return urlsplit(address if "://" in address else f"http://{address}")


def make_login(parts: SplitResult, prefix: str = "") -> dict[str, str]:
    """Return the header that says the name and password of an address; empty if it has none."""
    if parts.username is None:
        return {}
    login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {f"{prefix}Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"}
