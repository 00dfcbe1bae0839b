"""ARCH-1 to ARCH-7: whatever an HTTP server does, what stands under a final name is whole."""

from __future__ import annotations

import base64
import hashlib
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from cutting_server import Reply, Request, cutting_server, serve_range
from fetching import BODY, fetch, fetch_one, list_files
from nginx import Nginx

from runner.archive.fetch.options import Options
from runner.archive.fetch.results import FAILED, FETCHED, PRESENT

MD5 = base64.b64encode(hashlib.md5(BODY).digest()).decode()
ETAG = {"ETag": '"1"'}


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    server = Nginx(tmp_path_factory.mktemp("nginx"))
    yield server
    server.stop()


@pytest.fixture
def night(nginx: Nginx) -> Iterator[Path]:
    """The directory that nginx serves, empty."""
    yield nginx.files
    for path in nginx.files.iterdir():
        path.unlink()


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


# A good server


@pytest.mark.parametrize("kind", ["range", "whole", "moved"])
def test_a_file_is_fetched_once(nginx: Nginx, night: Path, out: Path, kind: str) -> None:
    (night / "a.fits").write_bytes(BODY)
    url = f"{nginx.url}/{kind}/a.fits"

    first, second = fetch_one(url, out), fetch_one(url, out)

    assert (first.result, second.result) == (FETCHED, PRESENT)
    assert first.sha256 == second.sha256 == hashlib.sha256(BODY).hexdigest()
    assert list_files(out) == {"a.fits": BODY}


def test_a_file_that_has_changed_there_is_fetched_again(nginx: Nginx, night: Path, out: Path) -> None:
    url = f"{nginx.url}/range/a.fits"
    (night / "a.fits").write_bytes(BODY)
    fetch_one(url, out)
    (night / "a.fits").write_bytes(b"new" + BODY)

    assert fetch_one(url, out).result == FETCHED
    assert list_files(out) == {"a.fits": b"new" + BODY}


def test_an_empty_file_is_a_file(nginx: Nginx, night: Path, out: Path) -> None:
    (night / "a.fits").touch()
    results = [fetch_one(f"{nginx.url}/range/a.fits", out).result for _ in range(2)]
    assert results == [FETCHED, PRESENT]
    assert list_files(out) == {"a.fits": b""}


def test_the_time_of_the_last_change_is_that_of_the_source_and_the_mode_that_of_the_umask(
    nginx: Nginx, night: Path, out: Path
) -> None:
    (night / "a.fits").write_bytes(BODY)
    fetch_one(f"{nginx.url}/range/a.fits", out)
    (out / "other").touch()
    assert int((out / "a.fits").stat().st_mtime) == int((night / "a.fits").stat().st_mtime)
    assert (out / "a.fits").stat().st_mode == (out / "other").stat().st_mode


def test_the_files_of_a_directory_are_those_of_its_page(nginx: Nginx, night: Path, out: Path) -> None:
    names = ["a.fits", "b c.fits", "d&e#f.fits", "Größe.fits"]
    for name in names:
        (night / name).write_bytes(name.encode())

    fetch(f"{nginx.url}/range/", out)

    assert list_files(out) == {name: name.encode() for name in sorted(names)}


def test_a_connection_is_used_again_and_a_host_has_no_more_than_its_limit(nginx: Nginx, night: Path, out: Path) -> None:
    """ARCH-7."""
    for number in range(40):
        (night / f"{number}.fits").write_bytes(BODY)
    before = len(nginx.read_requests())

    fetch(f"{nginx.url}/range/", out, connections=8, per_host=3)

    connections = Counter(line.split()[0] for line in nginx.read_requests()[before:])
    assert len(list_files(out)) == 40
    assert len(connections) <= 3


def test_a_password_goes_to_its_server_and_is_nowhere_else(nginx: Nginx, night: Path, out: Path) -> None:
    (night / "a.fits").write_bytes(BODY)
    url = nginx.url.replace("//", "//me:secret%40word@")

    result = fetch_one(f"{url}/range/a.fits", out)

    login = base64.b64encode(b"me:secret@word").decode()
    assert f'"Basic {login}"' in nginx.read_requests()[-1]
    assert "secret" not in repr(result) + (out / ".manifest.jsonl").read_text()


