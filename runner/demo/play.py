"""``runner demo [DIR]``: a small observatory on this machine, from the registry to the mail (DESIGN section 7).

No network, no root, and nothing outside its directory: the archive is served on loopback, the crontab is a
file, and so is each mail. Everything between is the product itself, called as a person or cron calls it.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email import message_from_string
from email.policy import default
from pathlib import Path

from runner.crontab.lint import find_path_fault
from runner.demo.archive import publish, serve
from runner.demo.exposures import Exposure, plan_exposures
from runner.demo.night import HOURS, Firing, find_differences, find_morning, plan_night
from runner.demo.stage import HOME, Stage, ask, fire, list_mails, run_command, run_commands
from runner.errors import ANSWER_IS_NO, DONE, UserError
from runner.home.settings import SETTINGS_FILE
from runner.launch.instant import format_slot
from runner.launch.slot import use_zone
from runner.launch.state import OUTBOX
from runner.registry.read import read_registry

_PACKAGED = Path(__file__).parent
_TCSH = "/bin/tcsh"
_DOWNLOAD = "download-wfc3"
_SWEEP = "wrappers/run-job --sweep"
_NO_ARCHIVE = "http://archive.example.org"


@dataclass(frozen=True, slots=True)
class Step:
    """One scene: its title, and what happens in it."""

    title: str
    act: Callable[[Stage], Stage]


def run_demo(directory: Path | None) -> int:
    """Play the demo in `directory`, a new temporary one for None; return the exit code.

    It ends after the first step in which something was not as it must be, names it on stderr and returns 1.

    Raises
    ------
    UserError
        If the directory is not empty, cannot be written to, or cannot stand in a crontab (CRON-12).
    """
    where = _prepare(directory)
    print(f"A small observatory in {where}")
    with serve(where / "archive") as url:
        stage = Stage(where, url)
        for number, step in enumerate(STEPS, 1):
            print(f"\n=== {number}. {step.title}\n")
            stage = step.act(stage)
            if stage.differences:
                break
    sys.stdout.flush()
    for difference in stage.differences:
        print(f"demo: {difference}", file=sys.stderr)
    return ANSWER_IS_NO if stage.differences else DONE


def make_home(stage: Stage) -> Stage:
    """Make a home as anybody would; add the jobs that only the demo has; name the archive."""
    stage = run_command(stage, f"runner init {HOME}")
    if stage.differences:
        return stage
    for part in ("jobs", "tcsh") if _has_tcsh() else ("jobs",):
        shutil.copytree(_PACKAGED / part, stage.home / "jobs", dirs_exist_ok=True)
    shutil.copytree(_PACKAGED / "cron", stage.cron)
    _name_archive(stage.home / "jobs" / "wfc3.yaml", stage.archive_url)
    _name_sendmail(stage.home / SETTINGS_FILE, stage.cron / "sendmail")
    print(
        f"\nThe archive of this demo is {stage.archive_url}; jobs/wfc3.yaml names it now. Mails become files in mail/."
    )
    return stage


def show_registry(stage: Stage) -> Stage:
    """Show what a developer writes, what is made of it, and that nothing is wrong with it."""
    return run_commands(stage, "cat jobs/wfc3.yaml", "cat jobs/broken.yaml", "runner show mirror-night", "runner check")


def install_crontab(stage: Stage) -> Stage:
    """Compile the registry and put it into a crontab that belongs to somebody already."""
    before = (stage.cron / "table").read_bytes()
    stage = run_commands(stage, "runner compile", "crontab -l", "runner crontab install --yes", "crontab -l")
    if not (stage.cron / "table").read_bytes().startswith(before):
        stage = replace(stage, differences=(*stage.differences, "crontab: the lines of others were changed"))
    return stage


def run_night(stage: Stage) -> Stage:
    """Let the lines of the crontab come due, those of last night one after the other."""
    firings, exposures = _plan(stage)
    hour = len(exposures) // HOURS
    fire(stage, _SWEEP)
    for firing in firings:
        if firing.job == _DOWNLOAD:
            publish(stage.archive, exposures[:hour])
            exposures = exposures[hour:]
        command = f"wrappers/run-job {firing.job} --slot {format_slot(firing.slot)}"
        code, said = fire(stage, command)
        alerts = sorted((stage.home / "state" / OUTBOX).glob("2*"))
        print(f"$ {command:67} # exit {code}{', an alert' if alerts else ''}", flush=True)
        if alerts:
            said += fire(stage, _SWEEP)[1]
        if said:
            stage = replace(stage, differences=(*stage.differences, f"{command}: it said {said}"))
    return stage


def review(stage: Stage) -> Stage:
    """Do the housekeeping of each minute, then ask what ops would ask in the morning."""
    return run_commands(
        stage, "runner sweep", "runner status", "runner history", "runner history check-darks --limit 1 --json"
    )


def show_mails(stage: Stage) -> Stage:
    """Show all that the team has heard of the night, as the sweep of the next minute sent it."""
    for path in list_mails(stage):
        print(f"---- {path.relative_to(stage.directory)}\n{path.read_text()}")
    return stage


def show_results(stage: Stage) -> Stage:
    """Show what the jobs made: a report in a log, the headers in the database."""
    stage = run_command(stage, "tail -n 6 state/logs/exposures-wfc3/latest.log")
    print()
    columns = "file,object,detector,filter,exptime,obs_at"
    return run_commands(
        stage,
        f"runner find 'instrume = \"WFC3\" and cone(184.74, 47.30, 0.1)' --columns {columns}",
        "runner find 'state = \"bad\"' --columns file,state,reason",
    )


def judge_night(stage: Stage) -> Stage:
    """Compare the night with what must have come of it."""
    runs = [json.loads(line) for line in ask(stage, "runner history --limit 0 --json").splitlines()]
    outcomes: dict[str, list[str]] = {}
    for run in sorted(runs, key=lambda run: str(run["slot"])):
        outcomes.setdefault(run["job"], []).append(run["outcome"])
    mails = list_mails(stage)
    subjects = [str(message_from_string(path.read_text(), policy=default)["Subject"]) for path in mails]
    differences = find_differences(outcomes, subjects, tcsh=_has_tcsh())
    if not differences:
        print(f"{len(runs)} runs, {len(mails)} mails: each as expected.")
    return replace(stage, differences=differences)


def say_how_to_go_on(stage: Stage) -> Stage:
    """Leave the reader with commands that work from here."""
    port = stage.archive_url.rpartition(":")[2]
    print(f"""\
