"""Checks asked of a home that a test has broken, through the real engine; and what a broken machine needs."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

from homes import Home
from missing import need_namespaces

from runner.diagnose.check import Check, Finding, list_checks
from runner.diagnose.context import Context, read_context
from runner.diagnose.report import choose_checks
from runner.diagnose.run import run_checks

ALL_CHECKS = list_checks()[0]


def find(home: Home, name: str, **changes: Any) -> list[Finding]:
    """Return what the check of that id finds; `changes` are of its context."""
    return find_at(home.path, name, **changes)


def find_at(home: Path, name: str, **changes: Any) -> list[Finding]:
    """Return what it finds in the home that is there."""
    context = replace(read_context(home, changes.pop("now", time.time())), **changes)
    return run(choose_checks(ALL_CHECKS, [name]), context)


def find_one(home: Home, name: str, **changes: Any) -> Finding:
    """Return the only finding."""
    (finding,) = find(home, name, **changes)
    return finding


def run(checks: list[Check], context: Context) -> list[Finding]:
    """Run checks as the command does."""
    with warnings.catch_warnings():
        # Python 3.12 warns of a fork beside threads; those here are the servers of tests, which no child needs.
        warnings.simplefilter("ignore", DeprecationWarning)
        return list(run_checks(checks, context))


def install(home: Home) -> None:
    """Compile and install, which must succeed."""
    home.compile()
    answer = home.runner("crontab", "install", "--yes")
    assert answer.code == 0, answer.err


def diagnose_apart(home: Home, name: str, before: str = "", *options: str) -> list[dict[str, str]]:
    """Call ``runner diagnose NAME`` in namespaces of its own, in which `before` was done; return the findings."""
    need_namespaces()
    script = f'{before}\nexec "$1" -m runner.cli.main --home "$2" diagnose "$3" --json'
    words = ["unshare", "-rm", *options, "sh", "-c", script, "sh", sys.executable, str(home.path), name]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def set_age(path: Path, seconds: float) -> None:
    """Have a file last changed so long ago."""
    at = time.time() - seconds
    os.utime(path, (at, at))


@contextmanager
def serve_tls(context: Any) -> Iterator[int]:
    """Serve TLS on loopback, with nothing to say; yield the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    plain, _ = listener.accept()
                except OSError:
                    return
                with plain:
                    try:
                        context.wrap_socket(plain, server_side=True).close()
                    except OSError:
                        continue

        thread = Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)