def test_asking_whether_files_have_changed_keeps_the_connection(nginx: Nginx, night: Path, out: Path) -> None:
    for number in range(10):
        (night / f"{number}.fits").write_bytes(BODY)
    fetch(f"{nginx.url}/range/", out)
    before = len(nginx.read_requests())
    assert fetch(f"{nginx.url}/range/", out, per_host=1).counts == {PRESENT: 10}
    assert len({line.split()[0] for line in nginx.read_requests()[before:]}) == 1


def test_a_server_that_tells_nothing_but_the_size_is_believed(out: Path) -> None:
    with cutting_server(lambda request: Reply(200, BODY)) as server:
        results = [fetch_one(f"{server.url}/a.fits", out).result for _ in range(2)]
    assert results == [FETCHED, PRESENT]


def test_an_address_of_https_is_fetched_if_its_certificate_can_be_verified(
    out: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    authority = trustme.CA()
    with cutting_server(lambda _: Reply(200, BODY), authority.issue_cert("127.0.0.1")) as server:
        refused = fetch_one(f"{server.url}/a.fits", out, attempts=1)
        authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        fetched = fetch_one(f"{server.url}/a.fits", out)
    assert server.url.startswith("https://")
    assert (refused.result, "certificate verify failed" in refused.reason) == (FAILED, True)
    assert fetched.result == FETCHED


def test_a_proxy_of_the_environment_is_used(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with cutting_server(lambda _: Reply(200, BODY)) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url.replace("//", "//me:secret@"))
        monkeypatch.setenv("no_proxy", "")
        assert fetch_one("http://archive.invalid/d/a.fits", out).result == FETCHED
    (request,) = proxy.requests
    assert (request.path, request.headers["host"]) == ("http://archive.invalid/d/a.fits", "archive.invalid")
    assert request.headers["proxy-authorization"].startswith("Basic ")


# A server in trouble


def test_what_is_here_is_present_though_its_host_is_down(out: Path, tmp_path: Path) -> None:
    table = tmp_path / "table"
    with cutting_server(lambda _: Reply(200, BODY)) as server:
        table.write_text(f"url,size\n{server.url}/a.fits,{len(BODY)}\n")
        fetch(f"@{table}", out)
        table.write_text("".join([table.read_text(), *(f"{server.url}/{n}.fits,5\n" for n in range(9))]))
    summary = fetch(f"@{table}", out, attempts=1, connections=1)
    assert summary.counts == {PRESENT: 1, FAILED: 9}


def test_a_body_that_is_cut_is_gone_on_with_where_it_ended(out: Path) -> None:
    """ARCH-2, ARCH-4."""

    def script(request: Request) -> Reply:
        reply = serve_range(request, BODY, **ETAG)
        reply.cut = 70_000 if not request.first else None
        return reply

    with cutting_server(script) as server:
        assert fetch_one(f"{server.url}/a.fits", out).result == FETCHED
    assert list_files(out) == {"a.fits": BODY}
    assert [request.headers.get("range") for request in server.requests] == [None, "bytes=70000-"]
    assert server.requests[1].headers["if-range"] == '"1"'


def test_if_the_source_changed_meanwhile_all_of_it_is_fetched_anew(out: Path) -> None:
    new = b"new" + BODY[::-1]

    def script(request: Request) -> Reply:
        if len(server.requests) == 1:
            return Reply(200, BODY, ETAG, cut=70_000)
        return Reply(200, new, {"ETag": '"2"'})

    with cutting_server(script) as server:
        assert fetch_one(f"{server.url}/a.fits", out).result == FETCHED
    assert list_files(out) == {"a.fits": new}


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Range": "bytes 5-9/262144"},
        {"Content-Range": "nonsense"},
        {},
        {"Content-Range": "bytes 70000-262143/262144", "ETag": '"2"'},
    ],
)
def test_a_part_that_is_not_the_one_asked_for_is_not_taken(out: Path, headers: dict[str, str]) -> None:
    def script(request: Request) -> Reply:
        if request.first:
            return Reply(206, b"x" * (len(BODY) - request.first), {**ETAG, **headers})
        return Reply(200, BODY, ETAG, cut=70_000 if len(server.requests) == 1 else None)

    with cutting_server(script) as server:
        assert fetch_one(f"{server.url}/a.fits", out).result == FETCHED
    assert list_files(out) == {"a.fits": BODY}


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_server_is_asked_again(out: Path, status: int) -> None:
    """ARCH-4."""

    def script(request: Request) -> Reply:
        return Reply(status, b"busy") if len(server.requests) < 3 else Reply(200, BODY)

    with cutting_server(script) as server:
        assert fetch_one(f"{server.url}/a.fits", out).result == FETCHED
    assert len(server.requests) == 3


