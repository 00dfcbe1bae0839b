"""How long a whole diagnosis takes: of a home that is well, and of one whose every server hangs."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from compile_bench import make_home
from measure import Figure, clean_environment

from runner.plans.installed import note_installed
from runner.plans.write import read_compiled_plans

sys.path.insert(0, str(Path(__file__).parents[1]))
from mailroom import serve_silence

_JOBS = 25
_PROFILES = 10
_SLEEPS = "activate: [{setup: {shell: bash, source: '{home}/setup.sh'}}]\n"
_SITE = """\
name: bench
mail: {{via: smtp, ops: ops@example.org, smtp: {{host: 127.0.0.1, port: {mail}}}}}
slack: {{channel: C1, token: "file:{home}/token", url: "https://127.0.0.1:{slack}/api/"}}
ping: https://127.0.0.1:{ping}/key
database: "postgresql://runner@127.0.0.1:{ledger}/ledger"
environments: [prod]
sites: {{bench: {{}}}}
layout: "{home}/trees/{{profile}}"
"""


def run_benchmarks(directory: Path) -> Iterator[Figure]:
    """Yield the wall seconds of ``runner diagnose``; it may find what it likes."""
    well = _install(make_home(directory / "well", _JOBS))
    took_s, found = _diagnose(well)
    slow = [one for one in found if "no answer within" in one["message"]]
    yield Figure(
        "diagnosis of a home that is well", took_s, 10, "s", f"{_JOBS} jobs, {len(slow)} checks without answer"
    )
    with ExitStack() as servers:
        home = make_home(directory / "hangs", _JOBS)
        _let_hang(home, servers)
        took_s, found = _diagnose(_install(home))
    levels = [one["level"] for one in found]
    detail = f"{len(found)} findings, {levels.count('error')} of them errors; {_PROFILES} profiles that hang"
    yield Figure("diagnosis while every server hangs", took_s, 60, "s", detail)


def _let_hang(home: Path, servers: ExitStack) -> None:
    """Have everything that the home asks accept, and never answer: mail, Slack, pings, ledger, git, profiles."""

    def listen() -> int:
        return servers.enter_context(serve_silence())

    ports = {name: listen() for name in ("mail", "slack", "ping", "ledger")}
    (home / "envs/site.yaml").write_text(_SITE.format(home=home, **ports))
    (home / "token").write_text("xoxb-not-a-token")
    (home / "token").chmod(0o600)
    (home / "setup.sh").write_text("sleep 600\n")
    for number in range(_PROFILES):
        (home / "envs" / f"hangs-{number}.yaml").write_text(_SLEEPS)
    jobs = [
        f"  hangs-{number}: {{run: true, profile: hangs-{number}, ping: 'https://127.0.0.1:{listen()}/x'}}\n"
        for number in range(_PROFILES)
    ]
    (home / "jobs" / "hangs.yaml").write_text("jobs:\n" + "".join(jobs))
    for words in (["init", "-q"], ["remote", "add", "origin", f"https://127.0.0.1:{listen()}/home.git"]):
        subprocess.run(["git", *words], cwd=home, check=True, capture_output=True)


def _install(home: Path) -> Path:
    command = [sys.executable, "-m", "runner.cli.main", "--home", str(home), "compile"]
    subprocess.run(command, check=True, capture_output=True)
    note_installed(home / "state", read_compiled_plans(home), time.time())
    return home


def _diagnose(home: Path) -> tuple[float, list[dict[str, str]]]:
    command = [sys.executable, "-m", "runner.cli.main", "--home", str(home), "diagnose", "--json"]
    begun = time.perf_counter()
    done = subprocess.run(command, env=clean_environment(), capture_output=True, text=True, check=False)
    took_s = time.perf_counter() - begun
    assert done.returncode in (0, 1), done.stderr
    return took_s, [json.loads(line) for line in done.stdout.splitlines()]
