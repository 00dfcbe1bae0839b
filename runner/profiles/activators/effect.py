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
    """What an activator does.

    Attributes
    ----------
    changes
        Literal, in order.
    inputs
        The files that it depends on.
    notes
        What no snapshot can hold of it.
    secrets
        Variables whose values must not be kept, whatever they are called.
    """

    changes: list[Change]
    inputs: list[str]
    notes: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
