"""For the scripts of jobs, in any Python from 3.8 on: a log of what was called, and what the run made, read and noted.

::

    from runner.job import log_fail, log_info, note, product, set_up_logging, used

    @log_fail
    @log_info
    def main(instrument):
        used("/data/raw/iexample_raw.fits")
        ...
        product("/data/cal/iexample_flt.fits")

    set_up_logging()
    main("wfc3")

``runner history RUN`` shows what was told. Outside of a run all of it is logged and nothing recorded. Nothing of the
runner imports this file and it imports the standard library alone: ``runner compile`` puts a copy where the Python of
any environment finds it.
"""

from __future__ import annotations

import functools
import hashlib
import json
import logging
import os
import platform
import stat
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, ParamSpec, TypeVar

    P = ParamSpec("P")
    T = TypeVar("T")

_LOG = logging.getLogger("runner.job")
_SHOWN_CHARACTERS = 200
# The form of an event is that of runner/launch/journal.py, its number that of runner/home/product.py.
_MAX_BYTES = 4096
_LOST_SEQ = 1000000
_MOST = 2**63 - 1


# What is logged


def set_up_logging(level: int = logging.INFO) -> None:
    """Send what is logged to stdout, and errors to stderr, which is mailed; warnings of libraries are logged, too.

    Parameters
    ----------
    level
        What is below it is not shown.
    """
    shown, mailed = logging.StreamHandler(sys.stdout), logging.StreamHandler(sys.stderr)
    shown.addFilter(lambda record: record.levelno < logging.ERROR)
    mailed.setLevel(logging.ERROR)
    layout = logging.Formatter("%(asctime)sZ %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S")
    layout.converter = time.gmtime
    for handler in (shown, mailed):
        handler.setFormatter(layout)
    logging.basicConfig(level=level, handlers=[shown, mailed], force=True)
    logging.captureWarnings(True)


def log_info(function: Callable[P, T]) -> Callable[P, T]:
    """Log each call of a function: its arguments, who and where, versions of what is imported, and the time it took."""

    @functools.wraps(function)
    def logged(*args: P.args, **kwargs: P.kwargs) -> T:
        for line in _describe_call(function.__qualname__, args, kwargs):
            _LOG.info("%s", line)
        began = time.monotonic()
        try:
            return function(*args, **kwargs)
        finally:
            _LOG.info("%s took %.3f s", function.__qualname__, time.monotonic() - began)

    return logged


