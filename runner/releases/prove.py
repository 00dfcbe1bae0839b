"""What a new release must show before it is switched to; each step ends well or raises.

A UserError is the commit's own mistake: it is refused and not tried again. TryLater is of this host or of what it
depends on: the next build tries it again.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from runner.crontab.output import make_output
from runner.errors import USER_ERROR, TryLater, UserError
from runner.home.here import read_host
from runner.home.machine import write_machine_files
from runner.home.release import RELEASES, find_base
from runner.home.settings import SETTINGS_FILE, Settings
from runner.home.site import find_site, may_be_at
from runner.launch.environment import base_environment
from runner.launch.outcome import CannotStart
from runner.plans.load import load_home
from runner.plans.write import compare_output, remove_output, write_output
from runner.profiles.use import get_profile, use_profile
from runner.releases.environment import VENV
from runner.releases.log import BuildLog

RUNNER = (sys.executable, "-I", "-m", "runner.cli.main")


def check(home: Path, log: BuildLog, user: tuple[str, str], timeout_s: float) -> None:
    """Have ``runner check`` find no error."""
    trouble = log.run([*RUNNER, "--home", str(home), "check"], base_environment(*user), home, timeout_s)
    if trouble == f"exit {USER_ERROR}":
        raise UserError("runner check finds errors")
    if trouble:
        raise TryLater(f"runner check: {trouble}")


def check_state(settings: Settings) -> None:
    """See that what runs leave is not in the release, which is read-only and goes one day."""
    base = find_base(settings.home)
    for target in settings.targets:
        state = settings.state_of(target)
        if base and state.is_relative_to(base / RELEASES):
            hint = f'write an absolute path, as "state: {base}/state"'
            raise UserError(f"{SETTINGS_FILE}: the state directory of target {target.name} is in the release; {hint}")


def settle(home: Path, log: BuildLog, user: tuple[str, str], timeout_s: float) -> None:
    """Write byte code, and the machine's files, whose command ``runner`` jobs of the home may start."""
    own = home / VENV / "bin" / "python"
    python = str(own) if own.exists() else sys.executable
    # Of old scripts that are no Python 3 there is none; whoever runs them knows.
    log.run([python, "-I", "-m", "compileall", "-q", "."], base_environment(*user), home, timeout_s)
    write_machine_files(home)


def compile_plans(home: Path) -> None:
    """Write ``crontab.d/``, all of it: what was under git there may be older."""
    files = make_output(load_home(home))
    differences = compare_output(home, files)
    write_output(home, files, differences)
    remove_output(home, differences.superfluous)


def activate_profiles(settings: Settings, log: BuildLog) -> None:
    """Activate each profile that a job uses, as far as it can be on this host."""
    loaded = load_home(settings.home)
    here = find_site(settings, read_host())
    for name in sorted({one.profile.name for one in loaded.planned}):
        profile = get_profile(settings, name)
        if not may_be_at(settings, profile.site, here):
            continue
        log.say(f"profile {name}")
        try:
            use_profile(settings, profile)
        except CannotStart as cause:
            raise TryLater(str(cause)) from None


def run_own_proof(home: Path, command: str, log: BuildLog, user: tuple[str, str], timeout_s: float) -> None:
    """Run the home's own command in the release; words with a slash begin there, others are of .venv or the system."""
    if not command:
        return
    words = shlex.split(command)
    if "/" in words[0]:
        words[0] = str(home / words[0])
    environment = base_environment(*user) | {"RUNNER_HOME": str(home)}
    if (home / VENV).exists():
        environment |= {"VIRTUAL_ENV": str(home / VENV), "PATH": f"{home / VENV}/bin:{environment['PATH']}"}
    if trouble := log.run(words, environment, home, timeout_s):
        raise UserError(f'its own proof "{command}" does not hold: {trouble}')