@pytest.mark.parametrize(("kind", "reason"), [("forbidden", "403 Forbidden"), ("range", "404 Not Found")])
def test_what_is_forbidden_or_gone_is_asked_for_once(nginx: Nginx, out: Path, kind: str, reason: str) -> None:
    """ARCH-11."""
    url = f"{nginx.url}/{kind}/no.fits"
    before = len(nginx.read_requests())

    results = [fetch_one(url, out), fetch_one(url, out)]

    assert [(one.result, one.reason, one.is_permanent) for one in results] == [(FAILED, reason, True)] * 2
    assert len(nginx.read_requests()) - before == 1
    fetch_one(url, out, Options(retry_failed=True))
    assert len(nginx.read_requests()) - before == 2


def test_a_server_that_is_out_of_order_is_a_source_that_is_down(nginx: Nginx, out: Path) -> None:
    summary = fetch(f"{nginx.url}/busy/a.fits", out, attempts=2)
    assert [(one.result, one.is_permanent) for one in summary.results] == [(FAILED, False)]
    assert summary.down == [f"{nginx.url}/busy/a.fits"]


def test_a_host_that_is_down_is_not_asked_for_every_file_and_holds_up_no_other(
    nginx: Nginx, night: Path, out: Path
) -> None:
    (night / "good.fits").write_bytes(BODY)
    dead = [f"http://127.0.0.1:9/{number}.fits" for number in range(200)]

    began = time.monotonic()
    summary = fetch([*dead, f"{nginx.url}/range/good.fits"], out, backoff=0.3, longest_wait=0.3)

    assert summary.counts == {FAILED: 200, FETCHED: 1}
    assert len(summary.down) == 200
    assert time.monotonic() - began < 60, "each of 200 files was waited for"


@pytest.mark.parametrize("sent", [100, len(BODY) - 1])
def test_a_file_that_never_comes_whole_is_given_up_for_good_after_some_calls(out: Path, sent: int) -> None:
    """ARCH-3: what was announced did not come."""
    with cutting_server(lambda request: Reply(200, BODY, ETAG, cut=sent)) as server:
        results = [fetch_one(f"{server.url}/a.fits", out) for _ in range(4)]
        asked = len(server.requests)
        fetch_one(f"{server.url}/a.fits", out)
    assert "bytes before the end" in results[0].reason
    assert [one.is_permanent for one in results[:1] + results[-1:]] == [False, True]
    assert len(server.requests) == asked
    assert "a.fits" not in list_files(out)


@pytest.mark.parametrize("header", ["Content-MD5", "Digest", "Repr-Digest"])
def test_the_checksum_of_the_server_is_verified(out: Path, header: str) -> None:
    """ARCH-5."""
    forms = {"Content-MD5": MD5, "Digest": f"md5={MD5}", "Repr-Digest": f"md5=:{MD5}:"}
    body = bytearray(BODY)

    with cutting_server(lambda request: Reply(200, bytes(body), {header: forms[header]})) as server:
        body[7] ^= 1
        damaged = fetch_one(f"{server.url}/a.fits", out)
        asked = len(server.requests)
        body[7] ^= 1
        right = fetch_one(f"{server.url}/a.fits", out)

    assert (damaged.result, asked) == (FAILED, 2)
    assert damaged.reason.startswith("its md5 is ")
    assert right.result == FETCHED
    assert list_files(out) == {"a.fits": BODY}