def log_fail(function: Callable[P, T]) -> Callable[P, T]:
    """Log how a function ends. An exception goes on and fails the job; Python shows its traceback then."""

    @functools.wraps(function)
    def logged(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            result = function(*args, **kwargs)
        except Exception as error:
            _LOG.error("%s crashed: %s: %s", function.__qualname__, type(error).__name__, error)
            raise
        _LOG.info("%s completed", function.__qualname__)
        return result

    return logged


def _describe_call(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[str]:
    shown = [_show(value) for value in args] + [f"{key}={_show(value)}" for key, value in kwargs.items()]
    yield f"{name}({', '.join(shown)})"
    yield f"arguments {' '.join(map(_show, sys.argv))}"
    yield f"user {os.environ.get('USER', os.getuid())}, host {platform.node()}, directory {os.getcwd()}"
    if "RUNNER_RUN_ID" in os.environ:
        names = ("RUN_ID", "RELEASE", "PROFILE")
        yield "run {}, release {}, profile {}".format(*[os.environ.get("RUNNER_" + one, "-") for one in names])
    yield f"Python {platform.python_version()} {sys.executable}"
    yield f"packages {', '.join(_list_imported()) or 'none'}"


def _list_imported() -> list[str]:
    """Return name and version of each package that is imported; what belongs to Python itself has Python's."""
    found = []
    for name, module in sorted(sys.modules.items()):
        facts = vars(module) if isinstance(module, type(sys)) else {}
        version, file = facts.get("__version__"), facts.get("__file__") or ""
        if "." not in name and isinstance(version, str) and "-packages" + os.sep in file:
            found.append(f"{name} {version}")
    return found


def _show(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "..."


# What is recorded


def product(path: str | os.PathLike[str], *, digest: bool = True) -> None:
    """Record a file or directory that the run has made; OSError if it is not there.

    Parameters
    ----------
    path
        What is recorded is its absolute form.
    digest
        Whether a file is read for its SHA-256.
    """
    _record_file("product", "", os.fspath(path), digest=digest)


def used(path: str | os.PathLike[str], *, digest: bool = True) -> None:
    """Record a file or directory that the run has read, as `product`."""
    _record_file("input", "input\0", os.fspath(path), digest=digest)


def note(text: str) -> None:
    """Record what there is to say of the run."""
    _LOG.info("note: %s", text)
    _record("note", "note\0" + text, {"text": text})


def _record_file(kind: str, mark: str, path: str, *, digest: bool) -> None:
    path = os.path.abspath(path)
    size_bytes, found = _look_at(path, digest=digest)
    _LOG.info("%s: %s, %s bytes, %s", kind, path, size_bytes, found)
    facts = {"path": path, "size_bytes": size_bytes, "digest": found, "source": None}
    _record(kind, f"{mark}{path}\0{found or ''}", facts)


def _look_at(path: str, *, digest: bool) -> tuple[int | None, str | None]:
    """Return size and digest of a file; of a directory or the like neither is known."""
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):
        return None, None
    if not digest:
        return status.st_size, None
    sha256 = hashlib.sha256()
    with open(path, "rb") as file:
        for piece in iter(lambda: file.read(1 << 20), b""):
            sha256.update(piece)
    return status.st_size, "sha256:" + sha256.hexdigest()


def _record(kind: str, content: str, facts: dict[str, Any]) -> None:
    """Append an event to the journal; that it cannot be kept is logged as an error, and the job goes on."""
    state, run_id = os.environ.get("RUNNER_STATE"), os.environ.get("RUNNER_RUN_ID")
    if not state or not run_id:
        return
    number = int.from_bytes(hashlib.sha256(content.encode("utf-8", "surrogateescape")).digest()[:8], "big")
    now = time.time()
    at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1000000):06d}Z"
    event = {"event": kind, "at": at, "run_id": run_id, "seq": _LOST_SEQ + 1 + number % (_MOST - _LOST_SEQ)}
    event.update(job=os.environ.get("RUNNER_JOB", ""), plan=os.path.basename(os.environ.get("RUNNER_WORK", "")))
    event.update(facts)
    try:
        _append(os.path.join(state, "journal", at[:10] + ".jsonl"), _encode(event))
    except OSError as error:
        _LOG.error("%s is not recorded: %s", kind, error)


def _encode(event: dict[str, Any]) -> bytes:
    """Return newline + JSON object + newline, in which the longest texts are cut so that all is within the limit."""
    event = {key: _clean(value) if isinstance(value, str) else value for key, value in event.items()}
    while len(json.dumps(event)) > _MAX_BYTES - 2:
        longest = max(event, key=lambda key: len(json.dumps(event[key])))
        event[longest] = event[longest][: max(len(event[longest]) // 2 - 3, 0)] + "..."
    return f"\n{json.dumps(event)}\n".encode("ascii")


def _clean(text: str) -> str:
    """Return a text as every database takes it: bytes that are no UTF-8 are shown, and so is NUL."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def _append(path: str, record: bytes) -> None:
    """Append a record in one write, synced; the file must be our own, as the wrapper wants it (SEC-6)."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    descriptor = os.open(path, flags, 0o600)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1 or status.st_uid != os.geteuid():
            raise PermissionError(1, "not a regular file of this user with one link", path)
        if os.write(descriptor, record) != len(record):
            raise OSError(28, "No space left on device", path)
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)
