"""What an activation does to the environment, kept from one run to the next: ``snapshots/<profile>@<host>``.

Capturing an activation starts shells; most runs find its effect here and only look whether everything that it
depended on is still as it was (PROF-60 to PROF-66). The file is text, ``key value`` a line, behind a first line with
a fingerprint of the others; one that cannot be read is no snapshot.
"""

from __future__ import annotations

import posix

from runner.launch import lines
from runner.launch.activation import Activation, Change, decode_pair, encode_activation
from runner.launch.plan import fingerprint
from runner.launch.state import SNAPSHOTS, read_file, write_file

FORMAT = "runner-snapshot 1"
# Raised whenever the code that captures would now capture something else (PROF-62).
CAPTURE_VERSION = "1"
ABSENT = "-"
# ``snapshots/<profile>.wanted`` names a plan: who activated its profile for want of a snapshot.
WANTED = ".wanted"


class Input:
    """A file or directory that an activation depends on.

    ``facts`` are device, inode, size and mtime (ns) as text, ``-`` where there is nothing; ``digest`` is the SHA-256
    of the content, of a directory that of its names. ``is_source`` marks ``envs/*.yaml``, which count only where no
    plan says what they were compiled to.
    """

    __slots__ = ("digest", "facts", "is_source", "path")

    def __init__(self, path: str, facts: str, digest: str, *, is_source: bool = False) -> None:
        self.path = path
        self.facts = facts
        self.digest = digest
        self.is_source = is_source


class Snapshot:
    """The effect of one profile's activation.

    Attributes
    ----------
    identity
        A fingerprint of what was asked for: plan, home, user, host, version of the capture.
    activation, secrets
        For with-profile, which has no plan: what was asked for, in the form that it has in a plan, and the (variable,
        file) of the profile's secrets. Empty where the profile's YAML says something else than the plan.
    digest
        SHA-256 of that and of all inputs: what is written into a run's log (PROF-66).
    made_at, max_age_s
        POSIX seconds, and how old it may become.
    changes
        Literal and in order, from the variables that every job has.
    inputs
        What it depends on.
    """

    __slots__ = ("activation", "changes", "digest", "identity", "inputs", "made_at", "max_age_s", "profile", "secrets")

    def __init__(self, profile: str, identity: str) -> None:
        self.profile = profile
        self.identity = identity
        self.digest = self.activation = ""
        self.made_at = self.max_age_s = 0.0
        self.changes: list[Change] = []
        self.inputs: list[Input] = []
        self.secrets: list[tuple[str, str]] = []


def identify_activation(activation: Activation, environment: dict[str, str], home: str, host: str) -> str:
    """Return the fingerprint of what is asked for; `environment` is what every job begins with."""
    pairs = encode_activation(activation) + sorted(environment.items())
    pairs += [("home", home), ("host", host), ("version", CAPTURE_VERSION)]
    return fingerprint(lines.encode(pairs))


def read_activation(snapshot: Snapshot) -> Activation:
    """Return what a snapshot was asked for."""
    activation = Activation()
    for key, value in lines.decode(snapshot.activation.encode("utf-8", "surrogateescape")):
        decode_pair(activation, key, value)
    return activation


def find_snapshot(state: str, profile: str, host: str) -> Snapshot | None:
    """Return the snapshot of a profile, None if there is no usable one."""
    try:
        data = read_file(name_snapshot(state, profile, host))
        return decode_snapshot(data) if data else None
    except (OSError, ValueError, LookupError):
        return None


def keep_snapshot(state: str, snapshot: Snapshot, host: str) -> None:
    """Write a snapshot, private to its owner, whole or not at all (PROF-66)."""
    write_file(name_snapshot(state, snapshot.profile, host), encode_snapshot(snapshot))


def ask_for_snapshot(state: str, profile: str, plan_name: str) -> None:
    """Let the sweep capture a profile by one of its plans; that it cannot be asked keeps nobody from going on."""
    try:
        write_file(f"{state}/{SNAPSHOTS}/{profile}{WANTED}", plan_name.encode(), sync=False)
    except OSError:
        pass


