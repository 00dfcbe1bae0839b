"""What cron would execute of a home: whether anybody else can change it, or read its secrets (CRON-55, SEC-1, SEC-19).

What a run would refuse an install refuses; the rest are warnings, and so is all of it in ``runner check``, since it is
about this host and not about the registry.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from runner.errors import Fault, UserError
from runner.home.here import read_host
from runner.home.machine import DIRECTORY as MACHINE
from runner.home.settings import Settings
from runner.home.site import find_site, may_be_at
from runner.launch.activation import Activation
from runner.launch.doubts import Doubt, find_doubts, start_walk
from runner.launch.environment import expand_path
from runner.launch.gates import name_release
from runner.launch.outcome import CannotStart
from runner.launch.plan import HOME_PLAN, PLANS
from runner.launch.secrets import explain_exposed, is_exposed
from runner.launch.state import DIRECTORIES, LOCKS, LOGS
from runner.launch.trees import let_account_own, list_trees
from runner.launch.trust import list_program
from runner.plans.check import WRAPPER
from runner.plans.make import Planned

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Executed:
    """What of a home cron would execute or believe, as far as it is there.

    Attributes
    ----------
    home
        Its real path.
    files
        Absolute, each to be walked up to ``/``.
    activations
        Of the profiles that can be on this host.
    secrets
        The files that values are read from.
    state
        The state directory.
    group
        Who may read the logs; empty for nobody.
    """

    home: Path
    files: tuple[str, ...]
    activations: tuple[Activation, ...]
    secrets: tuple[str, ...]
    state: Path
    group: str


def find_executed(settings: Settings, planned: Iterable[Planned], state: Path) -> Executed:
    """Return what is executed of a home: the wrapper, the machine's part, registry, profiles, plans and scripts.

    Of a command that the profile's PATH finds nobody knows yet where it is; what is outside a home is walked too.
    """
    home, here = settings.home, find_site(settings, read_host())
    planned = tuple(planned)
    found = [home / WRAPPER, home / HOME_PLAN, *sorted((home / MACHINE).rglob("*"))]
    for pattern in ("jobs", "jobs/*.yaml", "envs", "envs/*.yaml", "envs/capo/*.properties", f"{PLANS}/*.plan"):
        found += sorted(home.glob(pattern))
    scripts = sorted({home / step.words[0] for one in planned for step in one.job.steps if "/" in step.words[0]})
    profiles = {one.profile.name: one for one in planned if may_be_at(settings, one.profile.site, here)}
    activations = tuple(one.plan.activation for one in profiles.values())
    files = [str(path) for path in (*found, state)]
    files += [path for script in scripts if script.exists() for path in list_program(str(script))]
    files += [path for activation in activations for path in _list_trees(activation, home)]
    secrets = sorted({path for one in profiles.values() for path in _list_secrets(one, home)})
    there = tuple(path for path in dict.fromkeys([*files, *secrets]) if Path(path).exists())
    return Executed(home, there, activations, tuple(secrets), state, settings.group)


def _list_trees(activation: Activation, home: Path) -> list[str]:
    """Return what a profile activates, and the directories that it puts on PATH."""
    with suppress(CannotStart):  # an account that is not here: said of the profile
        changes = [change for change in activation.changes if change.name == "PATH" and change.verb != "unset"]
        paths = [path for change in changes for path in expand_path(change.value, str(home)).split(":")]
        return [*list_trees(activation, str(home)), *paths]
    return []


def _list_secrets(one: Planned, home: Path) -> Iterator[str]:
    for _, path in one.plan.secrets:
        with suppress(CannotStart):
            yield expand_path(path, str(home))


def examine(executed: Executed, uid: int) -> list[Fault]:
    """Return what is doubtful, as of now, for the jobs of a user; an error is what no run would start with."""
    walk = start_walk(uid)
    if name_release(str(executed.home)) != "-":
        walk.let_own(executed.home.stat().st_uid)
    for activation in executed.activations:
        let_account_own(walk, activation)
    doubts = find_doubts(executed.files, walk)
    groups = [doubt.path for doubt in doubts if doubt.by_group]
    return [
        *_name_deployer(executed.home, uid),
        *[_tell(doubt) for doubt in doubts if not doubt.by_group],
        *([_sum_up(groups)] if groups else []),
        *_find_exposed(executed),
        *_find_open_state(executed),
        *_find_editable(executed),
    ]


def _name_deployer(home: Path, uid: int) -> Iterator[Fault]:
    owner = home.stat().st_uid
    if not uid and name_release(str(home)) != "-":
        message = "is a release that root's jobs run: who may push to its repository is root on this host (SEC-2)"
        yield Fault(str(home), 0, 0, "warning", message, "run the jobs as an account of their own")
    if uid and name_release(str(home)) != "-" and owner not in (0, uid):
        message = f"is a release of uid {owner}, who decides what cron runs (SEC-1)"
        yield Fault(str(home), 0, 0, "warning", message)


def _tell(doubt: Doubt) -> Fault:
    message = f"{doubt.why}: who can change it decides what cron runs (SEC-1)"
    return Fault(doubt.path, 0, 0, "error" if doubt.refused else "warning", message, doubt.remedy)


def _sum_up(groups: list[str]) -> Fault:
    more = f" and {len(groups) - _SHOWN} more" if len(groups) > _SHOWN else ""
    others = f", as that of {', '.join(groups[1:_SHOWN])}{more}" if groups[1:] else ""
    return Fault(groups[0], 0, 0, "warning", f"its group can change what cron runs{others} (SEC-1)", "chmod g-w")


def _find_exposed(executed: Executed) -> Iterator[Fault]:
    for path in map(Path, executed.secrets):
        if path.exists() and is_exposed(mode := path.stat().st_mode):
            yield Fault(str(path), 0, 0, "error", f"a secret that {explain_exposed(mode)}", "chmod 600")


def _find_open_state(executed: Executed) -> Iterator[Fault]:
    """Yield what of the state directory others than its owner get into (SEC-6, SEC-18)."""
    state = executed.state
    private = [state / name for name in DIRECTORIES if name != LOGS]
    private += [*sorted((state / LOCKS).glob("*")), *([] if executed.group else [state, state / LOGS])]
    for path in private:
        if path.exists() and (mode := path.stat().st_mode) & 0o077:
            message = f"is for its owner alone, and has mode {mode & 0o7777:04o} (SEC-6)"
            yield Fault(str(path), 0, 0, "warning", message, f"chmod {700 if path.is_dir() else 600}")


def _find_editable(executed: Executed) -> Iterator[Fault]:
    """Yield the files by which an environment takes modules from elsewhere (SEC-19)."""
    for packages in (path for path in executed.files if path.endswith("/site-packages")):
        for file in sorted(Path(packages).glob("*.pth")):
            lines = file.read_text(errors="replace").splitlines()
            places = sorted({place for line in lines if (place := _find_elsewhere(file, line))})
            if places:
                message = f"an editable install: modules come from {', '.join(places)}, as they are there (SEC-19)"
                yield Fault(str(file), 0, 0, "warning", message, "install it as it is, without -e")


def _find_elsewhere(file: Path, line: str) -> str:
    """Return where a line of a ``.pth`` file leads out of its environment, empty if it does not (``site``)."""
    if line.startswith(("import ", "import\t")):
        return "a mapping in it" if file.name.startswith("__editable__") else ""
    place = (file.parent / line.strip()).resolve()
    is_path = line.strip() and not line.startswith("#")
    return str(place) if is_path and not place.is_relative_to(file.parents[3].resolve()) else ""


def check_trust(executed: Executed, uid: int) -> list[str]:
    """Return the warnings of an install.

    Raises
    ------
    UserError
        If anybody else could change what a user's jobs will execute, or read a secret, naming each component.
    """
    faults = examine(executed, uid)
    if refused := [fault for fault in faults if fault.level == "error"]:
        raise UserError("\n".join(map(str, refused)))
    return [str(fault).replace(" warning:", "", 1) for fault in faults]
