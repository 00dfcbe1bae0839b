"""What is wrong between registry, profiles, settings and scripts: each room alone cannot see it (``runner check``)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

from runner.document.faults import has_errors, suggest
from runner.errors import Fault
from runner.home.group import find_group
from runner.home.settings import SETTINGS_FILE, Settings, Target
from runner.launch.hosts import matches_host
from runner.launch.outcome import CannotStart
from runner.launch.secrets import load_secrets
from runner.launch.values import SMALLEST_BYTES
from runner.plans.clocks import WARNED_S, check_zones, explain_changes, find_zone
from runner.plans.zone import Span, read_spans
from runner.profiles.profile import Profile
from runner.profiles.read import list_profile_files
from runner.registry.job import Job

WRAPPER = "wrappers/run-job"


def check_home(settings: Settings) -> Iterator[Fault]:
    """Yield what is wrong with the home whatever its jobs are."""
    if not settings.mail.ops:
        message = "no mail.ops: who is told where a job names nobody, and of a wrapper that cannot start (ALERT-9)?"
        yield Fault(SETTINGS_FILE, 0, 0, "error", message, "write mail: {ops: ADDRESS}")
    if settings.group and find_group(settings.group) is None:
        message = f'this host has no group "{settings.group}", who are to read the logs'
        yield Fault(SETTINGS_FILE, 0, 0, "error", message, "see getent group")
    if not os.access(settings.home / WRAPPER, os.X_OK):
        hint = 'take it from a new home ("runner init DIR"), mode 755'
        yield Fault(WRAPPER, 0, 0, "error", "is missing or not executable: no line of the crontab would work", hint)


def check_jobs(jobs: tuple[Job, ...], profiles: dict[str, Profile], settings: Settings, now: float) -> Iterator[Fault]:
    """Yield every fault that lies between rooms.

    Parameters
    ----------
    now
        From when on a warning counts the next changes of the clocks, POSIX seconds.
    """
    written = list_profile_files(settings.home)
    zones = {target: find_zone(target) for target in settings.targets}

    @cache
    def read_next_spans(zone: str) -> tuple[Span, ...]:
        return read_spans(zone, int(now), int(now) + WARNED_S)

    for job in jobs:
        yield from _check_profiles(job, profiles, written)
        targets = _list_targets(job, profiles, settings)
        yield from _check_targets(job, profiles, targets, settings)
        yield from _check_clocks(job, {target: zones[target] for target in targets}, read_next_spans)
        yield from _check_programs(job, settings.home)
        yield from _check_expected(job)
        yield from _check_words(job, profiles, settings.home)


def _check_profiles(job: Job, profiles: dict[str, Profile], written: list[str]) -> Iterator[Fault]:
    for name in job.profiles:
        # A profile whose own file is wrong has its faults there; its jobs are right.
        if name not in profiles and name not in written:
            yield job.fault("profile", f'no profile is called "{name}"', suggest(name, written))


def _check_targets(
    job: Job, profiles: dict[str, Profile], targets: list[Target], settings: Settings
) -> Iterator[Fault]:
    is_known = any(name in profiles for name in job.profiles)
    if job.enabled and job.when and is_known and not targets:
        named = ", ".join(target.name for target in settings.targets)
        yield job.fault("hosts", f"no target would run it ({named})", "see its hosts and its profile", "warning")
    for profile in [profiles[name] for name in job.profiles if name in profiles and job.when and not job.hosts]:
        # Each host keeps locks of its own, so that nothing else would keep one slot from two runs (FAULT-19).
        hosts = sorted({host for target in settings.targets if serves(target, job, profile) for host in target.hosts})
        if len(hosts) > 1 and job.enabled:
            yield job.fault("hosts", f"each of {', '.join(hosts)} would run it", "name the one in hosts:", "warning")


def _list_targets(job: Job, profiles: dict[str, Profile], settings: Settings) -> list[Target]:
    """Return the targets whose crontab has the job, whatever its profile."""
    known = [profiles[name] for name in job.profiles if name in profiles]
    return [target for target in settings.targets if any(serves(target, job, profile) for profile in known)]


def serves(target: Target, job: Job, profile: Profile) -> bool:
    """Whether a target's crontab has a job in a profile: by host, site and environment (CRON-20)."""
    if target.site and target.site != profile.site:
        return False
    if target.environment and target.environment != profile.environment:
        return False
    return not job.hosts or any(_may_share_host(job.hosts, pattern) for pattern in target.hosts)


