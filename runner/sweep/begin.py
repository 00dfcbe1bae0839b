"""``begin``: who watches from elsewhere is told that a sweep has begun; `ping` tells how it went.

Nobody waits for the answer before all other chores are done: a watch that hangs delays no mail.
"""

from __future__ import annotations

from runner.sweep.chores import Round

LIMIT_S = 5.0
IDLE = "no ping: in envs/site.yaml"


def has_work(round_: Round) -> bool:
    """Whether the sweep is watched."""
    return bool(round_.place.plan.ping)


def work(round_: Round) -> str:
    """Start to tell."""
    from runner.launch.pings import START
    from runner.sweep.ping import make_own
    from runner.sweep.post import Posting, name_server

    message = make_own(round_, START)
    round_.begun.append(Posting([message], LIMIT_S))
    return f"telling {name_server(message.url)}"
