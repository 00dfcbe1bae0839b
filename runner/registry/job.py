"""A job: one entry of ``jobs/*.yaml`` with all its keys (DESIGN section 5)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from runner.document.faults import Faults, Wrong
from runner.document.fields import (
    address,
    boolean,
    choice,
    duration,
    duration_or_none,
    duration_or_zero,
    host_pattern,
    list_of,
    map_of,
    name_like,
    none_or,
    pattern,
    ping_address,
    scalar,
    secret_source,
    size,
    text,
    umask,
    variable,
    whole,
    word,
)
from runner.document.keys import Keys, declare, record_of
from runner.document.tree import Mapping, Node, Scalar, Sequence, items_of
from runner.document.zones import zone
from runner.errors import Fault
from runner.registry.schedule import When, read_when, window
from runner.registry.steps import Step, read_steps

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.document.fields import Reader

RETRIED = ("failed", "timed_out", "cannot_start", "memory")
SET_BY_RUNNER = frozenset(
    f"RUNNER_{name}"
    for name in ("HOME", "STATE", "WORK", "JOB", "RUN_ID", "ATTEMPT", "SLOT", "PROFILE", "RELEASE", "LOG")
)

job_id = name_like("[a-z0-9][a-z0-9_-]{0,63}", "a job id", "a to z, 0 to 9, _ and -, at most 64 characters")
profile_name = name_like("[A-Za-z0-9][A-Za-z0-9._-]{0,63}", "a profile name", "the stem of a file in envs/")


def _own_variable(value: str) -> str:
    if value in SET_BY_RUNNER:
        raise Wrong(f"{value} is set for every run, to what it is")
    return variable(value)


def _backoff(value: str) -> float:
    try:
        factor = float(value)
    except ValueError:
        factor = 0.0
    if not 1 <= factor <= 100:
        raise Wrong(f'"{value}" is not a factor from 1 to 100')
    return factor


def _retried(value: str) -> str:
    return value if value.isdecimal() and whole(1, 255)(value) else choice(*RETRIED)(value)


def _read_profile(node: Node, faults: Faults) -> str | tuple[str, ...]:
    """Return a name, or the tuple of a list of them: the difference decides how plans are named."""
    if not isinstance(node, Sequence):
        return scalar(profile_name)(node, faults)
    names = list_of(scalar(profile_name))(node, faults)
    if not node.items:
        raise Wrong("a list of profiles without one")
    if len(set(names)) < len(names):
        raise Wrong("a profile stands here twice")
    return names


def _read_memory(node: Node, faults: Faults) -> tuple[int, ...]:
    """Return one limit, or the rungs of a ladder of them."""
    rungs = list_of(scalar(size))(node, faults)
    if not items_of(node) or list(rungs) != sorted(set(rungs)):
        raise Wrong("each rung of memory must be larger than the one before")
    return rungs


@dataclass(frozen=True, slots=True)
class Log:
    """How much of a job's output is kept."""

    max_bytes: int = declare(scalar(size), "size at which a log loses its middle", "50M", name="max_size")
    keep_s: float = declare(scalar(duration), "age at which a log is deleted", "14d", name="keep")


@dataclass(frozen=True, slots=True)
class Retries:
    """When and how often a run is tried again (RUN-25)."""

    times: int = declare(scalar(whole(1, 100)), "how many more attempts")
    delay_s: float = declare(scalar(duration_or_zero), "pause before the next attempt", "1m", name="delay")
    backoff: float = declare(scalar(_backoff), "what each pause is multiplied with", "1")
    on: tuple[str, ...] = declare(list_of(scalar(_retried)), "outcomes or exit codes", "[failed, timed_out]")