def name_snapshot(state: str, profile: str, host: str) -> str:
    """Return the file of a profile's snapshot: hosts that share a state have one each."""
    return f"{state}/{SNAPSHOTS}/{profile}@{host}"


def find_refusal(snapshot: Snapshot | None, identity: str, now: float, *, with_sources: bool = False) -> str:
    """Return why a snapshot must not be used for what `identity` stands for, empty if it may."""
    if snapshot is None:
        return "it has no snapshot"
    if snapshot.identity != identity:
        return "its snapshot is that of another profile, home, user or host"
    stale = find_staleness(snapshot, now, with_sources=with_sources)
    return f"of its snapshot {stale}" if stale else ""


def find_staleness(snapshot: Snapshot, now: float, *, with_sources: bool = False) -> str:
    """Return why a snapshot must not be used any more, empty if it may (PROF-63).

    An input whose facts differ has changed only if its content has: a touched file is still the same.
    """
    if not snapshot.made_at <= now < snapshot.made_at + snapshot.max_age_s:
        return "it is too old" if snapshot.made_at <= now else "it is of a time to come"
    for one in snapshot.inputs:
        if one.is_source and not with_sources:
            continue
        facts = observe(one.path)
        if facts == one.facts:
            continue
        if ABSENT in (facts, one.facts):
            return f"{one.path} {'has vanished' if facts == ABSENT else 'is new'}"
        if digest(one.path) != one.digest:
            return f"{one.path} has changed"
    return ""


def observe(path: str) -> str:
    """Return device, inode, size and mtime of what `path` leads to, ``-`` where there is nothing to be had."""
    try:
        facts = posix.stat(path)
    except OSError:
        return ABSENT
    return f"{facts.st_dev}:{facts.st_ino}:{facts.st_size}:{facts.st_mtime_ns}"


def digest(path: str) -> str:
    """Return the SHA-256 of a file's content or of a directory's names, empty if it cannot be read."""
    from hashlib import sha256

    try:
        if posix.stat(path).st_mode >> 12 == 4:
            return sha256("\0".join(sorted(posix.listdir(path))).encode("utf-8", "surrogateescape")).hexdigest()
        with open(path, "rb") as file:
            found = sha256()
            while piece := file.read(1 << 20):
                found.update(piece)
        return found.hexdigest()
    except OSError:
        return ""


def encode_snapshot(snapshot: Snapshot) -> bytes:
    """Return the file of a snapshot."""
    pairs = [(key, getattr(snapshot, key)) for key in ("profile", "identity", "digest", "activation")]
    pairs += [("made_at", repr(snapshot.made_at)), ("max_age_s", repr(snapshot.max_age_s))]
    for one in snapshot.inputs:
        pairs.append(("source" if one.is_source else "input", f"{one.facts} {one.digest or ABSENT} {one.path}"))
    pairs += [("secret", f"{name} {file}") for name, file in snapshot.secrets]
    pairs += [("change", f"{change.verb} {change.name} {change.value}") for change in snapshot.changes]
    body = lines.encode(pairs)
    return f"{FORMAT} {fingerprint(body)}\n".encode() + body


def decode_snapshot(data: bytes) -> Snapshot:
    """Return the snapshot of a file; ValueError or LookupError if it is none of ours."""
    first, _, body = data.partition(b"\n")
    if first.decode("ascii", "replace") != f"{FORMAT} {fingerprint(body)}":
        raise ValueError("damaged, or of another version")
    snapshot = Snapshot("", "")
    for key, value in lines.decode(body):
        if key in ("input", "source"):
            facts, content, path = value.split(" ", 2)
            snapshot.inputs.append(Input(path, facts, content.removeprefix(ABSENT), is_source=key == "source"))
        elif key == "change":
            verb, name, text = value.split(" ", 2)
            snapshot.changes.append(Change(verb, name, text))
        elif key == "secret":
            name, file = value.split(" ", 1)
            snapshot.secrets.append((name, file))
        elif key in ("made_at", "max_age_s"):
            setattr(snapshot, key, float(value))
        elif key in ("profile", "identity", "digest", "activation"):
            setattr(snapshot, key, value)
        else:
            raise ValueError(f"it has a line '{key}' that means nothing there")
    return snapshot