def _may_share_host(patterns: tuple[str, ...], other: str) -> bool:
    """Whether a host may fit both; two patterns with stars are taken for equal or not."""
    return matches_host(patterns, other) or any(matches_host((other,), pattern) for pattern in patterns)


def _check_clocks(
    job: Job, zones: dict[Target, str], read_next_spans: Callable[[str], tuple[Span, ...]]
) -> Iterator[Fault]:
    if not (job.enabled and job.when and zones):
        return
    faults = list(check_zones(job, zones))
    yield from faults
    if not has_errors(faults):
        zone = job.timezone or next(iter(zones.values()))
        for when in job.when:
            for sentence in explain_changes(when, zone, read_next_spans(zone)):
                yield job.fault("when", f"{when.text}: {sentence}", level="warning")


def _check_programs(job: Job, home: Path) -> Iterator[Fault]:
    for step in job.steps:
        word = step.words[0]
        # Where {work} or {date} makes the name, nobody knows it yet.
        if "/" in word and not word.startswith("/") and "{" not in word:
            level, message, hint = _inspect(home / word, word)
            if message:
                yield job.fault("run", message, hint, level)


def _check_words(job: Job, profiles: dict[str, Profile], home: Path) -> Iterator[Fault]:
    """Yield where a word tells a secret, if this user may read it: ``ps`` shows words to everybody (SEC-7)."""
    of_profiles = [profiles[name].secrets for name in job.profiles if name in profiles]
    sources = set(job.secrets).union(*of_profiles)
    words = [word for step in job.steps for word in step.words]
    for name, source in sorted(sources):
        value: dict[str, str] = {}
        with suppress(CannotStart):  # the host that runs it may have the file
            load_secrets(value, [(name, source.removeprefix("file:"))], str(home))
        if any(_tells(word, secret) for secret in value.values() for word in words):
            message = f"a word tells the secret {name}, and everybody on the host can read words (ps)"
            yield job.fault("run", message, f"let the program read the variable {name}")


def _tells(word: str, secret: str) -> bool:
    # A short one stands in other words by chance.
    return word == secret or (len(secret) >= SMALLEST_BYTES and secret in word)


def _inspect(path: Path, word: str) -> tuple[str, str, str]:
    """Return level, message and remedy of why a script of the home could not be executed; empty ones if it could."""
    if not path.is_file():
        return "error", f"there is no file {word}", "a path in run begins at the home"
    if not os.access(path, os.X_OK):
        return "error", f"{word} is not executable", f"chmod +x {word}"
    with path.open("rb") as file:
        first = file.readline(256)
    if first.startswith(b"\x7fELF"):
        return "", "", ""
    if not first.startswith(b"#!"):
        return "error", f"{word} has no #! line", "begin it with one like #!/bin/sh or #!/usr/bin/env python3"
    if first.endswith(b"\r\n"):
        return "error", f"the #! line of {word} ends in a carriage return", "save it with Unix line ends"
    interpreter = Path(first[2:].split()[0].decode(errors="replace")) if first[2:].split() else Path()
    if not interpreter.is_absolute():
        return "error", f'{word} names the interpreter "{interpreter}"', "name it with its path, or by /usr/bin/env"
    if not interpreter.exists():
        # The host that runs it may have it, and a home compiles to the same on every machine (CRON-19).
        return "warning", f"{word} names the interpreter {interpreter}, which is not here", ""
    return "", "", ""


def _check_expected(job: Job) -> Iterator[Fault]:
    """Yield what no run can fulfil, and what nobody would look at: only what cron starts has an age (ALERT-17)."""
    expect = job.expect
    if expect and 0 < expect.max_duration_s < expect.min_duration_s:
        yield job.fault("expect", "min_duration is longer than max_duration, which no run can be", "change one")
    if expect and expect.max_age_s and not job.when and "expect" in job.source.entry.entries:
        yield job.fault("expect", "max_age of a job without when is looked at by nobody", "give it a when", "warning")