cd {shlex.quote(str(stage.home))}
export PATH=$PWD/.runner/bin:$PATH
runner status                           # every job at a glance
runner logs check-darks                 # what its last run said; with -f, what the next ones say
runner next exposures-wfc3              # when it is due
runner add my-job --when @hourly --run 'df -h' --profile local --file jobs/health.yaml
python3 -m http.server {port} --bind 127.0.0.1 --directory ../archive &
runner run download-wfc3                # now, on the same path as cron
runner crontab diff                     # what an install would change in your own crontab
runner crontab install                  # ... do it; `runner crontab uninstall` takes it out again
rm -r {shlex.quote(str(stage.directory))}     # there is nothing else to remove""")
    return stage


STEPS = (
    Step("A home, made from the template", make_home),
    Step("The registry", show_registry),
    Step("The crontab, before and after", install_crontab),
    Step("A night of slots, each through the wrapper that cron calls", run_night),
    Step("The morning after", review),
    Step("The mails of the night", show_mails),
    Step("What the jobs made", show_results),
    Step("Was it as it must be?", judge_night),
    Step("How to go on", say_how_to_go_on),
)


def _prepare(directory: Path | None) -> Path:
    """Return the real path of the directory, which is there and empty."""
    if fault := find_path_fault(str((directory or Path(tempfile.gettempdir())).resolve())):
        raise UserError(fault)
    if directory is None:
        return Path(tempfile.mkdtemp(prefix="runner-demo-")).resolve()
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if any(directory.iterdir()):
            raise UserError(f"{directory} is not empty; name a new directory, or none")
    except OSError as error:
        raise UserError(f"{directory}: {error.strerror}") from None
    return directory.resolve()


def _has_tcsh() -> bool:
    return os.access(_TCSH, os.X_OK)


def _name_archive(registry: Path, url: str) -> None:
    """Do what the comment in the registry asks for: name the archive, and let the download run."""
    lines = registry.read_text().replace(_NO_ARCHIVE, url).splitlines(keepends=True)
    registry.write_text("".join(line for line in lines if "enabled: false" not in line))


def _name_sendmail(settings: Path, program: Path) -> None:
    """Have mail given to a program of the demo's own."""
    settings.write_text(settings.read_text().replace("mail: {", f"mail: {{sendmail: {program}, "))


def _plan(stage: Stage) -> tuple[tuple[Firing, ...], tuple[Exposure, ...]]:
    use_zone(None)
    morning = find_morning(time.time())
    jobs = read_registry(stage.home).jobs
    firings = plan_night({job.id: [when.schedule for when in job.when] for job in jobs}, morning)
    return firings, plan_exposures(datetime.fromtimestamp(morning - (HOURS + 1) * 3600, UTC))
