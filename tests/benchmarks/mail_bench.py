"""How many mails a bad night is: what the team has to read, not how long it takes (ALERT-4, ALERT-16)."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from measure import Figure

sys.path.insert(0, str(Path(__file__).parents[1]))
from lab import Lab, make_machine_files
from mailroom import serve_smtp
from stories import Story

_RUNS = 10_000
_JOBS = 200


def run_benchmarks(directory: Path) -> Iterator[Figure]:
    """Yield the mails of one job that fails all the time or every second time, and those of a storm of jobs."""
    for name in ("machine", "fails", "flaps", "storm"):
        (directory / name).mkdir()
    machine_files = make_machine_files(directory / "machine")
    for name, every in (("fails", 1), ("flaps", 2)):
        mails = _count_mails(Lab(directory / name, machine_files), every)
        yield Figure(f"mails of {_RUNS:,} runs in an hour, it {name}", mails, 12, "mails", "one job, a sweep a minute")
    yield _measure_storm(Lab(directory / "storm", machine_files))


def _count_mails(lab: Lab, every: int) -> int:
    with serve_smtp() as server:
        lab.mail_via("sendmail")  # the story has a server of its own
        story, apart_s = Story(lab.home, server), 3600 / _RUNS
        for number in range(_RUNS):
            story.see(number * apart_s, "failed" if every == 1 or number % every else "ok")
            if number % (_RUNS // 60) == 0:
                story.sweep(number * apart_s)
        story.sweep(3600.0)
        return len(server.mails)


def _measure_storm(lab: Lab) -> Figure:
    """Let so many jobs fail through the real wrapper, and sweep once as cron does after that minute."""
    with serve_smtp() as server:
        lab.mail_via("smtp", smtp=f"{{host: 127.0.0.1, port: {server.port}, tls: none}}")
        for number in range(_JOBS):
            lab.job(f"job-{number}", "echo could not connect >&2; exit 2")
            lab.run(f"job-{number}")
        lab.sweep()
        subjects = [mail.subject for mail in server.mails]
    return Figure(f"mails of {_JOBS} jobs that fail in one minute", len(subjects), 1, "mails", "; ".join(subjects))
