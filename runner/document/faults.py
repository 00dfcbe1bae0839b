"""Mistakes in a document: collected with their places, so that all of them are reported in one go."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from runner.document.tree import Node
from runner.errors import Fault, FaultsFound


class Wrong(ValueError):
    """A value that does not fit its key; who knows the node adds the place.

    Attributes
    ----------
    message, hint
        As in `Fault`.
    others
        Further mistakes of the same value.
    """

    def __init__(self, message: str, hint: str = "", others: Sequence[Wrong] = ()) -> None:
        self.message = message
        self.hint = hint
        self.others = others
        super().__init__(message)


class Faults:
    """The mistakes of one file, in the order they were found.

    Attributes
    ----------
    file
        The path to report.
    found
        Errors and warnings.
    """

    def __init__(self, file: str) -> None:
        self.file = file
        self.found: list[Fault] = []

    def error(self, node: Node, message: str, hint: str = "") -> None:
        """Add an error at the place of `node`."""
        self.found.append(Fault(self.file, node.line, node.column, "error", message, hint))

    def warn(self, node: Node, message: str, hint: str = "") -> None:
        """Add a warning at the place of `node`."""
        self.found.append(Fault(self.file, node.line, node.column, "warning", message, hint))

    def wrong(self, node: Node, wrong: Wrong) -> None:
        """Add what a converter raised about `node`."""
        for one in (wrong, *wrong.others):
            self.error(node, one.message, one.hint)


def has_errors(faults: Iterable[Fault]) -> bool:
    """Whether one of `faults` is more than a warning."""
    return any(fault.level == "error" for fault in faults)


def check_faults(faults: Iterable[Fault]) -> tuple[Fault, ...]:
    """Return `faults` sorted by place, each once; raise FaultsFound if one of them is an error."""
    unique = set(faults)
    if has_errors(unique):
        raise FaultsFound(unique)
    return tuple(sorted(unique))


def suggest(word: str, choices: Iterable[str]) -> str:
    """Return a hint: the nearest of `choices`, or all of them where none is near and they are few."""
    from difflib import get_close_matches  # only a mistake pays for this import

    names = sorted(choices)
    near = get_close_matches(word.lower(), names, n=1)
    if near:
        return f'did you mean "{near[0]}"?'
    return f"one of {', '.join(names)}" if 0 < len(names) <= 12 else ""


def describe_unknown(kind: str, word: str, choices: Iterable[str]) -> str:
    """Return the line that says that there is no such thing, with the nearest of those that there are."""
    hint = suggest(word, choices)
    return f'no {kind} is called "{word}"' + (f"; {hint}" if hint else "")
