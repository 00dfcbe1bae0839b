"""Running checks beside each other, each in a process of its own with a time limit.

A process and no thread: a check may hang for ever in a system call (a mount whose server is gone), change the zone of
libc, become the parent of what an activation left behind. Nothing is shared, and what it started goes with it. It is
forked and not started anew, so that the home is read and the modules are imported once.

What a check says goes through a pipe, a line of JSON each, as soon as it finds it: what it found before it hung counts.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NoReturn

from runner.diagnose.check import ERROR, NOTE, WARNING, Check, Finding, Unanswered
from runner.diagnose.context import Context
from runner.errors import RunnerError
from runner.launch.orphans import become_subreaper, reap_orphans
from runner.launch.process import Identity, read_stat
from runner.launch.state import write_all
from runner.launch.tree import find_descendants, kill_below, signal_all

# They wait for disks and servers more than they compute.
AT_ONCE = 16
# A process that is killed while its disk does not answer ends when that does; nobody waits for it.
_REAP_S = 1.0
_SHOWN = 500


@dataclass(slots=True)
class _Running:
    """A check at work: its process, the end of its pipe, until when it may run (monotonic), what it said."""

    check: Check
    pid: int
    pipe: int
    until: float
    said: bytearray = field(default_factory=bytearray)


def run_checks(checks: Iterable[Check], context: Context) -> Iterator[Finding]:
    """Yield what checks find, each check's findings when it has ended; one that crashes or overruns is a finding."""
    waiting = deque(sorted(checks, key=lambda check: -check.timeout_s))
    running: dict[int, _Running] = {}
    with selectors.DefaultSelector() as selector:
        try:
            while waiting or running:
                while waiting and len(running) < AT_ONCE:
                    one = _start(waiting.popleft(), context)
                    running[one.pipe] = one
                    selector.register(one.pipe, selectors.EVENT_READ)
                for one in _wait(selector, running):
                    selector.unregister(one.pipe)
                    yield from _finish(running.pop(one.pipe))
        finally:
            for one in running.values():
                _kill(one)


def _wait(selector: selectors.BaseSelector, running: dict[int, _Running]) -> list[_Running]:
    """Take what was said meanwhile; return the checks that have ended, or whose time is over."""
    wait_s = max(min(one.until for one in running.values()) - time.monotonic(), 0.0)
    ended = []
    for key, _ in selector.select(wait_s):
        one = running[key.fd]
        data = os.read(one.pipe, 65536)
        one.said += data
        ended += [] if data else [one]
    return ended or [one for one in running.values() if time.monotonic() >= one.until]


def _start(check: Check, context: Context) -> _Running:
    pipe, answer = os.pipe()
    pid = os.fork()
    if not pid:
        _answer(check, context, answer)
    os.close(answer)
    return _Running(check, pid, pipe, time.monotonic() + check.timeout_s)


def _answer(check: Check, context: Context, answer: int) -> NoReturn:
    """Run a check in its process, and end that; what is printed meanwhile is for nobody."""
    code = 1
    try:
        os.setsid()
        become_subreaper()
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nothing, descriptor)
        for finding in _ask(check, context):
            write_all(answer, json.dumps(finding.describe()).encode() + b"\n")
        code = 0
    finally:
        with suppress(OSError):
            if reap_orphans():
                kill_below(os.getpid())
        os._exit(code)


def _ask(check: Check, context: Context) -> Iterator[Finding]:
    """Yield what a check finds, and what keeps it from finding more."""
    try:
        yield from check.find(context)
    except Unanswered as unanswered:
        yield Finding(check.id, NOTE, f'"{check.title}" cannot be told: {unanswered}', "runner check")
    except RunnerError as error:
        yield Finding(check.id, _at_least_warning(check), f'"{check.title}" cannot be told', "", str(error))
    except OSError as error:
        reason = f"{error.filename or type(error).__name__}: {error.strerror or error}"
        yield Finding(check.id, _at_least_warning(check), f'"{check.title}" cannot be told', "", reason)
    except Exception as error:
        from traceback import extract_tb

        *_, last = extract_tb(error.__traceback__)
        message = f"the check itself failed: {type(error).__name__}: {error}"[:_SHOWN]
        place = f"{last.filename}:{last.lineno} in {last.name}"
        yield Finding(check.id, _at_least_warning(check), message, "a bug of the check: tell its author", place)


def _finish(one: _Running) -> Iterator[Finding]:
    """Yield the findings of a check that has ended, or is ended now."""
    check, is_over = one.check, time.monotonic() >= one.until
    status = _kill(one)
    for line in bytes(one.said).split(b"\n")[:-1]:
        yield Finding(**json.loads(line))
    if is_over and status != 0:
        message = f'"{check.title}" cannot be told: no answer within {check.timeout_s:g} s'
        yield Finding(check.id, _at_least_warning(check), message, "a server or a disk that it asks does not answer")
    elif status != 0:
        message = f"the check itself ended with {_describe_status(status)}"
        yield Finding(check.id, _at_least_warning(check), message, "a bug of the check: tell its author")


def _kill(one: _Running) -> int | None:
    """End a check with all that it started; return how its process ended (wait(2)), None if it has not yet."""
    os.close(one.pipe)
    with suppress(ProcessLookupError):
        started = read_stat(one.pid)
        if started[0] != "Z":
            signal_all([*find_descendants(one.pid), Identity(one.pid, started[1])], signal.SIGKILL)
    until = time.monotonic() + _REAP_S
    while time.monotonic() < until:
        ended, status = os.waitpid(one.pid, os.WNOHANG)
        if ended:
            return status
        time.sleep(0.005)
    return None


def _describe_status(status: int | None) -> str:
    if status is None:
        return "no status"
    return f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"exit {os.waitstatus_to_exitcode(status)}"


def _at_least_warning(check: Check) -> str:
    return ERROR if check.level == ERROR else WARNING
