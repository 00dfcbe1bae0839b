"""A MAST on loopback that the unmodified astroquery talks to: columns, observations, products and their bytes.

It answers as the real one does: the first time a request comes it is ``EXECUTING``, then the rows come page by
page. The target of a question says what else it does: nothing for a while, an error, a page in HTML.
"""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

_COLUMNS = {
    "Mast.Caom.Cone": {
        "_selected_": {"type": "boolean"},
        "obs_collection": {"vot.datatype": "char", "separator": ";"},
        "instrument_name": {"vot.datatype": "char"},
        "target_name": {"vot.datatype": "char"},
        "obs_id": {"vot.datatype": "char"},
        "calib_level": {"vot.datatype": "int"},
        "t_min": {"vot.datatype": "double", "vot.unit": "d"},
        "t_exptime": {"vot.datatype": "double", "vot.unit": "s"},
        "obsid": {"vot.datatype": "long"},
        "s_resolution": {"remove": True},
    }
}
_OBSERVATIONS = ("obs_collection", "instrument_name", "target_name", "obs_id", "calib_level", "t_min", "t_exptime",
                 "obsid")  # fmt: skip
_PRODUCTS = ("obsID", "obs_collection", "obs_id", "dataURI", "productType", "productGroupDescription",
             "productSubGroupDescription", "productFilename", "size")  # fmt: skip
_TYPES = {"calib_level": "int", "t_min": "float", "t_exptime": "float", "size": "int"}
HANGS, FAILS, DOWN, HTML, FORBIDDEN = "HANGS", "FAILS", "DOWN", "HTML", "FORBIDDEN"


@dataclass
class Mast:
    """The server; `observations` and `products` are the rows of its tables, `asked` each request to invoke."""

    observations: list[dict[str, Any]] = field(default_factory=list)
    products: list[dict[str, Any]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[dict[str, Any]] = field(default_factory=list)
    page_rows: int = 2

    def __post_init__(self) -> None:
        self.released = Event()
        self._executing: set[str] = set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _make_handler(self))
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def configure(self, directory: Path) -> dict[str, str]:
        """Write astroquery's configuration below `directory`; return the variable that leads there."""
        (directory / "astropy").mkdir(parents=True)
        (directory / "astropy" / "astroquery.cfg").write_text(f"[mast]\nserver = {self.address}\n")
        return {"XDG_CONFIG_HOME": str(directory), "XDG_CACHE_HOME": str(directory)}

    def add(self, obs_id: str, names: Iterable[str], content: bytes = b"photons", **values: Any) -> None:
        """Add an observation of HST with WFC3 and its products."""
        number = 1000 + len(self.observations)
        self.observations.append(
            {"obs_collection": "HST", "instrument_name": "WFC3/UVIS", "target_name": "M31", "obs_id": obs_id,
             "calib_level": 3, "t_min": 60000.0, "t_exptime": 100.0, "obsid": number, **values}
        )  # fmt: skip
        for name in names:
            uri = f"mast:HST/product/{name}"
            kind = name.rpartition("_")[2].partition(".")[0].upper()
            self.files[uri] = content
            self.products.append(
                {"obsID": number, "obs_collection": "HST", "obs_id": obs_id, "dataURI": uri, "productType": "SCIENCE",
                 "productGroupDescription": None, "productSubGroupDescription": kind, "productFilename": name,
                 "size": len(content)}
            )  # fmt: skip

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return what ``invoke`` says to a request."""
        if request["cacheBreaker"] not in self._executing:
            self._executing.add(request["cacheBreaker"])
            self.asked.append(request)
            return {"status": "EXECUTING"}
        if request["service"] == "Mast.Caom.Products":
            wanted = request["params"]["obsid"].split(",")
            rows = [row for row in self.products if str(row["obsID"]) in wanted]
            return self._show_page(rows, _PRODUCTS, request["page"])
        rows = [row for row in self.observations if all(_fits(row, one) for one in request["params"]["filters"])]
        return self._show_page(rows, _OBSERVATIONS, request["page"])

    def stop(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _show_page(self, rows: list[dict[str, Any]], columns: tuple[str, ...], page: int) -> dict[str, Any]:
        pages = max(1, -(-len(rows) // self.page_rows))
        return {
            "status": "COMPLETE",
            "msg": "",
            "fields": [{"name": name, "type": _TYPES.get(name, "string")} for name in columns],
            "data": rows[(page - 1) * self.page_rows : page * self.page_rows],
            "paging": {"page": page, "pageSize": self.page_rows, "pagesFiltered": pages, "rowsTotal": len(rows)},
        }


def _fits(row: dict[str, Any], criterion: dict[str, Any]) -> bool:
    """Whether an observation meets one filter of a request."""
    value, values = row[criterion["paramName"]], criterion["values"]
    if values and isinstance(values[0], dict):
        return bool(values[0]["min"] <= value <= values[0]["max"])
    pattern = criterion.get("freeText", "").replace("%", "*")
    return str(value) in values or fnmatch.fnmatchcase(str(value), pattern)


def _find_target(request: dict[str, Any]) -> str:
    filters = request["params"].get("filters", ())
    return next((one["values"][0] for one in filters if one["paramName"] == "target_name" and one["values"]), "")


def _make_handler(mast: Mast) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one packet an answer: the client's kernel waits with its thanks for the first of two

        def do_POST(self) -> None:
            body = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            if "colConfigId" in body:
                return self._send(200, json.dumps(_COLUMNS[body["colConfigId"][0].replace("Products", "Cone")]))
            request = json.loads(body["request"][0])
            target = _find_target(request)
            if target == HANGS:
                mast.released.wait(30)
                self.close_connection = True
                return None
            if target == FAILS:
                return self._send(200, json.dumps({"status": "ERROR", "msg": "the database\x1b[2J is busy"}))
            if target in (DOWN, FORBIDDEN):
                return self._send(503 if target == DOWN else 403, "")
            return self._send(200, "<html>maintenance</html>" if target == HTML else json.dumps(mast.answer(request)))

        def do_GET(self) -> None:
            address = urlsplit(self.path)
            content = mast.files.get(parse_qs(address.query).get("uri", [""])[0])
            assert address.path == "/api/v0.1/Download/file"
            self._send(404 if content is None else 200, content or b"")

        def _send(self, status: int, content: str | bytes) -> None:
            body = content.encode() if isinstance(content, str) else content
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    return Handler
