"""The command ``runner``: which commands there are, and what an error means to the shell (DESIGN section 7).

A command's module is imported when the command is called, so that ``runner --help`` and completion stay
quick and a broken database driver cannot break ``runner check``.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from errno import ENOSPC

import click

from runner.cli.lazy import LazyCommands
from runner.cli.output import say_nothing_more
from runner.errors import BUG, DONE, TRY_LATER, USER_ERROR, RunnerError


@dataclass(frozen=True, slots=True)
class Entry:
    """A command of the top level: its name, the module of ``runner.cli`` that has it, and its line of help."""

    name: str
    module: str
    help: str


SECTIONS: tuple[tuple[str, tuple[Entry, ...]], ...] = (
    (
        "Home",
        (
            Entry("demo", "demo", "a complete small observatory on this machine, in under a minute"),
            Entry("init", "init", "make a new home from the template"),
            Entry("check", "registry", "everything wrong with registry and profiles, with file:line:column"),
            Entry("add", "registry", "write the four lines of a new job"),
            Entry("show", "registry", "a job's entry expanded, each value with its origin"),
            Entry("next", "registry", "the next slots"),
        ),
    ),
    (
        "Crontab",
        (
            Entry("compile", "compile", "write crontab.d/ from jobs/ and envs/"),
            Entry("crontab", "crontab", "install, verify, roll back our block of a crontab; explain any"),
            Entry("release", "release", "build releases from git, switch to one, roll back"),
        ),
    ),
    (
        "Profiles",
        (
            Entry("profile", "profile", "see, compare, capture and use the environments of jobs"),
            Entry("capo", "capo", "properties of a profile, as pycapo reads them or strictly"),
        ),
    ),
    (
        "Runs",
        (
            Entry("run", "run", "run a job now, on the same path as cron"),
            Entry("stop", "control", "end what runs of a job, and wait until it is gone"),
            Entry("pause", "control", "keep a job from being started, for a time or until resumed"),
            Entry("resume", "control", "let a paused job be started again, from its next slot on"),
            Entry("status", "status", "every job: its last run, its next slot, its trouble"),
            Entry("history", "history", "past runs, the newest first"),
            Entry("logs", "history", "the log of a run; -f follows the job over all its runs"),
            Entry("note", "note", "for jobs: what the run made, read, or has to say"),
            Entry("why", "why", "why a job did or did not run at a time"),
            Entry("diagnose", "diagnose", "whether all is well: home, crontab, mail, profiles, machine"),
            Entry("sweep", "sweep", "the housekeeping that the crontab does each minute"),
            Entry("state", "state", "all that runner remembers as one file, and back"),
        ),
    ),
    (
        "Archive",
        (
            Entry("fetch", "fetch", "what sources have and a directory has not, each file whole"),
            Entry("index", "index", "the headers of FITS files into the database"),
            Entry("find", "find", "files by what their headers say, and what is missing"),
        ),
    ),
)


class _Sections(click.Group):
    """The commands of `SECTIONS`, in that order."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, in the order of the help."""
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; a reader (less, head) that has what it wanted and goes away is no trouble."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # caught here, since click itself makes exit code 1 of it
            say_nothing_more()
            return DONE

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands in their sections, with no blank lines between: all of it fits on a screen."""
        formatter.write_paragraph()
        for title, entries in SECTIONS:
            formatter.write_heading(title)
            with formatter.indentation():
                formatter.write_dl([(entry.name, entry.help) for entry in entries])


_MODULES = {entry.name: entry.module for _, entries in SECTIONS for entry in entries}


@click.group(
    cls=_Sections,
    commands=LazyCommands(_MODULES),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option("--home", metavar="DIR", help="The home; else RUNNER_HOME, else the nearest one upwards.")
@click.version_option(package_name="observatory-runner", prog_name="runner")
@click.pass_context
def cli(ctx: click.Context, home: str | None) -> None:
    """Compile a YAML registry of jobs into a crontab, run them, keep history."""
    ctx.obj = home


def main() -> None:
    """Run the command line and exit: the only place where an error becomes an exit code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code; a bug keeps its traceback and is 70.

    A file that the system will not let us have is the site's trouble: it is named, and the call may work later.
    """
    try:
        code = cli.main(arguments, prog_name="runner", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except RunnerError as error:
        from runner.cli.output import say_lines

        say_lines(str(error).split("\n"))
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return USER_ERROR
    except click.Abort:
        click.echo("runner: interrupted", err=True)
        return USER_ERROR
    except OSError as error:
        if error.filename is None and error.errno != ENOSPC:
            return _report_bug()
        if error.filename is None:
            say_nothing_more()
        name = os.fsdecode(error.filename) if error.filename else "standard output"
        click.echo(f"runner: {name}: {error.strerror}", err=True)
        return TRY_LATER
    except Exception:
        return _report_bug()


def _report_bug() -> int:
    import traceback

    traceback.print_exc()
    return BUG


if __name__ == "__main__":
    main()
