"""``snapshots``: the profiles that runs had to activate for want of a snapshot are captured for the next (PROF-63)."""

from __future__ import annotations

import sys
from pathlib import Path

from runner.errors import UserError
from runner.launch.snapshot import WANTED
from runner.launch.state import SNAPSHOTS
from runner.sweep.chores import Round

IDLE = "no run asked for a snapshot"


def has_work(round_: Round) -> bool:
    """Whether a run has asked for a snapshot."""
    return bool(_list_wanted(round_))


def work(round_: Round) -> str:
    """Capture each profile that is wanted; one that cannot be captured is told of, and activated anew by each run."""
    captured, troubles = [], []
    for path in _list_wanted(round_):
        plan = path.read_text(errors="replace")
        path.unlink()  # before: who asks meanwhile has seen the older state of things
        trouble = _capture(round_.place.home, plan)
        troubles += [trouble] if trouble else []
        captured += [] if trouble else [path.name.removesuffix(WANTED)]
    if troubles:
        raise UserError("; ".join(troubles))
    return f"captured {', '.join(captured)}"


def _list_wanted(round_: Round) -> list[Path]:
    return sorted((Path(round_.place.state) / SNAPSHOTS).glob(f"*{WANTED}"))


def _capture(home: str, plan: str) -> str:
    """Capture in a process of its own, which ends what the activation has started and nothing else; return why not."""
    import subprocess

    command = [sys.executable, "-I", "-X", "utf8", "-m", "runner.profiles.keep", home, plan]
    done = subprocess.run(command, env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}, capture_output=True, text=True)
    return "" if done.returncode == 0 else done.stderr.strip() or f"capture of {plan} ended with {done.returncode}"
