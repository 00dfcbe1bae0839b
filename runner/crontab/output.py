"""All compiled output of a home: plans, and one fragment for each target (CRON-19, CRON-20, CRON-72)."""

from __future__ import annotations

from pathlib import Path

from runner.crontab.compile import compile_block
from runner.crontab.entry import Entry, parse_entries
from runner.crontab.zones import make_fields
from runner.home.release import find_entrance
from runner.home.settings import Settings, Target
from runner.plans.check import serves
from runner.plans.clocks import find_zone
from runner.plans.load import LoadedHome
from runner.plans.make import Planned
from runner.plans.write import OUTPUT, make_plan_files


def make_output(loaded: LoadedHome) -> dict[str, bytes]:
    """Return path below the home -> bytes, of every file that ``runner compile`` keeps."""
    files = make_plan_files(loaded.planned, loaded.profiles, loaded.settings)
    for target in loaded.settings.targets:
        files[name_fragment(target)] = compile_fragment(loaded, target).encode("ascii")
    return files


def name_fragment(target: Target) -> str:
    """Return where the compiled block of a target stands, below the home."""
    return f"{OUTPUT}/{target.name}.crontab"


def compile_fragment(loaded: LoadedHome, target: Target) -> str:
    """Return the block of a target: what would stand in its crontab."""
    settings = loaded.settings
    entries = select_entries(loaded.planned, settings, target)
    home = str(find_entrance(settings.home))
    return compile_block(settings.name, home, target, entries, settings.mail, housekeeping=settings.housekeeping)


def read_compiled_entries(home: Path, target: Target) -> tuple[Entry, ...]:
    """Return what the compiled block of a target says, by its lines alone; nothing if it was never compiled."""
    fragment = home / name_fragment(target)
    return parse_entries(fragment.read_text("ascii", "replace")) if fragment.exists() else ()


def select_entries(planned: tuple[Planned, ...], settings: Settings, target: Target) -> tuple[Entry, ...]:
    """Return the lines' content of the plans that a target runs; disabled and unscheduled jobs have none (CRON-16)."""
    zone = find_zone(target)
    return tuple(
        make_entry(one, settings, zone)
        for one in planned
        if one.job.enabled and one.job.when and serves(target, one.job, one.profile)
    )


def make_entry(one: Planned, settings: Settings, zone: str) -> Entry:
    """Return what the crontab of a target in that zone has of a plan."""
    return Entry(
        plan=one.plan.name,
        job=one.job.id,
        profile=one.profile.name,
        fields=make_fields(one.job.when, one.job.timezone, zone),
        mailto=one.job.mailto or settings.mail.ops,
        schedules=tuple(one.plan.schedules),
        timezone=one.plan.timezone,
    )
