"""Using a profile without a job: in a person's shell, and for one command (PROF-40, PROF-70)."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from runner.document.faults import check_faults, describe_unknown
from runner.errors import BUG, UserError
from runner.home.account import get_account
from runner.home.here import find_state, read_host, read_user
from runner.home.settings import Settings
from runner.launch.activation import Activation, Change
from runner.launch.environment import apply_changes, base_environment, check_environment
from runner.launch.log import Log
from runner.launch.orphans import become_subreaper
from runner.launch.outcome import CannotStart
from runner.launch.secrets import load_secrets
from runner.launch.shell import MemoryFile
from runner.launch.snapshot import (
    decode_snapshot,
    find_refusal,
    find_snapshot,
    identify_activation,
)
from runner.profiles import live
from runner.profiles.capture import is_kept
from runner.profiles.changes import make_activation
from runner.profiles.difference import find_changes, is_list
from runner.profiles.profile import Profile
from runner.profiles.read import read_profiles
from runner.profiles.snapshots import list_secrets


@dataclass(frozen=True, slots=True)
class Use:
    """A profile as this host and user would have it.

    Attributes
    ----------
    environment
        That of a job in this profile, without what runs add.
    personal
        The changes for the environment of a person, secrets among them.
    secrets
        The names of these.
    asked
        What there is no snapshot of that is still true; None if there is one, or should not be.
    """

    environment: dict[str, str]
    personal: list[Change]
    secrets: frozenset[str]
    asked: Activation | None


def get_profile(settings: Settings, name: str) -> Profile:
    """Return the profile of that name; UserError with the nearest names, or with what is wrong in its file."""
    profiles = read_profiles(settings)
    check_faults(fault for fault in profiles.faults if fault.file == f"envs/{name}.yaml")
    if name not in profiles.by_name:
        raise UserError(describe_unknown("profile", name, profiles.by_name))
    return profiles.by_name[name]


def use_profile(settings: Settings, profile: Profile) -> Use:
    """Return a profile's effect, from its snapshot if that is still true, else by activating it now.

    Raises
    ------
    CannotStart
        Anything of it fails: ``profile P: KIND: REASON`` (PROF-40).
    """
    home, user = str(settings.home), read_user()
    before = base_environment(user, get_account(user).pw_dir)
    activation = make_activation(profile, settings)
    changes = _find_kept(activation, profile.name, before, settings)
    asked = activation if changes is None and activation.mode == "snapshot" else None
    if changes is None:
        changes = _activate_apart(activation, profile.name, before, home)
    environment = dict(before)
    apply_changes(environment, changes)
    check_environment(environment, activation, profile.name, home)
    secrets: dict[str, str] = {}
    load_secrets(secrets, list_secrets(profile), home)
    kept = [change for change in changes if is_kept(change.name)]
    of_base = len([name for name, _ in settings.base_env if is_kept(name)])
    personal = [*make_relative(before, kept[:of_base]), *kept[of_base:]]
    personal += [Change("set", name, value) for name, value in secrets.items()]
    return Use(environment | secrets, personal, frozenset(secrets), asked)


def make_relative(before: Mapping[str, str], base: list[Change]) -> list[Change]:
    """Return what the base of all profiles means to a person: directories in front of the lists that are there.

    A job's PATH is replaced by that of the base; a person's own stays, behind what the base adds.
    """
    after = dict(before)
    apply_changes(after, base)
    relative = []
    for change in find_changes(before, after):
        if change.verb == "set" and change.name in before and is_list(change.name, change.value):
            old = before[change.name].split(":")
            added = [element for element in change.value.split(":") if element and element not in old]
            relative += [Change("prepend", change.name, ":".join(added))] if added else []
        else:
            relative.append(change)
    return relative


def _find_kept(activation: Activation, profile: str, before: dict[str, str], settings: Settings) -> list[Change] | None:
    """Return the changes of the profile's snapshot, None if there is none that is still true."""
    if activation.mode != "snapshot":
        return None
    home, host = str(settings.home), read_host()
    snapshot = find_snapshot(str(find_state(settings)), profile, host)
    identity = identify_activation(activation, before, home, host)
    stale = find_refusal(snapshot, identity, time.time(), with_sources=True)
    return snapshot.changes if snapshot and not stale else None


def _activate_apart(activation: Activation, profile: str, before: dict[str, str], home: str) -> list[Change]:
    """Activate in a process of its own, which may end all that it started; what is printed meanwhile is dropped."""
    answer = MemoryFile()
    try:
        child = os.fork()
        if not child:
            _answer(answer, activation, profile, before, home)
        _, status = os.waitpid(child, 0)
        data = answer.read()
    finally:
        answer.close()
    try:
        return decode_snapshot(data).changes
    except (ValueError, LookupError):
        cause = data.decode("utf-8", "surrogateescape")
        raise CannotStart(cause or f"profile {profile}: its activation ended with status {status}") from None


def _answer(answer: MemoryFile, activation: Activation, profile: str, before: dict[str, str], home: str) -> NoReturn:
    """Activate, write the effect in the form of a snapshot or the reason why there is none, and end this process."""
    try:
        become_subreaper()
        try:
            answer.write(live.answer(activation, profile, before, home, Log("", -1, 0)))
        except CannotStart as cause:
            answer.write(str(cause).encode("utf-8", "surrogateescape"))
        os._exit(0)
    except BaseException:
        sys.excepthook(*sys.exc_info())  # a bug; whoever waits for the answer says that there is none
        os._exit(BUG)
