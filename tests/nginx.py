"""A real nginx for tests, with a configuration, a port and temporary directories of its own.

What it serves is below ``files``: at ``/range/`` as ever (with a list of each directory), at ``/whole/`` without
ranges, at ``/slow/`` 100 KiB a second, at ``/busy/`` 503 with Retry-After, at ``/forbidden/`` 403; ``/moved/``
leads to ``/range/``.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

from missing import give_up

_CONFIGURATION = """
daemon off;
worker_processes 1;
pid {directory}/pid;
error_log {directory}/error.log;
{user}
events {{ worker_connections 256; }}
http {{
    log_format requests '$connection $status $request_uri "$http_range" "$http_authorization"';
    access_log {directory}/access.log requests;
    default_type application/octet-stream;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    sendfile on;
    server {{
        listen 127.0.0.1:{port};
        location /range/ {{ alias {files}/; autoindex on; }}
        location /whole/ {{ alias {files}/; max_ranges 0; }}
        location /slow/ {{ alias {files}/; limit_rate 100k; }}
        location /busy/ {{ add_header Retry-After 7 always; return 503; }}
        location /forbidden/ {{ return 403; }}
        location /moved/ {{ rewrite ^/moved/(.*) /range/$1 redirect; }}
    }}
}}
"""
_START_S = 20.0


class Nginx:
    """A server of our own on a free port of loopback.

    Attributes
    ----------
    files
        The directory that is served.
    url
        Its address, without a slash at the end.
    """

    def __init__(self, directory: Path) -> None:
        program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        if program is None:
            give_up("nginx is not installed")
        self.directory = directory
        self.files = directory / "files"
        self.files.mkdir(parents=True)
        port = _find_port()
        self.url = f"http://127.0.0.1:{port}"
        configuration = directory / "nginx.conf"
        # As root its workers would be nobody, who may not enter the directories of a test.
        user = "user root;" if os.geteuid() == 0 else ""
        text = _CONFIGURATION.format(directory=directory, files=self.files, port=port, user=user)
        configuration.write_text(text)
        command = [program, "-e", directory / "error.log", "-p", directory, "-c", configuration]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._wait_until_ready(port)

    def stop(self) -> None:
        """End the server."""
        self._process.terminate()
        self._process.wait(timeout=30)

    def read_requests(self) -> list[str]:
        """Return what was asked so far: connection, status, target, Range, Authorization."""
        return (self.directory / "access.log").read_text().splitlines()

    def _wait_until_ready(self, port: int) -> None:
        until = time.monotonic() + _START_S
        while True:
            try:
                return socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:
                if self._process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError((self.directory / "error.log").read_text()) from None
                time.sleep(0.02)


def _find_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
