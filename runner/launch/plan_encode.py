"""Plans -> files: the compiler's half of ``plan``, which no run has to load."""

from __future__ import annotations

from runner.launch import lines
from runner.launch.activation import encode_activation
from runner.launch.plan import (
    FIELD_RANGES,
    FORMAT,
    LISTS,
    NUMBERS,
    TEXTS,
    WHOLE,
    HomePlan,
    Plan,
    every_bit,
    fingerprint,
)
from runner.launch.slot import Schedule


def encode_plan(plan: Plan) -> bytes:
    """Return the file of a plan; only what differs from the defaults is written."""
    default = Plan(plan.name, plan.job, plan.profile)
    pairs = [("name", plan.name), ("job", plan.job), ("profile", plan.profile)]
    for key in TEXTS[3:]:
        if getattr(plan, key) != getattr(default, key):
            pairs.append((key, getattr(plan, key)))
    for key in LISTS:
        pairs += [(key, value) for value in getattr(plan, key)]
    for key in NUMBERS:
        if getattr(plan, key) != getattr(default, key):
            pairs.append((key, repr(getattr(plan, key)).removesuffix(".0")))
    for key in WHOLE:
        if getattr(plan, key) != getattr(default, key):
            pairs.append((key, f"{getattr(plan, key)}"))
    pairs += [] if plan.enabled else [("enabled", "no")]
    pairs += [("rerun_lost", "yes")] if plan.rerun_lost else []
    pairs += [("limit_memory_bytes", str(rung)) for rung in plan.limit_memory_bytes]
    pairs += [("when", encode_schedule(schedule)) for schedule in plan.schedules]
    pairs += [("secret", f"{name} {path}") for name, path in plan.secrets]
    pairs += [("env", f"{name} {value}") for name, value in plan.env]
    pairs += encode_activation(plan.activation)
    for step in plan.steps:
        pairs.append(("step", step.condition))
        pairs += [("word", word) for word in step.words]
    body = lines.encode(pairs)
    return f"{FORMAT} {fingerprint(body)}\n".encode() + body


def encode_home_plan(home: HomePlan) -> bytes:
    """Return the file of a home's plan."""
    pairs = [("name", home.name), ("mail_via", home.mail_via), ("group", home.group)]
    pairs += [("mail_ops", address) for address in home.mail_ops]
    pairs += [(key, value) for key, value in (("ping", home.ping), ("metrics", home.metrics)) if value]
    for target in home.targets:
        pairs += [("target", target.name), ("user", target.user), ("timezone", target.timezone)]
        pairs += [("state", target.state)] + [("host", pattern) for pattern in target.hosts]
    pairs += [(f"guard_{kind}", value) for kind, value in home.guard]
    return lines.encode(pairs)


def encode_schedule(schedule: Schedule) -> str:
    """Return five fields: ``*`` (all), ``*:0,15,30,45`` (began with a star), ``0,11``, ``all`` (without a star)."""
    every_month = schedule.months == every_bit(*FIELD_RANGES[3])  # whether its field began with a star decides nothing
    fields = zip(
        (schedule.minutes, schedule.hours, schedule.days, schedule.months, schedule.weekdays),
        (schedule.minute_star, schedule.hour_star, schedule.day_star, every_month, schedule.weekday_star),
        FIELD_RANGES,
        strict=True,
    )
    return " ".join([_encode_field(mask, star, low, high) for mask, star, (low, high) in fields])


def _encode_field(mask: int, star: bool, low: int, high: int) -> str:
    if mask == every_bit(low, high):
        return "*" if star else "all"  # 0-59 is every minute, yet fixed where * is wildcard (CRON-30)
    numbers = ",".join([str(number) for number in range(low, high + 1) if mask >> number & 1])
    return f"*:{numbers}" if star else numbers
