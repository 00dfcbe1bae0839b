"""Posting pings: each sweep may do it each minute on every host, and a server may do with it what it likes.

``http.client``, which is loaded in a third of the time that ``requests`` takes (55 ms of 180), which trusts the
authorities that the system trusts, and which follows no redirect to where nobody has sent us. It limits no more than a
single silence of the server, and the search for its address not at all: so each host has a thread, and who waits for
it waits only so long.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection, RemoteDisconnected
from threading import Thread
from urllib.parse import SplitResult, urlsplit

from runner.launch.report import clean

_SHOWN = 200
_HEADERS = {"User-Agent": "observatory-runner", "Content-Type": "text/plain; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class Message:
    """One ping.

    Attributes
    ----------
    about
        Whose it is, for people.
    check
        After one that was refused no other of the same check is sent, since a start that comes behind its end would
        be a run that never ends.
    sent
        Called once the server has it.
    """

    about: str
    check: str
    url: str
    body: str = ""
    sent: Callable[[], object] = lambda: None


class Posting:
    """Messages under way: those of one server one after another, servers beside each other."""

    def __init__(self, messages: Iterable[Message], limit_s: float) -> None:
        self._until = time.monotonic() + limit_s
        self._limit_s = limit_s
        by_server: dict[str, list[Message]] = {}
        for message in messages:
            by_server.setdefault(name_server(message.url), []).append(message)
        self._lanes = [_Lane(server, messages, self._until) for server, messages in by_server.items()]

    def finish(self) -> list[str]:
        """Wait for the end, or until time is up, and return one line for each server that did not take everything."""
        for lane in self._lanes:
            lane.join(max(self._until - time.monotonic(), 0.0))
        late = f"no answer within {self._limit_s:g} s"
        return [f"{lane.name}: {lane.trouble or late}" for lane in self._lanes if lane.trouble or lane.has_more]


class _Lane(Thread):
    """What is sent to one server, on one connection. Nobody waits for its end who leaves."""

    def __init__(self, server: str, messages: list[Message], until: float) -> None:
        super().__init__(name=server, daemon=True)
        self._messages = messages
        self._until = until
        self.trouble = ""
        self.has_more = True
        self.start()

    def run(self) -> None:
        connection = _connect(urlsplit(self._messages[0].url), self._until)
        try:
            self._send_all(connection)
        except (OSError, HTTPException, ValueError) as error:
            self.trouble = self.trouble or _describe(error)
        finally:
            connection.close()

    def _send_all(self, connection: HTTPConnection) -> None:
        refused: set[str] = set()
        for message in self._messages:
            if time.monotonic() >= self._until:
                return
            if message.check in refused:
                continue
            if refusal := _post(connection, urlsplit(message.url), message.body):
                refused.add(message.check)
                self.trouble = self.trouble or f"{refusal} to the ping of {message.about}"
            else:
                message.sent()
        self.has_more = False


def name_server(url: str) -> str:
    """Return the part of an address that is no secret: who knows the rest can ping, too."""
    address = urlsplit(url)
    return f"{address.scheme}://{address.netloc.rpartition('@')[2]}"


def _connect(address: SplitResult, until: float) -> HTTPConnection:
    kind = HTTPSConnection if address.scheme == "https" else HTTPConnection
    return kind(address.hostname or "", address.port, timeout=max(until - time.monotonic(), 0.1))


def _post(connection: HTTPConnection, address: SplitResult, body: str) -> str:
    """Post, and return what the server had against it, empty for nothing."""
    was_open = connection.sock is not None
    target = f"{address.path or '/'}{'?' if address.query else ''}{address.query}"
    try:
        connection.request("POST", target, body.encode(), _HEADERS)
        answer = connection.getresponse()
    except (RemoteDisconnected, BrokenPipeError):
        if not was_open:
            raise
        connection.close()  # it was kept open for longer than the server likes
        return _post(connection, address, body)
    answer.read()
    return "" if answer.status < 300 else clean(f"{answer.status} {answer.reason}"[:_SHOWN])


def _describe(error: Exception) -> str:
    return clean((getattr(error, "strerror", "") or str(error) or type(error).__name__)[:_SHOWN])
