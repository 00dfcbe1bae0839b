"""What each activator is given and what it gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from runner.launch.activation import Activation, Change
from runner.launch.log import Log


@dataclass(frozen=True, slots=True)
class Scene:
    """Where an activation happens: the environment so far, the home, and how long it may still take (seconds)."""

    environment: Mapping[str, str]
    activation: Activation
    profile: str
    home: str
    log: Log
    left_s: float


@dataclass(frozen=True, slots=True)
class Effect:
    """What an activator does: literal changes, the files it depends on, and what no snapshot can hold of it."""

    changes: list[Change]
    inputs: list[str]
    notes: tuple[str, ...] = ()
