"""What a sink answers: whom it could not deliver to, and whether it is worth trying again (ALERT-11)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one recipient did not get a message.

    Attributes
    ----------
    is_final
        Whether no further attempt can succeed.
    wait_s
        How long the other side asks us to wait, 0 if it does not say.
    """

    reason: str
    is_final: bool = False
    wait_s: float = 0.0


Refusals = dict[str, Refusal]


def refuse_all(recipients: Iterable[str], reason: str, *, is_final: bool = False) -> Refusals:
    """Return that nobody got it."""
    return dict.fromkeys(recipients, Refusal(" ".join(reason.split()), is_final))
