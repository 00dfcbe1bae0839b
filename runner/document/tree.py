"""What a YAML document is to us: text, lists and maps of text, each with its place.

YAML's own idea of numbers, dates and booleans is not asked: every scalar stays the text that was written and
is converted by the type of its key (DESIGN section 5). The classes are plain and mutable because a
registry of 10 000 jobs has 100 000 of them: a frozen one costs three times as much to make.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(slots=True, eq=False)
class Scalar:
    """A text; `plain` is whether it stood without quotes.

    `line` and `column` count from 1, here and in the other nodes.
    """

    text: str
    line: int
    column: int
    plain: bool


@dataclass(slots=True, eq=False)
class Sequence:
    """A list."""

    items: list[Node]
    line: int
    column: int


@dataclass(slots=True, eq=False)
class Mapping:
    """A map in the order of the file: of each key its own node and that of its value."""

    entries: dict[str, tuple[Scalar, Node]]
    line: int
    column: int
    flow: bool = False


Node = Scalar | Sequence | Mapping


def is_empty(node: Node) -> bool:
    """Whether nothing was written where a value could be, as after ``env:``."""
    return isinstance(node, Scalar) and node.plain and not node.text


def items_of(node: Node) -> Iterable[Node]:
    """Return the items of a list; where one value may stand for a list of one, that value."""
    return node.items if isinstance(node, Sequence) else [node]
