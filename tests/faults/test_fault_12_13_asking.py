"""Jobs that ask: nobody answers, and at once."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from lab import SLOT, Lab, need_program


class _Refusing(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="lab"')
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def refusing_url() -> Iterator[str]:
    """A server that wants a password."""
    with HTTPServer(("127.0.0.1", 0), _Refusing) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_fault_12_stdin_is_at_its_end(lab: Lab) -> None:
    lab.job("reads", "cat; read x && exit 1; echo done")

    lab.run("reads", "--slot", SLOT)

    assert (lab.end("reads")["outcome"], lab.output("reads")) == ("ok", b"done\n")
    assert lab.end("reads")["duration_s"] < 2
    lab.assert_clean("reads")


def test_fault_13_there_is_no_terminal_to_ask(lab: Lab) -> None:
    lab.job("asks", "read x </dev/tty")

    lab.run("asks", "--slot", SLOT)

    end = lab.end("asks")
    assert (end["outcome"], end["reason"].split()[0]) == ("failed", "exit")
    assert end["duration_s"] < 5
    lab.assert_clean("asks")


def test_fault_13_git_does_not_ask_for_a_password(lab: Lab, refusing_url: str) -> None:
    need_program("git")
    lab.job("clones", f"git ls-remote {refusing_url}/private.git")

    result = lab.run("clones", "--slot", SLOT)

    assert lab.end("clones")["outcome"] == "failed"
    assert "terminal prompts disabled" in result.mail
    assert lab.end("clones")["duration_s"] < 5
    lab.assert_clean("clones")
