"""Plans: what the compiler has resolved and the wrapper only does (PERF-1).

``crontab.d/plans/<plan>.plan`` is one job in one profile; ``crontab.d/home.plan`` is what the wrapper
must know even when a plan is missing. Both are text, one ``key value`` a line (``lines``), so that a
change of the registry can be reviewed. The first line of a plan carries a digest of the others: a plan
edited by hand is refused, never half-believed.

Nothing in either file depends on the machine, the time or the zone data (CRON-17, CRON-19). ``{home}``
and a leading ``~`` in a value of the environment are therefore replaced at run time, by ``environment``.
"""

from __future__ import annotations

from runner.launch import lines
from runner.launch.activation import KEYS, Activation, decode_pair
from runner.launch.slot import Schedule

FORMAT = "runner-plan 1"
PLANS = "crontab.d/plans"
HOME_PLAN = "crontab.d/home.plan"

_PRIME = 2**64 - 59
# What a word may have that nobody needs to quote.
PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+-@%")
_JOINTS = {"success": " && ", "always": "; ", "failure": " || "}
FIELD_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))


class Step:
    """One command of a run: when it runs (``success failure always``) and its words."""

    __slots__ = ("condition", "words")

    def __init__(self, condition: str, words: list[str]) -> None:
        self.condition = condition
        self.words = words


class Plan:
    """A job compiled for one profile; the defaults here are those of the registry.

    ``profile_rule`` says why it runs in this profile, as the end of a sentence.
    Durations are seconds, sizes bytes; ``timeout_s`` 0 is no timeout; ``umask`` an int. Of the limits and of what is
    expected (``max_duration_s min_duration_s max_age_s``) 0, or an empty ladder, is none; ``env`` are the entry's own
    variables, ``secrets`` names of variables and the files that their values are in; ``ping`` is the address that
    hears of its runs, empty for none.
    """

    __slots__ = (
        "activation", "cwd", "digest", "enabled", "env", "grace_s", "hosts", "job", "limit_cpu_s", "limit_files",
        "limit_memory_bytes", "limit_nice", "limit_processes", "log_keep_s", "log_max_bytes", "mailto", "max_age_s",
        "max_duration_s", "min_duration_s", "missed", "name", "overlap", "ping", "profile", "profile_rule",
        "rerun_lost", "retry_backoff", "retry_delay_s", "retry_on", "retry_times", "schedules", "secrets", "stderr",
        "stderr_allow", "steps", "survivors", "timeout_s", "timezone", "umask",
    )  # fmt: skip

    def __init__(self, name: str, job: str, profile: str) -> None:
        self.name = name
        self.job = job
        self.profile = profile
        self.profile_rule = "of the job's entry"
        self.enabled = True
        self.mailto: list[str] = []
        self.schedules: list[Schedule] = []
        self.timezone = ""
        self.hosts: list[str] = []
        self.timeout_s = 6 * 3600.0
        self.grace_s = 10.0
        self.survivors = "report"
        self.overlap = "skip"
        self.retry_times = 0
        self.retry_delay_s = 60.0
        self.retry_backoff = 1.0
        self.retry_on: list[str] = []
        self.rerun_lost = False
        self.missed = "skip"
        self.ping = ""
        self.limit_memory_bytes: list[int] = []
        self.limit_cpu_s = 0.0
        self.limit_files = 0
        self.limit_processes = 0
        self.limit_nice = 0
        self.stderr = "warn"
        self.stderr_allow: list[str] = []
        self.max_duration_s = 0.0
        self.min_duration_s = 0.0
        self.max_age_s = 0.0
        self.cwd = ""
        self.umask = 0o027
        self.log_max_bytes = 50 << 20
        self.log_keep_s = 14 * 86400.0
        self.activation = Activation()
        self.env: list[tuple[str, str]] = []
        self.secrets: list[tuple[str, str]] = []
        self.steps: list[Step] = []
        self.digest = ""


class HomePlan:
    """What the wrapper must know of its home even when a plan is missing.

    ``targets`` are (name, hosts, user, timezone, state): the first whose host patterns and user fit is
    ours; where none fits, state is ``<home>/state``. ``guard`` are the pairs that `guard` reads, none in a home that
    declares nothing which could be mixed. ``ping`` and ``metrics`` are of the sweep, which must not read YAML for them.
    """

    __slots__ = ("group", "guard", "mail_ops", "mail_via", "metrics", "name", "ping", "targets")

    def __init__(self, name: str) -> None:
        self.name = name
        self.group = ""
        self.mail_via = "cron"  # where nothing can be read, cron is told
        self.mail_ops: list[str] = []
        self.ping = self.metrics = ""
        self.targets: list[PlanTarget] = []
        self.guard: list[tuple[str, str]] = []


class PlanTarget:
    """A target as the wrapper needs it; ``state`` may begin with ``{home}``."""

    __slots__ = ("hosts", "name", "state", "timezone", "user")

    def __init__(self, name: str, hosts: list[str], user: str, timezone: str, state: str) -> None:
        self.name = name
        self.hosts = hosts
        self.user = user
        self.timezone = timezone
        self.state = state


