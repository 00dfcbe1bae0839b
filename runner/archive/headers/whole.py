"""A whole header as JSON: a list of keyword, value and comment of each card (ARCH-20)."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Final

from runner.archive.headers.exact import parse_card
from runner.archive.headers.values import Mark, Value

# Most cards of a header are those of the file before.
_MOST_KNOWN: Final = 50_000


class CardTexts(dict[bytes, str]):
    """The JSON of cards, as far as they were met."""

    def __missing__(self, image: bytes) -> str:
        if len(self) >= _MOST_KNOWN:
            self.clear()
        text = self[image] = format_card(*parse_card(image))
        return text


def format_header(cards: Iterable[str]) -> str:
    """Return the JSON of cards as that of a header."""
    return f"[{', '.join(cards)}]"


def format_card(keyword: str, value: Value, comment: str) -> str:
    """Return one card as JSON.

    A value that is undefined or unreadable is null. What JSON has no number for, infinity and a complex number, is
    text as Python writes it.
    """
    return json.dumps([keyword, _as_json(value), comment], allow_nan=False)


def _as_json(value: Value) -> str | bool | int | float | None:
    if isinstance(value, complex) or (isinstance(value, float) and not math.isfinite(value)):
        return str(value)
    return None if isinstance(value, Mark) else value
