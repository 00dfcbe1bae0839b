"""``runner capo``: the properties of a profile, as pycapo's command gives them or strictly (profiles.md, CAPO)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path

import click

from runner.cli.capo_strict import NO_KEY, NO_PROFILE, Form, answer_strictly, check_request
from runner.cli.complete import complete_profiles
from runner.cli.output import clean, say_lines, write_text
from runner.cli.pycapo_words import PycapoCommand
from runner.errors import DONE, USER_ERROR, Fault, UserError
from runner.home.find import find_home
from runner.profiles.properties.files import (
    DEFAULT_PATH,
    SUFFIX,
    add_own_directory,
    choose_path,
    choose_profile,
    is_profile_name,
    list_files,
)
from runner.profiles.properties.pycapo import Unreadable
from runner.profiles.properties.shell import ASSIGN, find_dangers, find_losses, write_as_pycapo
from runner.profiles.properties.source import Source
from runner.profiles.properties.values import merge

# In the words of pycapo, by which scripts know them (CAPO-9).
_NO_PROFILE = (
    "ERROR: pycapo can't deduce the 'profile', give it the -P argument"
    " or set the CAPO_PROFILE environment variable! Geeze!\n"
)
_NOT_ASKED = "ERROR: either -A or a list of settings is needed!\n"
_NO_SETTING = "ERROR: missing setting {}."


class CapoCommand(PycapoCommand):
    """``runner capo``, with the usage of profiles.md."""

    usage = "[-h] [--path PATH] [--all|-A] [--quiet|-q] [-P|--profile PROFILE] [--strict ...] [KEY ...]"


@click.command("capo", cls=CapoCommand, short_help="properties of a profile, as pycapo reads them or strictly")
@click.argument("keys", metavar="[KEY ...]", nargs=-1)
@click.option("--path", metavar="PATH", help="Directories to look in; else CAPO_PATH, else capo.path of the home.")
@click.option("--all", "-A", "everything", is_flag=True, help="All properties.")
@click.option("--quiet", "-q", is_flag=True, help="The value alone.")
@click.option("-P", "--profile", metavar="P", shell_complete=complete_profiles, help="The profile; else CAPO_PROFILE.")
@click.option(
    "--strict", is_flag=True, help="Refuse what programs may read otherwise; write KEY='value', safe to eval."
)
@click.option("--shell", type=click.Choice(list(ASSIGN)), help="Strictly, for eval by this shell (bash is any sh).")
@click.option("--null", is_flag=True, help="Strictly, each ended by NUL.")
@click.option("--json", "as_json", is_flag=True, help="Strictly, an object a line: key, value, file, line.")
@click.option("--show-secrets", is_flag=True, help="Strictly, with the values that -A masks.")
@click.option("--format", "syntax", type=click.Choice(["pycapo", "java"]), help="Strictly, as which programs read it.")
@click.pass_context
def capo_command(
    ctx: click.Context,
    keys: tuple[str, ...],
    path: str | None,
    everything: bool,
    quiet: bool,
    profile: str | None,
    strict: bool,
    shell: str | None,
    null: bool,
    as_json: bool,
    show_secrets: bool,
    syntax: str | None,
) -> int:
    """Print properties of the profile: PROFILE.properties in each directory of the path, the last one winning, and
    ~/.capo after them.

    Exit 0; 1 no profile; 2 no key and no -A; 3 a key is missing. With --strict, or an option that says "strictly":
    1 also where no file of the profile is found, and 4 if a file is not accepted, all its faults being named.
    """
    if strict or shell or null or as_json or show_secrets or syntax:
        form = Form(quiet, everything, shell or "bash", null, as_json, show_secrets, syntax == "java")
        chosen = choose_profile(profile, os.environ)
        check_request(form, keys)
        return answer_strictly(form, keys, chosen, _find_path(ctx, path, chosen) if is_profile_name(chosen) else "")
    if not everything and not keys:
        return _refuse(_NOT_ASKED, USER_ERROR, ctx)
    if quiet and not everything and len(keys) > 1:
        return _refuse("ERROR: -q takes one key: nothing would stand between two values", USER_ERROR)
    chosen = choose_profile(profile, os.environ)
    if not chosen:
        return _refuse(_NO_PROFILE, NO_PROFILE, ctx)
    if not is_profile_name(chosen):
        return _refuse(f'ERROR: "{clean(chosen)}" can be no profile\'s name', NO_PROFILE)
    return _answer_as_pycapo(chosen, _find_path(ctx, path, chosen), None if everything else keys, quiet=quiet)


def _refuse(message: str, code: int, usage_of: click.Context | None = None) -> int:
    """Say why nothing is answered, with the usage if pycapo shows it then, and return the exit code."""
    click.echo(message, err=True)
    if usage_of:
        click.echo(usage_of.get_help())
    return code


def _answer_as_pycapo(profile: str, path: str, keys: Sequence[str] | None, *, quiet: bool) -> int:
    """Print the properties as pycapo does, all if `keys` is None; its dangers are told on stderr (CAPO-15)."""
    sources = [Source(file, os.environ) for file in list_files(profile, path)]
    try:
        readings = [source.read() for source in sources]
    except (Unreadable, UnicodeDecodeError) as error:
        return _refuse(clean(error.reason if isinstance(error, UnicodeDecodeError) else str(error)), NO_PROFILE)
    except OSError as error:
        return _refuse(clean(f"{error.filename}:1: {error.strerror}"), NO_PROFILE)
    found = merge(one for reading in readings for one in reading.properties)
    asked = list(found) if keys is None else [key.upper() for key in keys]
    shown = [found[key] for key in takewhile(found.__contains__, asked)]
    if not any(source.is_there for source in sources):
        say_lines([_warn(profile, "not on the path")])
    if quiet and len(shown) > 1:
        say_lines([_warn(profile, "-q leaves nothing between two values")])
    say_lines(find_losses(readings))
    say_lines(find_dangers(shown, for_eval=not quiet))
    write_text("".join(one.value.strip() if quiet else write_as_pycapo(one) for one in shown))
    if len(shown) < len(asked):
        return _refuse(_NO_SETTING.format(asked[len(shown)]), NO_KEY)
    return DONE


def _warn(profile: str, message: str) -> Fault:
    return Fault(profile + SUFFIX, 0, 0, "warning", message)


def _find_path(ctx: click.Context, given: str | None, profile: str) -> str:
    """Return the search path, with the caller's own directory at its end (CAPO-2)."""
    chosen = choose_path(given, os.environ)
    return add_own_directory(_find_home_path(ctx, profile) or DEFAULT_PATH if chosen is None else chosen)


def _find_home_path(ctx: click.Context, profile: str) -> str | None:
    """Return ``capo.path`` of the home; None where there is no home, unless one was named."""
    named = ctx.find_root().obj
    try:
        home = find_home(named, os.environ, Path.cwd())
    except UserError:
        if named or os.environ.get("RUNNER_HOME"):
            raise
        return None
    # Imported here, with the YAML parser: most callers have CAPO_PATH.
    from runner.home.settings import read_settings
    from runner.profiles.read import find_capo_path

    return find_capo_path(profile, read_settings(home))
