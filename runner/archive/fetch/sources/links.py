"""The files that the page of a directory links to, as nginx, Apache and Python write it: pure."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit, urlunsplit


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, None] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.update((value, None) for name, value in attrs if tag == "a" and name == "href" and value)


def list_files(page: str, url: str) -> Iterator[str]:
    """Yield the addresses of the files in the directory at `url`; not what is elsewhere, nor what sorts the page."""
    links = _Links()
    links.feed(page)
    links.close()
    directory = urlsplit(urljoin(url, "."))
    for link in links.found:
        try:
            parts = urlsplit(urljoin(url, link))
        except ValueError:  # no address: http://[
            continue
        above, _, name = parts.path.rpartition("/")
        is_here = (parts.scheme, parts.netloc, f"{above}/") == (directory.scheme, directory.netloc, directory.path)
        if is_here and name and not parts.query:
            yield urlunsplit(parts._replace(fragment=""))
