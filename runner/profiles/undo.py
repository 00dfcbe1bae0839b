"""Entering and leaving a profile in the environment of a person's shell, and the record by which it is left.

The record is one exported variable, ``RUNNER_UNDO``: words in percent-encoding behind a fingerprint. Per variable it
holds what was there before, of a list only what the profile put in front and behind, and a short digest of what the
profile made of it, by which a later change is noticed (PROF-71 to PROF-73). Values of what is named like a secret are
in no record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import quote, unquote

from runner.errors import UserError
from runner.launch.activation import Change
from runner.launch.environment import apply_changes
from runner.launch.plan import fingerprint
from runner.launch.scrub import is_secret
from runner.profiles.difference import is_list

UNDO = "RUNNER_UNDO"
_FORMAT = "1"
_READABLE = "/:=@+"
# Short, so that the digest of a secret cannot tell it; a change is overlooked once in four thousand million.
_DIGEST_DIGITS = 8


@dataclass(frozen=True, slots=True)
class Mark:
    """What a profile did to one variable.

    Attributes
    ----------
    digest
        Of the value that it left, empty if it left none.
    old
        The value before, None if there was none.
    is_grown
        Whether the value before stands in the new one, between `front` and `back`, and therefore not in `old`.
    front, back
        What came in front of the elements of a list, and behind them; of another list, ``front`` is all of it.
    """

    name: str
    digest: str
    old: str | None = None
    front: str = ""
    back: str = ""
    is_grown: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """The environment afterwards, and the variables that a person had changed meanwhile."""

    environment: dict[str, str]
    kept: tuple[str, ...] = ()


def enter(environment: Mapping[str, str], changes: Sequence[Change], profile: str, secrets: frozenset[str]) -> Result:
    """Return the environment with `changes` applied to it, after leaving the profile whose record is in it.

    Parameters
    ----------
    secrets
        Names of variables whose values are secret whatever they are called.

    Raises
    ------
    UserError
        The record is damaged; another environment is active (PROF-76); a secret of the person's would be lost.
    """
    left = leave(environment)
    _refuse_foreign(left.environment)
    after = dict(left.environment)
    apply_changes(after, list(changes))
    grown = _find_grown(changes)
    touched = dict.fromkeys(change.name for change in changes)
    names = [name for name in touched if left.environment.get(name) != after.get(name)]
    for name in names:
        if (name in secrets or is_secret(name)) and name in left.environment:
            raise UserError(f"{name} is set in this shell, and a secret is not kept for later: unset it first")
    marks = [_make_mark(name, left.environment.get(name), after.get(name), grown, secrets) for name in names]
    after[UNDO] = encode_record(profile, marks)
    return Result(after, left.kept)


def leave(environment: Mapping[str, str]) -> Result:
    """Return the environment without the profile that is active in it; without a record it is the same.

    Raises
    ------
    UserError
        The record is damaged.
    """
    after = dict(environment)
    record = after.pop(UNDO, None)
    if record is None:
        return Result(after)
    kept = []
    for mark in decode_record(record):
        current = after.pop(mark.name, None)
        is_changed = digest(current) != mark.digest
        value = _take_out(current, mark) if is_changed else _restore(current, mark)
        if value is not None:
            after[mark.name] = value
        if is_changed:
            kept.append(mark.name)
    return Result(after, tuple(sorted(kept)))


def encode_record(profile: str, marks: Sequence[Mark]) -> str:
    """Return the text of ``RUNNER_UNDO``."""
    words = [_FORMAT, _encode(profile), *[_encode_mark(mark) for mark in marks]]
    body = " ".join(words)
    return f"{fingerprint(body.encode())} {body}"


def decode_record(text: str) -> list[Mark]:
    """Return the marks of a record; UserError if it is damaged."""
    first, _, body = text.partition(" ")
    words = body.split(" ")
    try:
        if first == fingerprint(body.encode("utf-8", "surrogateescape")) and words[0] == _FORMAT:
            return [_decode_mark(word) for word in words[2:]]
    except ValueError:
        pass  # right by its fingerprint and yet none of ours
    raise UserError(f"{UNDO} is damaged, and nothing was changed; start a new shell, or unset it to stay as you are")


def digest(value: str | None) -> str:
    """Return a digest that tells whether a value is still the same; empty for none."""
    if value is None:
        return ""
    return sha256(value.encode("utf-8", "surrogateescape")).hexdigest()[:_DIGEST_DIGITS]


def _refuse_foreign(environment: Mapping[str, str]) -> None:
    for name, leaving in (("VIRTUAL_ENV", "deactivate"), ("CONDA_PREFIX", "conda deactivate")):
        if environment.get(name):
            raise UserError(f"{environment[name]} is active in this shell ({name}); leave it first: {leaving}")


def _find_grown(changes: Sequence[Change]) -> dict[str, tuple[str, str]]:
    """Return front and back of the variables that `changes` make grow at their ends and nothing else."""
    ends: dict[str, dict[str, str]] = {}
    for change in changes:
        if change.verb in ("prepend", "append"):
            apply_changes(ends.setdefault(change.verb, {}), [change])
    lost = {change.name for change in changes if change.verb in ("set", "unset")}
    names = {change.name for change in changes} - lost
    return {name: (ends.get("prepend", {}).get(name, ""), ends.get("append", {}).get(name, "")) for name in names}


def _make_mark(
    name: str, old: str | None, new: str | None, grown: Mapping[str, tuple[str, str]], secrets: frozenset[str]
) -> Mark:
    left = digest(new)
    if name in secrets or is_secret(name):
        return Mark(name, left)
    if old and name in grown:
        front, back = grown[name]
        return Mark(name, left, None, front, back, is_grown=True)
    return Mark(name, left, old, (new or "") if name in grown or is_list(name, new or "") else "")


def _restore(current: str | None, mark: Mark) -> str | None:
    """Return the value before, of a variable that is as the profile left it."""
    if not mark.is_grown or current is None:
        return mark.old
    start = len(mark.front) + 1 if mark.front else 0
    end = len(current) - (len(mark.back) + 1 if mark.back else 0)
    return current[start:end]


def _take_out(current: str | None, mark: Mark) -> str | None:
    """Return what a person has made of a variable, of a list without the elements that the profile put there."""
    if current is None or not (mark.front or mark.back):
        return current
    elements = current.split(":")
    place = 0
    for ours in mark.front.split(":") if mark.front else []:
        if ours in elements:
            place = elements.index(ours)
            del elements[place]
    for ours in reversed(mark.back.split(":") if mark.back else []):
        if ours in elements:
            del elements[len(elements) - 1 - elements[::-1].index(ours)]
    if mark.old:
        elements[place:place] = mark.old.split(":")
    return ":".join(elements) if elements or mark.is_grown else mark.old


def _encode_mark(mark: Mark) -> str:
    old = "-" if mark.old is None else "+" + _encode(mark.old)
    grown = "grown" if mark.is_grown else "set"
    return ",".join([grown, _encode(mark.name), mark.digest, old, _encode(mark.front), _encode(mark.back)])


def _decode_mark(word: str) -> Mark:
    grown, name, left, old, front, back = word.split(",")
    before = None if old == "-" else _decode(old[1:])
    return Mark(_decode(name), left, before, _decode(front), _decode(back), is_grown=grown == "grown")


def _encode(text: str) -> str:
    return quote(text, safe=_READABLE, errors="surrogateescape")


def _decode(text: str) -> str:
    return unquote(text, errors="surrogateescape")
