"""What a chore finds out of a plan changes the plan's health, is told, and is recorded, in that order (ALERT-1).

Who is killed in between tells it once more, rather than never.
"""

from __future__ import annotations

from collections.abc import Callable

from runner.launch.incident import SILENT, Health, enter
from runner.launch.instant import format_instant
from runner.launch.journal import Value, append_record, encode_event
from runner.launch.outbox import post_alert
from runner.launch.state import HEALTH, JOURNAL
from runner.sweep.chores import Round

_NAMES = ("plan", "job", "profile", "slot", "host", "trigger", "release")


def change_health(
    round_: Round, facts: dict[str, Value], judge: Callable[[Health], str], seq: int, boot: str = ""
) -> str:
    """Change the health of a plan by a judgement; return which alert was due, empty if none.

    Parameters
    ----------
    facts
        As for `post_alert`.
    seq
        Of the flip's event, if it comes to that: two sweeps that say the same say it once.
    boot
        If this came of a reboot, the id of that boot.
    """

    def tell(health: Health, alert: str) -> None:
        round_.say(post_alert(round_.place, facts, health, alert, None, boot))

    health, verdict, flip = enter(f"{round_.place.state}/{HEALTH}/{facts['plan']}", judge, tell)
    if flip:
        event: dict[str, Value] = {"event": "flip", "at": format_instant(round_.now), "run_id": facts["run_id"]}
        named = {key: facts[key] for key in _NAMES}
        flipped = {"incident": health.incident, "kind": flip, "outcome": facts["outcome"]}
        append_synced(round_, {**event, "seq": seq, **named, **flipped})
    return "" if verdict == SILENT else verdict


def append_synced(round_: Round, event: dict[str, Value]) -> None:
    """Append to the journal of today, synced, also what is of an earlier day: that file may be drained and gone."""
    today = format_instant(round_.now)[:10]
    append_record(f"{round_.place.state}/{JOURNAL}", today, encode_event(event), sync=True)
