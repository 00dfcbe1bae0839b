"""Damaged and random YAML: as a file of the registry, as a profile, as the settings of a home."""

from __future__ import annotations

from pathlib import Path
from random import Random

from fuzz_kind import Kind, check_faults, mutate, split_words
from journals import NOW

from runner.document.faults import Faults
from runner.home.settings import find_main_target, parse_settings
from runner.profiles.read import parse_profile
from runner.registry.read import parse_registry

_REPOSITORY = Path(__file__).parents[1]
_PATTERNS = ("jobs/*.yaml", "runner/demo/jobs/*.yaml", "tests/data/registry/*.yaml")
_HOME = Path("/home/fuzz")
# Every key that a job may have.
_RICH = b"""\
defaults: {profile: [dsoc-prod, dsoc-test], mailto: [ql@example.org, ops@example.org], env: {A: "1"}}
jobs:
  index:
    when: ["*/5 8-17 * * mon-fri", "@daily"]
    run: [jobs/a.py --day {date}, {run: "b 'c d'", if: always}]
    timeout: 90m
    grace: 5s
    survivors: kill
    overlap: replace
    retries: {times: 2, delay: 1m, backoff: 2, on: [failed, 3]}
    missed: all
    stderr: fail
    stderr_allow: ["^Deprecation"]
    expect: {max_duration: 1h, max_age: 2d}
    limits: {memory: [2G, 8G], cpu: 1h, nice: 5}
    timezone: America/Denver
    spread: 15m
    hosts: [ql*.example.org]
    env: &shared {B: "2", C: "x y"}
    secrets: {TOKEN: "file:/etc/token"}
    umask: "027"
    log: {max_size: 10M, keep: 7d}
    tags: [a, b]
  other: {when: 0 0 29 2 *, run: "true", env: *shared, enabled: false, rerun_lost: true}
"""
_HOMES = (
    b"""\
activate:
- conda: {root: /opt/conda, name: wfc3}
- modules: [gcc/12, fits]
- setup: {shell: tcsh, source: /a b}
env: {LD_LIBRARY_PATH: '/x:{LD_LIBRARY_PATH}'}
path: [/opt/bin]
capo: {profile: a, path: /etc/capo}
mode: live
""",
    b"venv: /opt/venv\nmode: inside\nmax_age: 1d\nwatch: [/etc/profile]\nsecrets: {T: 'file:/t'}\n",
    b"require: ['python>=3', 'file:/etc/x', 'command:ls']\nenv: {A: '{home}/x'}\nbase: false\n",
    b"""\
name: ql
mail: {via: cron, from: a@b.org, ops: ops@example.org}
state: /var/ql
database: sqlite:////var/ql.db
sites: {dsoc: {hosts: [ql*.example.org]}}
environments: {prod: production, test: {}}
layout: /opt/{site}/{environment}
targets:
  main: {hosts: [ql1], user: ql, kind: crontab, cron: debian, timezone: UTC}
renamed: {old: new}
guard: warn
allow: {paths: [/x], variables: [Y]}
group: ql
""",
)
_WORDS = split_words(
    "jobs:¦defaults:¦when: ¦run: ¦profile: ¦if: ¦*/5 * * * *¦60 * * * *¦"
    "@reboot¦0 0 31 2 *¦~¦!!python/x¦&a ¦*a¦<<: ¦- ¦? ¦"
    "| ¦>-\n¦---\n¦...\n¦%YAML 1.2\n¦{¦}¦[¦]¦: ¦, ¦null¦yes¦0x10¦1_000¦"
    "file:/x¦{home}¦{slot}¦${X}¦9999999999d¦-1h¦1e9G¦0¦"
    "../..¦ä¦\U0001f600¦job id¦'¦\"¦# ¦env: ¦retries: ¦limits: ¦memory: ¦"
    "cpu: ¦timeout: ¦mail: ¦targets: ¦conda: ¦setup: "
)
_RANDOM_WORDS = (
    "jobs",
    "defaults",
    "when",
    "run",
    "profile",
    "env",
    "if",
    "x",
    "1m",
    '"a b"',
    "*/5",
    "&a",
    "*a",
    "~",
    "!x",
)
_DEEPEST = 22


def _make_registry(chance: Random) -> bytes:
    return mutate(chance, _REGISTRIES, _WORDS) if chance.random() < 0.7 else _write_random(chance, 0).encode()


def _write_random(chance: Random, depth: int) -> str:
    """Return a random value in flow style, made of the registry's own words."""
    kind = chance.choice(("word", "word", "list", "map", "map")) if depth < _DEEPEST else "word"
    if kind == "word":
        return chance.choice(_RANDOM_WORDS)
    values = [_write_random(chance, depth + 1) for _ in range(chance.randrange(4))]
    if kind == "list":
        return f"[{', '.join(values)}]"
    return "{" + ", ".join([f"{chance.choice(_RANDOM_WORDS)}: {value}" for value in values]) + "}"


def _read_registry(data: bytes) -> None:
    check_faults(parse_registry({"jobs/fuzz.yaml": data}, NOW).faults, data)


def _read_home(data: bytes) -> None:
    """Read the same text as a profile and as the settings of a home."""
    for parse in (_parse_profile, _parse_settings):
        faults = Faults("envs/fuzz.yaml")
        if parse(data, faults) is None:
            assert faults.found, "refused without a word"
        check_faults(tuple(faults.found), data)


def _parse_profile(data: bytes, faults: Faults) -> object:
    assert _NO_SETTINGS
    return parse_profile("fuzz", data, _NO_SETTINGS, faults)


def _parse_settings(data: bytes, faults: Faults) -> object:
    return parse_settings(data, _HOME, find_main_target(), faults)


_FILES = [path.read_bytes() for pattern in _PATTERNS for path in sorted(_REPOSITORY.glob(pattern))]
_REGISTRIES = (*_FILES, _RICH, _RICH)
_NO_SETTINGS = parse_settings(b"", _HOME, find_main_target(), Faults("envs/site.yaml"))

KINDS = (
    Kind("registry", 20, _make_registry, _read_registry),
    Kind("home", 10, lambda chance: mutate(chance, _HOMES, _WORDS), _read_home),
)
