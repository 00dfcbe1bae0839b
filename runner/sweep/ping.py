"""``ping``: watches elsewhere hear how this sweep went, and of the runs of jobs that have a ``ping`` (healthchecks).

The last of all chores, and ten seconds at most: nothing waits for it. What was left by runs is sent in order of time
and tried again each minute, for an hour.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from runner.errors import BUG, DONE, TryLater
from runner.launch.journal import short_host
from runner.launch.pings import FAIL, LOG, START, SUCCESS, SUFFIX_END, SUFFIX_START, Ping, read_ping
from runner.launch.state import OUTBOX
from runner.sweep.chores import Result, Round

if TYPE_CHECKING:
    from runner.sweep.post import Message

LIMIT_S = 10.0
KEEP_S = 3600.0
# As much as healthchecks keeps of a body.
MOST_BYTES = 10_000
IDLE = "no ping: in envs/site.yaml, and no run left one"
_PATHS = {START: "/start", SUCCESS: "", FAIL: "/fail", LOG: "/log"}


def has_work(round_: Round) -> bool:
    """Whether the sweep is watched, or a run left a ping."""
    return bool(round_.place.plan.ping or _list_files(round_))


def work(round_: Round) -> str:
    """Send all; what cannot be sent is tried again, until it is too old to be of use."""
    from runner.sweep.post import Posting

    troubles = [line for posting in round_.begun for line in posting.finish()]
    waiting = list(_read_pings(round_))
    messages = [make_own(round_, FAIL if _find_failed(round_) else SUCCESS)] if round_.place.plan.ping else []
    messages += [_make_message(path, ping) for ping, path in waiting]
    troubles += Posting(messages, LIMIT_S).finish()
    left = [(ping, path) for ping, path in waiting if path.exists()]
    if old := [path for ping, path in left if abs(round_.now - ping.at) > KEEP_S]:
        for path in old:
            path.unlink(missing_ok=True)
        troubles.append(f"{len(old)} given up after an hour")
    if troubles:
        raise TryLater("; ".join(dict.fromkeys(troubles)))
    return f"{len(messages)} sent"


def make_own(round_: Round, signal: str) -> Message:
    """Return the ping about this sweep; of a failure its body says which chores failed, and why."""
    from uuid import NAMESPACE_URL, uuid5

    from runner.sweep.post import Message

    host = short_host(round_.place.host)
    rid = str(uuid5(NAMESPACE_URL, f"{host} {round_.now}"))
    url = build_address(round_.place.plan.ping.replace("{host}", host), signal, rid)
    body = "\n".join(map(_describe, _find_failed(round_))).encode()[:MOST_BYTES].decode("utf-8", "ignore")
    return Message("the sweep", url, url, body)


def build_address(url: str, signal: str, rid: str) -> str:
    """Return where a signal about a check is sent; `rid` lets the watch see which end is that of which start."""
    base, _, query = url.partition("?")
    return f"{base.rstrip('/')}{_PATHS[signal]}?{query}{'&' if query else ''}rid={rid}"


def _find_failed(round_: Round) -> list[Result]:
    return [result for result in round_.results if result.code != DONE]


def _describe(result: Result) -> str:
    """Return one line: of a bug the last of its traceback."""
    lines = result.detail.splitlines() or [""]
    return f"{result.chore}: {lines[-1] if result.code == BUG else lines[0]}"


def _make_message(path: Path, ping: Ping) -> Message:
    from uuid import NAMESPACE_URL, uuid5

    from runner.sweep.post import Message

    address = build_address(ping.url, ping.signal, str(uuid5(NAMESPACE_URL, ping.run_id)))
    return Message(ping.plan, ping.url, address, ping.body, lambda: path.unlink(missing_ok=True))


def _list_files(round_: Round) -> list[Path]:
    with suppress(FileNotFoundError):
        files = (Path(round_.place.state) / OUTBOX).iterdir()
        return [path for path in files if path.name.endswith((SUFFIX_START, SUFFIX_END))]
    return []


def _read_pings(round_: Round) -> Iterator[tuple[Ping, Path]]:
    """Return what waits, in order of time; what a power loss has torn goes."""
    found = []
    for path in _list_files(round_):
        try:
            ping = read_ping(str(path))
        except ValueError:
            path.unlink(missing_ok=True)
            continue
        if ping:
            found.append((ping, path))
    yield from sorted(found, key=lambda one: one[0].at)
