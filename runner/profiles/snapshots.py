"""Making snapshots: an activation is captured twice, and kept only if it came out alike and holds no secret."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from runner.home.settings import Settings
from runner.launch import lines
from runner.launch.activation import CAPTURED, Activation, encode_activation
from runner.launch.environment import base_environment
from runner.launch.gates import Place
from runner.launch.log import Log
from runner.launch.outcome import CannotStart
from runner.launch.scrub import is_secret
from runner.launch.snapshot import Input, Snapshot, digest, identify_activation, observe
from runner.profiles.capture import Capture, activate, is_kept, list_kept
from runner.profiles.changes import make_activation
from runner.profiles.profile import Profile

_REMEDY_SECRET = "mode: live, or secrets"


@dataclass(frozen=True, slots=True)
class Captured:
    """A snapshot that is worth keeping, and what the activation did beyond it."""

    snapshot: Snapshot
    capture: Capture


def capture_snapshot(
    activation: Activation, profile: str, place: Place, sources: list[str], log: Log, now: float
) -> Captured:
    """Capture a profile; `sources` are the files of ``envs/`` that say it.

    Raises
    ------
    CannotStart
        The activation fails, differs from one time to the next, or sets a secret (PROF-64, PROF-65).
    """
    before = base_environment(place.user, place.user_home)
    # What the activation reads is looked at before: what changes meanwhile is then seen to have changed.
    first = activate(activation, profile, before, place.home, log)
    seen = {path: (observe(path), digest(path)) for path in dict.fromkeys([*first.inputs, *sources])}
    second = activate(activation, profile, before, place.home, log)
    refuse_volatile(first, second, profile)
    refuse_secrets(activation, second, profile)
    identity = identify_activation(activation, before, place.home, place.host)
    snapshot = Snapshot(profile, identity)
    snapshot.made_at, snapshot.max_age_s = now, activation.max_age_s
    snapshot.changes = list_kept(activation, second)
    snapshot.inputs = [Input(path, *found, is_source=path in sources) for path, found in seen.items()]
    snapshot.digest = sha256("\n".join([identity, *[one.digest for one in snapshot.inputs]]).encode()).hexdigest()
    return Captured(snapshot, second)


def admit_people(snapshot: Snapshot, activation: Activation, profile: Profile, settings: Settings) -> None:
    """Let with-profile use the snapshot of an activation, if `profile` as it is written now asks for the same."""
    asked = encode_activation(activation)
    if asked == encode_activation(make_activation(profile, settings)):
        snapshot.activation = lines.encode(asked).decode("utf-8", "surrogateescape")
        snapshot.secrets = list_secrets(profile)


def list_secrets(profile: Profile) -> list[tuple[str, str]]:
    """Return variable and file of each secret of a profile."""
    return [(name, source.removeprefix("file:")) for name, source in profile.secrets]


def list_sources(home: str, profile: str) -> list[str]:
    """Return the files that say what a profile is."""
    return [f"{home}/envs/site.yaml", f"{home}/envs/{profile}.yaml"]


def refuse_volatile(first: Capture, second: Capture, profile: str) -> None:
    """Raise CannotStart if a variable came out differently: a pid, a time, a temporary directory (PROF-65)."""
    one, other = first.environment, second.environment
    names = sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name) and is_kept(name))
    if names:
        raise CannotStart(
            f"profile {profile}: {' '.join(names)} differs from one activation to the next; unset it, or mode: live"
        )


def refuse_secrets(activation: Activation, capture: Capture, profile: str) -> None:
    """Raise CannotStart if a secret would be kept in a file (PROF-64)."""
    for number, change in capture.changes:
        is_hidden = is_secret(change.name) or change.name in ("KRB5CCNAME", *capture.secrets)
        if change.verb != "unset" and is_hidden:
            kind = activation.changes[number].verb
            source = f"{kind}: it sets" if kind in CAPTURED else "env:"
            raise CannotStart(f"profile {profile}: {source} {change.name}, which no file may keep; {_REMEDY_SECRET}")
