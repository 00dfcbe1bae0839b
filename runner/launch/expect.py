"""What must hold of a run that succeeded: that it took neither too long nor too little (ALERT-18)."""

from __future__ import annotations

from runner.launch.outcome import OK, WARNED, Ending
from runner.launch.plan import Plan


def judge_duration(ending: Ending, duration_s: float, plan: Plan) -> Ending:
    """Return the ending of a good run after its duration is judged; a too fast success is a failure nobody sees."""
    broken = ""
    if plan.max_duration_s and duration_s > plan.max_duration_s:
        broken = f"at most {plan.max_duration_s:g} s"
    elif duration_s < plan.min_duration_s:
        broken = f"at least {plan.min_duration_s:g} s"
    if not broken or ending.outcome not in (OK, WARNED):
        return ending
    reason = f"took {duration_s:.1f} s, expected {broken}"
    return Ending(WARNED, f"{ending.reason}; {reason}" if ending.reason else reason, ending.exit_code)