TEXTS = (
    "name", "job", "profile", "profile_rule", "timezone", "survivors", "overlap", "missed", "stderr", "cwd", "ping",
)  # fmt: skip
LISTS = ("mailto", "hosts", "retry_on", "stderr_allow")
NUMBERS = (
    "timeout_s", "grace_s", "log_keep_s", "retry_delay_s", "retry_backoff", "limit_cpu_s", "max_duration_s",
    "min_duration_s", "max_age_s",
)  # fmt: skip
WHOLE = ("umask", "log_max_bytes", "retry_times", "limit_files", "limit_processes", "limit_nice")


def fingerprint(data: bytes) -> str:
    """Return 16 hex digits: the bytes as one number, modulo the largest prime below 2^64.

    Every edit within seven bytes changes it, any other all but certainly. It is for mistakes, not for
    attackers, who could write the first line of a plan as well; SHA-256 would take a fiftieth of the
    start-up budget to import.
    """
    return f"{int.from_bytes(data, 'big') % _PRIME:016x}"


def decode_plan(data: bytes) -> Plan:
    """Return the plan of a file; ValueError names what is wrong with it."""
    first, _, body = data.partition(b"\n")
    form, _, digest = first.decode("ascii", "replace").rpartition(" ")
    if form != FORMAT:
        raise ValueError(f"its first line is not '{FORMAT} DIGEST'")
    if digest != fingerprint(body):
        raise ValueError("it was changed after it was compiled")
    plan = Plan("", "", "")
    plan.digest = digest
    for key, value in lines.decode(body):
        if key in TEXTS:
            setattr(plan, key, value)
        elif key in LISTS:
            getattr(plan, key).append(value)
        elif key == "word" and plan.steps:
            plan.steps[-1].words.append(value)
        elif key in KEYS:
            decode_pair(plan.activation, key, value)
        elif key == "step":
            plan.steps.append(Step(value, []))
        elif key == "when":
            plan.schedules.append(decode_schedule(value))
        elif key in NUMBERS:
            setattr(plan, key, float(value))
        elif key in WHOLE:
            setattr(plan, key, int(value))
        elif key == "limit_memory_bytes":
            plan.limit_memory_bytes.append(int(value))
        elif key == "enabled":
            plan.enabled = value != "no"
        elif key == "rerun_lost":
            plan.rerun_lost = value == "yes"
        elif key in ("env", "secret"):
            name, _, text = value.partition(" ")
            (plan.env if key == "env" else plan.secrets).append((name, text))
        else:
            raise ValueError(f"it has a line '{key}' that means nothing there")
    return plan


def has_limits(plan: Plan) -> bool:
    """Whether the plan bounds anything of what its job may use."""
    return bool(
        plan.limit_memory_bytes or plan.limit_cpu_s or plan.limit_files or plan.limit_processes or plan.limit_nice
    )


def fill_steps(steps: list[Step], values: dict[str, str]) -> list[Step]:
    """Return the steps with ``{slot} {date} {work}`` replaced in their words: no shell will do it."""
    filled = []
    for step in steps:
        words = list(step.words)
        for name, value in values.items():
            words = [word.replace(name, value) if "{" in word else word for word in words]
        filled.append(Step(step.condition, words))
    return filled


def show_command(steps: list[Step]) -> str:
    """Return the steps in one line, as somebody would type them."""
    text = ""
    for step in steps:
        words = [word if word and PLAIN.issuperset(word) else show_word(word) for word in step.words]
        text += (_JOINTS[step.condition] if text else "") + " ".join(words)
    return text


def show_word(word: str) -> str:
    """Return a word in quotes, as sh wants it."""
    return "'" + word.replace("'", "'\\''") + "'"


def decode_home_plan(data: bytes) -> HomePlan:
    """Return the home plan of a file; ValueError names what is wrong with it."""
    home = HomePlan("")
    for key, value in lines.decode(data):
        if key == "mail_ops":
            home.mail_ops.append(value)
        elif key == "target":
            home.targets.append(PlanTarget(value, [], "", "", ""))
        elif key == "host" and home.targets:
            home.targets[-1].hosts.append(value)
        elif key in ("user", "timezone", "state") and home.targets:
            setattr(home.targets[-1], key, value)
        elif key in ("name", "mail_via", "group", "ping", "metrics"):
            setattr(home, key, value)
        elif key[:6] == "guard_":
            home.guard.append((key[6:], value))
        else:
            raise ValueError(f"it has a line '{key}' that means nothing there")
    return home


def decode_schedule(text: str) -> Schedule:
    """Return the schedule that `encode_schedule` wrote."""
    masks = []
    stars = []
    for field, (low, high) in zip(text.split(" "), FIELD_RANGES, strict=True):
        stars.append(field[0] == "*")
        if field in ("*", "all"):
            masks.append(every_bit(low, high))
        else:
            mask = 0
            for number in map(int, field.removeprefix("*:").split(",")):
                if not low <= number <= high:
                    raise ValueError(f"a schedule has {number} where {low} to {high} may be")
                mask |= 1 << number
            masks.append(mask)
    schedule = Schedule()
    schedule.minutes, schedule.hours, schedule.days, schedule.months, schedule.weekdays = masks
    schedule.minute_star, schedule.hour_star, schedule.day_star, _, schedule.weekday_star = stars
    return schedule


def every_bit(low: int, high: int) -> int:
    """Return the mask of all numbers of a field."""
    return (2 << high) - (1 << low)