def test_a_file_that_is_wrong_again_and_again_is_given_up_for_good(out: Path) -> None:
    with cutting_server(lambda request: Reply(200, b"no" + BODY, {"Content-MD5": MD5})) as server:
        results = [fetch_one(f"{server.url}/a.fits", out) for _ in range(5)]
    assert [one.is_permanent for one in results] == [False, False, True, True, True]
    assert len(server.requests) == 6


def test_a_server_that_sends_next_to_nothing_is_given_up(nginx: Nginx, night: Path, out: Path) -> None:
    (night / "a.fits").write_bytes(BODY)
    result = fetch_one(f"{nginx.url}/slow/a.fits", out, timeout=1.2, slowest=1 << 30, attempts=1)
    assert (result.result, result.is_permanent) == (FAILED, False)
    assert result.reason.startswith("too slow: ")


def test_a_server_that_stops_sending_is_not_waited_for_for_ever(out: Path) -> None:
    def script(request: Request) -> Reply:
        time.sleep(1.0)
        return Reply(200, BODY)

    with cutting_server(script) as server:
        result = fetch_one(f"{server.url}/a.fits", out, timeout=0.1, attempts=1)
    assert (result.result, result.is_down) == (FAILED, True)


def test_a_file_that_is_too_large_is_not_begun(nginx: Nginx, night: Path, out: Path) -> None:
    (night / "a.fits").write_bytes(BODY)
    result = fetch_one(f"{nginx.url}/range/a.fits", out, largest=1000)
    assert (result.result, result.is_permanent) == (FAILED, True)
    assert "fetch.largest" in result.reason


def test_redirects_in_a_circle_end(out: Path) -> None:
    with cutting_server(lambda request: Reply(302, b"", {"Location": "/a.fits"})) as server:
        result = fetch_one(f"{server.url}/a.fits", out)
    assert (result.result, result.is_permanent) == (FAILED, True)


def test_a_password_does_not_follow_a_redirect_to_another_server(nginx: Nginx, night: Path, out: Path) -> None:
    (night / "a.fits").write_bytes(BODY)
    with cutting_server(lambda request: Reply(302, b"", {"Location": f"{nginx.url}/range/a.fits"})) as server:
        fetch_one(server.url.replace("//", "//me:secret@") + "/a.fits", out)
    assert server.requests[0].headers["authorization"].startswith("Basic ")
    assert nginx.read_requests()[-1].endswith('"-"')


def test_a_body_in_chunks_is_whole_when_its_last_chunk_has_come(out: Path) -> None:
    chunk = b"5\r\nhello\r\n"

    def script(request: Request) -> Reply:
        end = b"" if len(server.requests) == 1 else b"0\r\n\r\n"
        return Reply(200, chunk + end, {"Transfer-Encoding": "chunked", "Content-Length": ""}, cut=99)

    with cutting_server(script) as server:
        assert fetch_one(f"{server.url}/a.fits", out).result == FETCHED
    assert list_files(out) == {"a.fits": b"hello"}
    assert len(server.requests) == 2


@pytest.mark.parametrize("name", ["..%2f..%2fevil", "%2e%2e%2fevil", "a%0ab", "a%00b", "x.part"])
def test_a_page_that_links_out_of_its_directory_gets_nowhere(out: Path, name: str) -> None:
    """ARCH-12."""
    page = f'<a href="{name}">x</a><a href="/etc/passwd">y</a><a href="?C=N">z</a><a href="../">up</a>'.encode()

    def script(request: Request) -> Reply:
        return Reply(200, page if request.path == "/d/" else b"evil")

    with cutting_server(script) as server:
        summary = fetch(f"{server.url}/d/", out)

    assert [(one.result, one.is_permanent) for one in summary.results] == [(FAILED, True)]
    assert list_files(out.parent) == {}
