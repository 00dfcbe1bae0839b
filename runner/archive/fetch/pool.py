"""Threads that do errands: so many at once in all and for one host, each again later where it asks for that (ARCH-7).

An errand that waits holds no thread, and a host that is down or asks for patience holds up nobody else.
"""

from __future__ import annotations

import heapq
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

# Does what it is for and returns None, or the seconds after which it is to be called again.
Errand = Callable[[], float | None]
# How long threads are waited for that are to stop and sit in a system call.
_STOP_S = 2.0


@dataclass(slots=True)
class _Host:
    ready: deque[Errand] = field(default_factory=deque)
    active: int = 0
    not_before: float = 0.0


class Pool:
    """Errands of many hosts, and the threads that do them.

    Attributes
    ----------
    stop
        Set when all is to end.
    """

    def __init__(self, connections: int, per_host: int) -> None:
        self.stop = threading.Event()
        self._connections = connections
        self._per_host = per_host
        self._changed = threading.Condition()
        self._over = threading.Event()
        self._hosts: dict[str, _Host] = {}
        self._waiting: list[tuple[float, int, str, Errand]] = []
        self._numbers = count()
        self._open = 0  # errands that are not done
        self._bug: BaseException | None = None

    def add(self, host: str, errand: Errand) -> None:
        """Add an errand; an errand may do that too."""
        with self._changed:
            self._open += 1
            self._hosts.setdefault(host, _Host()).ready.append(errand)
            self._changed.notify()

    def hold(self, host: str, seconds: float) -> None:
        """Begin nothing more at a host for so long: it has asked for that."""
        with self._changed:
            kept = self._hosts.setdefault(host, _Host())
            kept.not_before = max(kept.not_before, time.monotonic() + seconds)

    def run(self) -> None:
        """Do all errands; what one of them raises ends all, and is raised here."""
        threads = [threading.Thread(target=self._work, daemon=True) for _ in range(self._connections)]
        for thread in threads:
            thread.start()
        try:
            while self._open and not self.stop.is_set():
                self._over.wait()
        finally:
            self._end(threads)
        if self._bug:
            raise self._bug

    def _is_over(self) -> bool:
        return not self._open or self.stop.is_set()

    def _end(self, threads: list[threading.Thread]) -> None:
        self.stop.set()
        with self._changed:
            self._changed.notify_all()
        until = time.monotonic() + _STOP_S
        for thread in threads:
            thread.join(max(until - time.monotonic(), 0.0))

    def _work(self) -> None:
        try:
            while taken := self._take():
                host, errand = taken
                self._put_back(host, errand, errand())
        except BaseException as error:  # a bug, or Stopped: both end all
            with self._changed:
                self._bug = self._bug or error
                self.stop.set()
                self._over.set()

    def _take(self) -> tuple[str, Errand] | None:
        """Return what is to be done next, when there is something; None when all is over."""
        with self._changed:
            while not self._is_over():
                now = time.monotonic()
                self._wake(now)
                free = [(kept.active, name) for name, kept in self._hosts.items() if self._is_free(kept, now)]
                if free:
                    _, name = min(free)  # that of the least busy host, so that all get on
                    self._hosts[name].active += 1
                    return name, self._hosts[name].ready.popleft()
                self._changed.wait(self._find_pause(now))
            return None

    def _put_back(self, host: str, errand: Errand, wait_s: float | None) -> None:
        with self._changed:
            self._hosts[host].active -= 1
            if wait_s is None:
                self._open -= 1
            else:
                heapq.heappush(self._waiting, (time.monotonic() + wait_s, next(self._numbers), host, errand))
            if not self._open:
                self._over.set()
            self._changed.notify()

    def _wake(self, now: float) -> None:
        while self._waiting and self._waiting[0][0] <= now:
            _, _, host, errand = heapq.heappop(self._waiting)
            self._hosts[host].ready.append(errand)

    def _is_free(self, host: _Host, now: float) -> bool:
        return bool(host.ready) and host.active < self._per_host and host.not_before <= now

    def _find_pause(self, now: float) -> float | None:
        """Return how long nothing becomes due by itself; None if that is for ever."""
        moments = [kept.not_before for kept in self._hosts.values() if kept.ready and kept.not_before > now]
        moments += [self._waiting[0][0]] if self._waiting else []
        return max(min(moments) - now, 0.0) if moments else None
