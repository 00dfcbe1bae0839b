"""Jobs and profiles -> plans: everything a run needs is resolved here, at compile time (PERF-1)."""

from __future__ import annotations

from dataclasses import dataclass

from runner.home.settings import Settings
from runner.launch.guard import RULE_KEYS, Guard, Member, Rule, encode_guard
from runner.launch.plan import HomePlan, Plan, PlanTarget, Step
from runner.profiles.changes import find_tree, make_activation
from runner.profiles.profile import Profile
from runner.registry.job import Expect, Job, Limits, Retries


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan and where it comes from."""

    plan: Plan
    job: Job
    profile: Profile


def make_plans(jobs: tuple[Job, ...], profiles: dict[str, Profile], settings: Settings) -> tuple[Planned, ...]:
    """Return the plans of all jobs, sorted by name; a disabled job has one too, since people may run it by hand."""
    planned = [
        Planned(make_plan(job, name, profiles[profile], settings), job, profiles[profile])
        for job in jobs
        for name, profile in job.plan_names
    ]
    return tuple(sorted(planned, key=lambda one: one.plan.name))


def make_plan(job: Job, name: str, profile: Profile, settings: Settings) -> Plan:
    """Return the plan `name` of a job in one profile; nothing in it hangs on a machine or an instant (CRON-17)."""
    plan = Plan(name, job.id, profile.name)
    plan.enabled = job.enabled
    plan.mailto = list(job.mailto)
    plan.schedules = [when.schedule for when in job.when] if job.enabled else []
    plan.timezone = job.timezone
    plan.hosts = list(job.hosts)
    plan.timeout_s = job.timeout_s
    plan.grace_s = job.grace_s
    plan.survivors = job.survivors
    plan.overlap = job.overlap
    plan.rerun_lost = job.rerun_lost
    plan.missed = job.missed
    plan.ping = job.ping.replace("{job}", job.id)
    plan.stderr = job.stderr
    plan.stderr_allow = list(job.stderr_allow)
    plan.cwd = job.cwd
    plan.umask = job.umask
    plan.log_max_bytes = job.log.max_bytes
    plan.log_keep_s = job.log.keep_s
    plan.profile_rule = _explain_profile(job, plan)
    plan.activation = make_activation(profile, settings)
    plan.env = list(job.env)
    secrets = dict(profile.secrets) | dict(job.secrets)
    plan.secrets = [(name, source.removeprefix("file:")) for name, source in secrets.items()]
    plan.steps = [Step(step.condition, list(step.words)) for step in job.steps]
    if job.retries:
        _set_retries(plan, job.retries)
    if job.limits:
        _set_limits(plan, job.limits)
    if job.expect:
        _set_expect(plan, job.expect)
    return plan


def _explain_profile(job: Job, plan: Plan) -> str:
    """Return why a plan runs in its profile."""
    if "profile" not in job.source.entry.entries:
        return f"of the defaults in {job.source.file}"
    return plan.profile_rule


def _set_retries(plan: Plan, retries: Retries) -> None:
    plan.retry_times = retries.times
    plan.retry_delay_s = retries.delay_s
    plan.retry_backoff = retries.backoff
    plan.retry_on = list(retries.on)


def _set_limits(plan: Plan, limits: Limits) -> None:
    plan.limit_memory_bytes = list(limits.memory_bytes or ())
    plan.limit_cpu_s = limits.cpu_s
    plan.limit_files = limits.files or 0
    plan.limit_processes = limits.processes or 0
    plan.limit_nice = limits.nice or 0


def _set_expect(plan: Plan, expect: Expect) -> None:
    plan.max_duration_s = expect.max_duration_s
    plan.min_duration_s = expect.min_duration_s
    plan.max_age_s = expect.max_age_s


def make_home_plan(settings: Settings, profiles: dict[str, Profile]) -> HomePlan:
    """Return what the wrapper must know of the home even when a plan is missing."""
    home = HomePlan(settings.name)
    home.group = settings.group
    home.mail_via = settings.mail.via
    home.mail_ops = list(settings.mail.ops)
    home.ping, home.metrics = settings.ping, settings.metrics
    home.targets = [
        PlanTarget(target.name, list(target.hosts), target.user, target.timezone, settings.state_text(target))
        for target in settings.targets
    ]
    home.guard = list_guard(settings, profiles)
    return home


def list_guard(settings: Settings, profiles: dict[str, Profile]) -> list[tuple[str, str]]:
    """Return what the mixing guard must know of the home, nothing where nothing can be mixed (PROF-80)."""
    declared = settings.layout or settings.allow or any(site.hosts for _, site in settings.sites)
    if not declared and settings.guard == "refuse":
        return []
    guard = Guard()
    guard.mode = settings.guard
    guard.sites = [(name, list(site.hosts)) for name, site in settings.sites]
    for profile in profiles.values():
        member = Member(profile.name)
        member.site, member.environment = profile.site, profile.environment
        member.tree = find_tree(profile, settings)
        guard.members[profile.name] = member
    for allow in settings.allow:
        rule = Rule(allow.reason)
        for key in RULE_KEYS:
            setattr(rule, key, getattr(allow, key))
        guard.rules.append(rule)
    return encode_guard(guard)
