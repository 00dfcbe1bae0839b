"""``astroquery:...``: products of MAST, found by astroquery and fetched by our downloader (ARCH-8).

`runner.archive.fetch.sources.mast_query` says what may be written. A product found by criteria is called
``COLLECTION/OBS_ID/FILE``, as astroquery would store it; one that was named by its URI is called ``FILE``. One that
belongs to several observations comes once.

The address of the service is what astroquery's configuration file says when astroquery is imported.
"""

from __future__ import annotations

import numbers
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import requests
from astroquery.exceptions import InvalidQueryError, NoResultsWarning, RemoteServiceError, ResolverError
from astroquery.mast import ObservationsClass, conf
from requests.adapters import HTTPAdapter

from runner.archive.fetch.retry import is_permanent_status
from runner.archive.fetch.source import Body, Refused, Remote, Source
from runner.archive.fetch.sources.connections import Connections
from runner.archive.fetch.sources.http import HttpSource
from runner.archive.fetch.sources.mast_query import parse_request, plan_criteria, plan_filters
from runner.errors import UserError, clean

# Of how many observations the products are asked for at once: fetching begins when the first are known.
_AT_ONCE = 100
_DOWNLOAD = "/api/v0.1/Download/file?uri="


class MastSource(Source):
    """The products of an ``astroquery:`` address."""

    def __init__(self, text: str, timeout_s: float, connections: Connections) -> None:
        """UserError if `text` cannot be read."""
        self._request = parse_request(text)
        self._http = HttpSource(f"{conf.server}/", connections)
        self.host = self._http.host
        self._observations = ObservationsClass()
        # astroquery itself waits for an answer as long as the connection stands.
        for scheme in ("http://", "https://"):
            self._observations._session.mount(scheme, _Impatient(timeout_s))

    def list(self) -> Iterator[Remote]:
        """Yield the products, each once."""
        for uri in self._request.products:
            yield self._describe(uri, uri.rpartition("/")[2], None)
        seen: set[str] = set()
        for remote in self._find_products() if self._request.criteria else ():
            if remote.url not in seen:
                seen.add(remote.url)
                yield remote

    def open(self, remote: Remote, offset: int, version: str) -> Body:
        """Return the bytes of a product, as HTTP gives them."""
        return self._http.open(remote, offset, version)

    def close(self) -> None:
        """Let all connections go."""
        self._observations._session.close()

    def _describe(self, uri: str, name: str, size_bytes: int | None) -> Remote:
        return Remote(f"{conf.server}{_DOWNLOAD}{quote(uri, safe=':/')}", name, self.host, size_bytes)

    def _find_products(self) -> Iterator[Remote]:
        """Yield the products that are wanted, some of them more than once."""
        with self._asking():
            columns = self._observations.get_metadata("observations")
            types = dict(zip(columns["Column Name"].tolist(), columns["Data Type"].tolist(), strict=True))
        criteria = plan_criteria(self._request.criteria, types)
        with self._asking():
            observations = self._observations.query_criteria(**criteria)
        for first in range(0, len(observations), _AT_ONCE):
            with self._asking():
                products = self._observations.get_product_list(observations[first : first + _AT_ONCE])
            filters = plan_filters(self._request.filters, products.colnames)
            with self._asking():
                wanted = self._observations.filter_products(products, **filters)
                remotes = [self._describe_row(row) for row in wanted]
            yield from remotes

    def _describe_row(self, row: Any) -> Remote:
        name = "/".join(str(row[column]) for column in ("obs_collection", "obs_id", "productFilename"))
        return self._describe(str(row["dataURI"]), name, _read_size(row["size"]))

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Turn what astroquery raises into `UserError` or `Refused`."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", NoResultsWarning)
                yield
        except (InvalidQueryError, ResolverError) as error:
            raise UserError(f"astroquery: {clean(str(error))}") from error
        except requests.HTTPError as error:
            raise self._refuse(error.response.status_code) from error
        except RemoteServiceError as error:
            raise Refused(clean(f"MAST ({self.host}): {error}")) from error
        except (requests.RequestException, TimeoutError) as error:
            raise Refused(f"MAST ({self.host}) does not answer ({type(error).__name__})", is_down=True) from error
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            # astroquery believes whatever comes as JSON.
            raise Refused(f"MAST ({self.host}) gave no answer that astroquery understands", is_down=True) from error

    def _refuse(self, status: int) -> Refused:
        is_final = is_permanent_status(status)
        return Refused(f"MAST ({self.host}): {status}", is_permanent=is_final, is_down=not is_final)


class _Impatient(HTTPAdapter):
    """A connection on which a server may be silent for so long."""

    def __init__(self, timeout_s: float) -> None:
        super().__init__()
        self._timeout_s = timeout_s

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]
        return super().send(request, **{**options, "timeout": self._timeout_s})


def _read_size(size: Any) -> int | None:
    """Return the bytes of a product; MAST leaves it out, or says 0, where it has not been told."""
    return (int(size) or None) if isinstance(size, numbers.Integral) else None
