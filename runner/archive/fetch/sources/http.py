"""``http://`` and ``https://``: one file, or the files of a directory that the server lists (ARCH-2, ARCH-4)."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator, Mapping
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

from runner.archive.fetch.address import name_after
from runner.archive.fetch.source import Refused, Remote, Source
from runner.archive.fetch.sources.answer import (
    NOTHING_THERE,
    OK,
    PARTIAL,
    Answer,
    HttpBody,
    choose_body,
    describe_error,
    describe_status,
)
from runner.archive.fetch.sources.connections import Connections, make_login, parse_origin
from runner.archive.fetch.sources.links import list_files
from runner.errors import UserError, clean

_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_REDIRECTS = 10
_LONGEST_LIST_BYTES = 256 << 20
# What stands in an address as it is: all that has a meaning there, and what is quoted already.
_SAFE = "/%:=&?~#+!$,;'@()*[]"
_ALWAYS = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": "observatory-runner"}


class HttpSource(Source):
    """An address, or the directory at an address that ends with a slash.

    Attributes
    ----------
    asked
        Headers of each request, beside those that every request has.
    """

    asked: Mapping[str, str] = {}

    def __init__(self, url: str, connections: Connections) -> None:
        """UserError if `url` is no address."""
        try:
            parts = urlsplit(url)
            self._origin = parse_origin(parts)
        except ValueError as error:
            raise UserError(f'"{clean(url)}" is no address: {error}') from None
        self._login = make_login(parts)
        self._url = urlunsplit(parts._replace(netloc=self._origin.authority, path=parts.path or "/", fragment=""))
        self._connections = connections
        self.host = self._origin.authority

    def list(self) -> Iterator[Remote]:
        """Yield the one file, or all to which the page of the directory links and that are in it."""
        if not urlsplit(self._url).path.endswith("/"):
            yield Remote(self._url, name_after(self._url), self.host)
            return
        page, url = self.read_list()
        for address in list_files(page, url):
            yield Remote(address, name_after(address), self.host)

    def at(self, url: str) -> HttpSource:
        """Return the source of another address, with the same login if it is of the same server."""
        source = HttpSource(url, self._connections)
        if source._origin == self._origin:
            source._login = source._login or self._login
        return source

    def read_list(self) -> tuple[str, str]:
        """Return the text at the address, and at which address it was in the end."""
        body, url = self._open(self._url, 0, "")
        try:
            return body.read_all(_LONGEST_LIST_BYTES).decode("utf-8", "replace"), url
        finally:
            body.close()

    def open(self, remote: Remote, offset: int, version: str) -> HttpBody:
        """Return the bytes of a file from `offset` on, from 0 on if it has changed or the server knows no ranges."""
        return self._open(remote.url, offset, version)[0]

    def refuse(self, answer: Answer) -> Refused:
        """Return what to say of an answer without a file."""
        answer.drop()
        return describe_status(answer.response, time.time())

    def _open(self, url: str, offset: int, version: str) -> tuple[HttpBody, str]:
        if version.startswith("W/"):  # says nothing of single bytes: RFC 9110, section 13.1.5
            offset = 0
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        if offset and version:
            headers["If-Range"] = version
        answer, url = self._ask(url, headers)
        body = choose_body(answer, offset, version)
        if body is None and offset:
            answer.close()
            return self._open(url, 0, "")
        if body is None:
            answer.close()
            raise Refused(f"it answers {answer.response.status} where the whole was asked for")
        return body, url

    def _ask(self, url: str, headers: dict[str, str]) -> tuple[Answer, str]:
        """Return the answer with a file in it, whatever redirects are on the way, and where it was."""
        for _ in range(_MOST_REDIRECTS):
            answer = self._ask_once(url, headers)
            response = answer.response
            if response.status in (OK, PARTIAL, NOTHING_THERE):
                return answer, url
            if response.status not in _REDIRECTS:
                raise self.refuse(answer)
            answer.drop()
            url = self._check_redirect(url, response.headers.get("Location", ""))
        raise Refused(f"more than {_MOST_REDIRECTS} redirects", is_permanent=True)

    def _ask_once(self, url: str, headers: dict[str, str]) -> Answer:
        parts = urlsplit(url)
        origin = parse_origin(parts)
        login = self._login if origin == self._origin else {}
        target = quote(urlunsplit(("", "", parts.path or "/", parts.query, "")), safe=_SAFE)
        try:
            connection, response = self._connections.request(
                origin, target, {**_ALWAYS, **self.asked, **headers, **login}
            )
        except (OSError, http.client.HTTPException) as error:
            raise Refused(f"{origin.authority}: {describe_error(error)}", is_down=True) from None
        return Answer(self._connections, origin, connection, response)

    def _check_redirect(self, url: str, place: str) -> str:
        """Return where an answer says that the file is; a password never goes on to where it can be read."""
        found = urljoin(url, place)
        parts = urlsplit(found)
        try:
            parse_origin(parts)
        except ValueError:
            raise Refused(f"it is redirected to {clean(found)}", is_permanent=True) from None
        if self._login and parts.scheme == "http" and urlsplit(url).scheme == "https":
            raise Refused("with a password, no redirect from https to http is followed", is_permanent=True)
        return found