@dataclass(frozen=True, slots=True)
class Expect:
    """What must hold although a run succeeded (ALERT-17, ALERT-18); 0 is no such demand."""

    max_duration_s: float = declare(scalar(duration_or_none), "longest run", "none", name="max_duration")
    min_duration_s: float = declare(scalar(duration_or_none), "shortest run", "none", name="min_duration")
    max_age_s: float = declare(scalar(duration_or_none), "age of the last success", "none", name="max_age")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a job may use (RUN-24)."""

    memory_bytes: tuple[int, ...] | None = declare(none_or(_read_memory), "size or ladder", "none", name="memory")
    cpu_s: float = declare(scalar(duration_or_none), "processor time", "none", name="cpu")
    files: int | None = declare(none_or(scalar(whole(8, 1 << 20))), "open files", "none")
    processes: int | None = declare(none_or(scalar(whole(1, 1 << 20))), "processes", "none")
    nice: int | None = declare(none_or(scalar(whole(-20, 19))), "niceness", "none")


def _named(convert: Callable[[str], str]) -> Reader[tuple[tuple[str, str], ...]]:
    return map_of(_own_variable, scalar(convert))


@dataclass(frozen=True, slots=True)
class Source:
    """Where a job was written: its file, its id, its entry, and the ``defaults:`` of the file."""

    file: str
    id: Scalar
    entry: Mapping
    defaults: Mapping


@dataclass(frozen=True, slots=True)
class Job:
    """One entry, its defaults filled in.

    Attributes
    ----------
    id
        Unique in the home.
    source
        For messages and for `runner show`.
    when
        Already shifted by ``spread`` (CRON-10); empty: only run by hand or by another job.
    profile
        One name, or the tuple of a list of names (even of one).
    timeout_s, spread_s
        0 is none.
    timezone, cwd
        Empty is the target's zone, the home.
    hosts
        Empty is all.
    """

    id: str
    source: Source = field(repr=False, compare=False)
    when: tuple[When, ...] = declare(read_when, "five cron fields, or a list", "[]", shown="none: run by hand")
    steps: tuple[Step, ...] = declare(read_steps, "a command line, or a list of steps", name="run")
    profile: str | tuple[str, ...] = declare(_read_profile, "the environment it runs in, or a list")
    description: str = declare(scalar(text), "what it is for", '""')
    owner: str = declare(scalar(text), "whose it is", '""')
    mailto: tuple[str, ...] = declare(list_of(scalar(address)), "who is told", "[]", shown="mail.ops")
    tags: tuple[str, ...] = declare(list_of(scalar(word)), "words to find it by", "[]")
    timeout_s: float = declare(scalar(duration_or_none), "limit of an attempt", "6h", name="timeout")
    grace_s: float = declare(scalar(duration_or_zero), "time from TERM to KILL", "10s", name="grace")
    survivors: str = declare(scalar(choice("report", "kill", "allow")), "processes that outlive it", "report")
    overlap: str = declare(scalar(choice("skip", "wait", "replace", "allow")), "when it still runs", "skip")
    retries: Retries | None = declare(none_or(record_of(Keys(Retries))), "more attempts", "none")
    rerun_lost: bool = declare(scalar(boolean), "run a lost run's slot again", "false")
    missed: str = declare(scalar(choice("skip", "once", "all")), "slots while the host was down", "skip")
    ping: str = declare(scalar(ping_address("job")), "address that hears of its runs", "", shown="none")
    stderr: str = declare(scalar(choice("ignore", "warn", "fail")), "what stderr with exit 0 means", "warn")
    stderr_allow: tuple[str, ...] = declare(list_of(scalar(pattern)), "harmless lines on stderr", "[]")
    expect: Expect | None = declare(none_or(record_of(Keys(Expect))), "alert although ok", "none")
    limits: Limits | None = declare(none_or(record_of(Keys(Limits))), "what it may use", "none")
    timezone: str = declare(scalar(zone), "zone of when", "", shown="the target's")
    spread_s: float = declare(scalar(window), "window for the minute", "none", name="spread")
    hosts: tuple[str, ...] = declare(list_of(scalar(host_pattern)), "hosts that run it", "[]", shown="all")
    cwd: str = declare(scalar(word), "working directory", "", shown="the home")
    env: tuple[tuple[str, str], ...] = declare(_named(text), "extra variables", "{}")
    secrets: tuple[tuple[str, str], ...] = declare(_named(secret_source), "variables read from files", "{}")
    umask: int = declare(scalar(umask), "mode bits taken from new files", "027")
    log: Log = declare(record_of(Keys(Log)), "how much output is kept", "{max_size: 50M, keep: 14d}")
    enabled: bool = declare(scalar(boolean), "false compiles to nothing", "true")

    @property
    def profiles(self) -> tuple[str, ...]:
        """The profiles it runs in."""
        return (self.profile,) if isinstance(self.profile, str) else self.profile

    @property
    def plan_names(self) -> tuple[tuple[str, str], ...]:
        """Plan and profile of each: ``JOB``, or ``JOB@PROFILE`` where ``profile`` is a list (CRON-11)."""
        if isinstance(self.profile, str):
            return ((self.id, self.profile),)
        return tuple((f"{self.id}@{name}", name) for name in self.profile)

    def find_value(self, key: str) -> Node:
        """Return the node that gave a key its value, or that of the id where the key has its default."""
        for level in (self.source.entry, self.source.defaults):
            if key in level.entries:
                return level.entries[key][1]
        return self.source.id

    def fault(self, key: str, message: str, hint: str = "", level: str = "error") -> Fault:
        """Return a fault at the value of `key`, for what only other rooms can see."""
        node = self.find_value(key)
        return Fault(self.source.file, node.line, node.column, level, message, hint)


JOB = Keys(Job)
