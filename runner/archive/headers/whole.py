"""A whole header as JSON: a list of keyword, value and comment of each card (ARCH-20)."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable

from runner.archive.headers.values import Mark, Value


def format_header(cards: Iterable[tuple[str, Value, str]]) -> str:
    """Return cards as JSON.

    A value that is undefined or unreadable is null. What JSON has no number for, infinity and a complex number, is
    text as Python writes it.
    """
    return f"[{', '.join(format_card(*card) for card in cards)}]"


def format_card(keyword: str, value: Value, comment: str) -> str:
    """Return one card as JSON."""
    return json.dumps([keyword, _as_json(value), comment], allow_nan=False)


def _as_json(value: Value) -> str | bool | int | float | None:
    if isinstance(value, complex) or (isinstance(value, float) and not math.isfinite(value)):
        return str(value)
    return None if isinstance(value, Mark) else value
