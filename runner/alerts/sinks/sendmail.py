"""Mail through the local sendmail program, or whatever stands in its place: argv, never a shell (SEC-11, ALERT-10)."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from email.message import EmailMessage

from runner.alerts.refusal import Refusals, refuse_all

# sysexits.h: no such user, no such host, and a message that it will never take.
_FINAL = {65: "EX_DATAERR", 67: "EX_NOUSER", 68: "EX_NOHOST"}
_ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}


def send(path: str, message: EmailMessage, recipients: Sequence[str], within_s: float) -> Refusals:
    """Hand the mail over; the recipients are those of its ``To``. Nobody waits longer than `within_s`."""
    command = [path, "-oi", "-t"]
    try:
        process = subprocess.Popen(
            command, env=_ENVIRONMENT, start_new_session=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
    except OSError as error:
        return refuse_all(recipients, f"{path}: {error.strerror}")
    try:
        said, _ = process.communicate(message.as_bytes(), timeout=within_s)
    except subprocess.TimeoutExpired:
        return refuse_all(recipients, f"{path} had not taken it after {within_s:.0f} s")
    finally:
        _end(process)
    if process.returncode == 0:
        return {}
    reason = f"{path} ended with {process.returncode}: {said.decode('utf-8', 'backslashreplace')[-300:]}"
    return refuse_all(recipients, reason, is_final=process.returncode in _FINAL)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a program that hangs, with all that it started."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe:
            with suppress(OSError):
                pipe.close()
