"""``runner capo --strict``: properties that every program reads alike, or a reason why not (CAPO-30 to CAPO-36)."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from runner.cli.output import clean, say_lines, write_text
from runner.document.faults import describe_unknown, has_errors
from runner.errors import DONE, Fault, UserError
from runner.launch.scrub import MASK
from runner.launch.shell import is_variable_name
from runner.profiles.properties.accept import (
    Accepted,
    find_name_faults,
    judge_own,
    may_have_own,
    read_for_java,
    read_strictly,
)
from runner.profiles.properties.files import SUFFIX, is_profile_name, list_files, list_profiles
from runner.profiles.properties.shell import ASSIGN
from runner.profiles.properties.values import Property, fold_key, name_in_shell

# Pycapo's, and one of our own (CAPO-8, CAPO-30).
NO_PROFILE, NO_KEY, NOT_ACCEPTED = 1, 3, 4


@dataclass(frozen=True, slots=True)
class Form:
    """How an answer is written, and by which rules the files are read."""

    quiet: bool
    everything: bool
    shell: str
    null: bool
    json: bool
    show_secrets: bool
    java: bool

    @property
    def for_shell(self) -> bool:
        """Whether the answer is for a shell to evaluate."""
        return not self.quiet and not self.json

    @property
    def end(self) -> str:
        """What ends each property."""
        return "\0" if self.null and not self.json else "\n"


def check_request(form: Form, keys: Sequence[str]) -> None:
    """Raise UserError if no answer can have the form that is asked for."""
    if not form.everything and not keys:
        raise UserError("give a key, or -A for all properties")
    if form.quiet and (form.everything or len(keys) > 1):
        raise UserError("-q takes one key; leave it out for several, or use --json")
    if form.json and (form.quiet or form.null):
        raise UserError("--json goes with neither -q nor --null")


def answer_strictly(form: Form, keys: Sequence[str], profile: str, path: str) -> int:
    """Print the properties, all or nothing, and return the exit code (CAPO-30)."""
    if not is_profile_name(profile):
        wrong = (
            f'"{clean(profile)}" can be no profile\'s name' if profile else "no profile: give -P or set CAPO_PROFILE"
        )
        return _refuse([wrong], NO_PROFILE)
    files = list_files(profile, path)
    found = (read_for_java if form.java else read_strictly)(files, os.environ)
    if not found.files:
        unknown = describe_unknown("profile", profile, list_profiles(path))
        return _refuse([f"{unknown} (no {profile}{SUFFIX} in {path})"], NO_PROFILE)
    asked = list(found.properties) if form.everything else [key if form.java else key.upper() for key in keys]
    shown = [found.properties[key] for key in asked if key in found.properties]
    own = judge_own(dict.fromkeys(shown), files[-1], is_allowed=may_have_own(profile))
    faults = [*found.faults, *own, *_judge_names(form, shown)]
    say_lines(faults)
    if has_errors(faults):
        return NOT_ACCEPTED
    missing = [key for key in dict.fromkeys(asked) if key not in found.properties]
    if missing:
        return _refuse([_describe_missing(key, found) for key in missing], NO_KEY)
    write_text("".join(_write(form, one) for one in shown))
    return DONE


def _judge_names(form: Form, shown: Iterable[Property]) -> list[Fault]:
    """Return what keeps properties from being written in this form."""
    unique = list(dict.fromkeys(shown))
    unfit = {"\0"} if form.null or form.quiet else {"\0", "\n"}
    faults = []
    if not form.json:
        odd = [one for one in unique if unfit & set(one.value)]
        faults += [_fault(one, "a newline or NUL in the value", "use --json") for one in odd]
    if form.for_shell:
        odd = [one for one in unique if not is_variable_name(name_in_shell(one.key))]
        faults += [_fault(one, f"{one.key} can be no name in a shell", "use -q or --json") for one in odd]
    if form.for_shell and form.java:  # in pycapo's files such names are a fault anyway
        faults += find_name_faults(unique)
    return faults


def _fault(one: Property, message: str, hint: str) -> Fault:
    return Fault(one.file, one.line, one.column, "error", message, hint)


def _write(form: Form, one: Property) -> str:
    """Return a property as it is asked for; a list of all masks secrets, a key that is named does not (CAPO-34)."""
    masked = form.everything and not form.show_secrets and one.is_secret and one.value
    value = MASK if masked else one.value
    if form.json:
        key = one.key if form.java else fold_key(one.key)
        return json.dumps({"key": key, "value": value, "file": one.file, "line": one.line}, ensure_ascii=False) + "\n"
    return (value if form.quiet else ASSIGN[form.shell](name_in_shell(one.key), value)) + form.end


def _describe_missing(key: str, found: Accepted) -> str:
    return describe_unknown("property", key, found.properties)


def _refuse(lines: Iterable[str], code: int) -> int:
    say_lines(lines)
    return code
